# SPDX-License-Identifier: Apache-2.0
"""Random programs of await, yield, cancel, time-out, raise, gather, shield and try, each once with async
def functions and once with C++ ones.

generate.py [asyncio|debug|same_thread|uvloop]

BRIDGE_PROGRAMS: how many (default 500, always the same ones); with BRIDGE_SEED other ones.
"""

import difflib
import functools
import gc
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import compare
import native
import pure
import trees
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

NEW = sys.version_info >= (3, 11)
WAYS = st.sampled_from(["python", "call", "call", "deep", "swallow", "convert", "clean"])
COUNTS = st.integers(0, 4)
MESSAGES = st.sampled_from([None, "why", 7])
SECONDS = st.sampled_from([None, 0, 3600])  # at once or never: no race with the clock

CALM_ACTIONS = ["next", "next", "send", "throw", "close"]
ACTIONS = CALM_ACTIONS + ["together", *(f"cancel {count}" for count in range(5))]


def iterations(ways, several, actions):
    """What async generators are asked for."""
    lists = st.lists(st.sampled_from(actions), min_size=1, max_size=5)
    return [
        st.builds(lambda way, all: (way, "iterate", *all), ways, several),
        st.builds(lambda way, count, all: (way, "take", count, *all), ways, COUNTS, several),
        st.builds(lambda way, actions, all: (way, "steps", actions, *all), ways, lists, several),
    ]


LEAVES = st.one_of(
    st.tuples(WAYS, st.just("value"), st.integers(0, 9)),
    st.tuples(WAYS, st.just("yield"), COUNTS),
    st.tuples(WAYS, st.just("raise"), st.sampled_from(sorted(trees.ERRORS))),
    st.tuples(WAYS, st.just("set"), st.integers(0, 1)),
    st.tuples(WAYS, st.just("wait"), st.integers(0, 1)),
    st.tuples(WAYS, st.just("native"), st.integers(0, 9)),
    st.tuples(WAYS, st.just("cancel_me"), MESSAGES),
)


def branches(tree):
    several = st.lists(tree, min_size=1, max_size=3)
    kinds = ["sequence", "gather", "gather_all"] + (["group"] if NEW else [])
    return st.one_of(
        st.builds(lambda way, kind, all: (way, kind, *all), WAYS, st.sampled_from(kinds), several),
        st.tuples(WAYS, st.sampled_from(["catch", "catch_all", "shield", "task"]), tree),
        st.tuples(WAYS, st.just("finally"), tree, COUNTS),
        st.tuples(WAYS, st.sampled_from(["timeout", "wait_for"] if NEW else ["wait_for"]), SECONDS, tree),
        st.tuples(WAYS, st.just("cancel_after"), COUNTS, MESSAGES, tree),
        st.tuples(WAYS, st.just("cancel_twice"), COUNTS, tree),
        st.tuples(WAYS, st.just("guard"), COUNTS, tree),
        *iterations(WAYS, several, ACTIONS),
    )


TREES = st.recursive(LEAVES, branches, max_leaves=8)

# One thing after the other, so that native threads may be in between without changing the order.
CALM_WAYS = st.sampled_from(["python", "call", "hop", "hop", "child", "swallow", "convert", "clean"])
CALM_LEAVES = st.one_of(
    st.tuples(CALM_WAYS, st.just("native"), st.integers(0, 9)),
    st.tuples(CALM_WAYS, st.just("yield"), COUNTS),
    st.tuples(CALM_WAYS, st.just("raise"), st.sampled_from(sorted(trees.ERRORS))),
)


def calm_branches(tree):
    several = st.lists(tree, min_size=1, max_size=4)
    return st.one_of(
        st.builds(lambda way, all: (way, "sequence", *all), CALM_WAYS, several),
        st.tuples(CALM_WAYS, st.sampled_from(["catch", "catch_all", "shield", "task"]), tree),
        st.tuples(CALM_WAYS, st.just("finally"), tree, COUNTS),
        st.tuples(CALM_WAYS, st.just("guard"), COUNTS, tree),
        *iterations(CALM_WAYS, several, CALM_ACTIONS),
    )


CALM_TREES = st.recursive(CALM_LEAVES, calm_branches, max_leaves=8)


def observe(program, functions):
    """The trace; what the loop says of dropped tasks last, as they go when no exception's context holds them."""
    lines = compare.observe(program, functions)
    return sorted(lines, key=lambda line: line.startswith("loop:"))


def check(tree, calm):
    program = functools.partial(trees.program, tree=tree, calm=calm)
    gc.freeze()  # each program is followed by a collection, which is to look at nothing else
    expected, seen = observe(program, pure), observe(program, native)
    if expected != seen:
        difference = difflib.unified_diff(expected, seen, "async def", "C++", lineterm="")
        raise AssertionError(f"the traces differ for {tree!r}\n" + "\n".join(difference))


def run(strategy, count, calm):
    wanted = os.environ.get("BRIDGE_SEED")
    test = given(strategy, st.just(calm))(check)
    if wanted is not None:
        test = seed(int(wanted))(test)
    settings(
        max_examples=count,
        derandomize=wanted is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )(test)()


def main(kind="asyncio"):
    compare.use_loop(kind)
    count = int(os.environ.get("BRIDGE_PROGRAMS", "500"))
    run(TREES, count, False)
    run(CALM_TREES, count // 4, True)
    print(f"{count + count // 4} programs, the same trace each")
    return 0


if __name__ == "__main__":
    main(*sys.argv[1:])
