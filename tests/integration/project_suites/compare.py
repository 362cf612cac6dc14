# SPDX-License-Identifier: Apache-2.0
"""What our loop's run has to answer for, beside asyncio's."""

import dataclasses
import functools

ATTEMPTS = 3
MOST = 40  # more differences than these are told without running each again


@dataclasses.dataclass
class Difference:
    test: str
    outcome: str  # on our loop
    fails: bool = True
    said: str = ""  # what running it again gave


def differences(stock, ours):
    """Tests that passed on asyncio's loop, and did not on ours."""
    return [Difference(test, ours.outcomes.get(test, "missing")) for test, outcome in stock.outcomes.items()
            if outcome == "passed" and ours.outcomes.get(test) != "passed"]  # fmt: skip


def attempts(test, run, loop):
    """Whether it passed, for each time: until it does, three times at most."""
    passed = []
    while len(passed) < ATTEMPTS and not any(passed):
        passed.append(run(loop).outcomes.get(test) == "passed")
    return passed


def run_again(found, again):
    """By itself, and then with its file: flaky if it passes in both, or if asyncio's loop cannot pass it three times either."""
    for how, what in (("by itself", found.test), ("with its file", found.test.split("::")[0])):
        on_ours = attempts(found.test, functools.partial(again, what), "ours")
        if any(on_ours):
            continue
        on_stock = [again(what, "asyncio").outcomes.get(found.test) == "passed" for _ in range(ATTEMPTS)]
        found.fails = all(on_stock)
        found.said = f"{'' if found.fails else 'flaky: '}{how} it passed {sum(on_stock)} of {ATTEMPTS} times on asyncio's loop, never on ours"
        return
    found.fails, found.said = False, f"flaky: it passed by itself and with its file, here at attempt {len(on_ours)} of {ATTEMPTS}"
