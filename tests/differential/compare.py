# SPDX-License-Identifier: Apache-2.0
"""Runs each program once with async def functions and once with C++ ones: one trace.

compare.py [asyncio|debug|same_thread|uvloop] [NAME...]; a NAME may be a sentence's id, such as O20
"""

import asyncio
import difflib
import faulthandler
import gc
import importlib
import inspect
import os
import pathlib
import sys
import warnings

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import native
import pure
from program import PROGRAMS, show

SECONDS = 60  # for one program, on a busy machine


def same_thread_policy():
    policy = asyncio.DefaultEventLoopPolicy()
    policy._loop_factory = native.EventLoop
    return policy


def use_policy(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # policies are deprecated from CPython 3.14 on
        asyncio.set_event_loop_policy(make())


def use_loop(kind):
    if kind == "debug":
        os.environ["PYTHONASYNCIODEBUG"] = "1"
    elif kind == "uvloop":
        import uvloop

        use_policy(uvloop.EventLoopPolicy)
    elif kind == "same_thread":
        use_policy(same_thread_policy)
    elif kind != "asyncio":
        sys.exit(f"compare.py: unknown loop {kind!r}: asyncio, debug, same_thread or uvloop")


def message_of(context):
    return context["message"].partition(" in callback ")[0]  # it names the callback, each in its way


async def run_in_loop(program, functions, trace):
    loop = asyncio.get_running_loop()
    loop.slow_callback_duration = 60  # a busy machine is not a finding
    loop.set_exception_handler(lambda _, context: trace("loop:", message_of(context), context.get("exception")))
    await program(functions, trace)


def run(program, functions, trace):
    try:
        if inspect.iscoroutinefunction(program):
            asyncio.run(run_in_loop(program, functions, trace))
        else:
            program(functions, trace)
    except BaseException as error:
        trace("ends with", error)


def observe(program, functions):
    """All that a run of the program shows: its trace, warnings, errors nobody caught; of what is in cycles, at its end."""
    lines = []

    def trace(*values):
        lines.append(" ".join(map(show, values)))

    def on_unraisable(failure):
        lines.append(f"unraisable: {show(failure.exc_value)}")

    faulthandler.dump_traceback_later(SECONDS, exit=True)
    before, sys.unraisablehook = sys.unraisablehook, on_unraisable
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gc.disable()
        run(program, functions, trace)
        gc.enable()
        gc.collect()
    sys.unraisablehook = before
    faulthandler.cancel_dump_traceback_later()
    return lines + [f"{w.category.__name__}: {str(w.message).splitlines()[0]}" for w in caught]


def check(name, program):
    """None where the traces are as they should be, else what is wrong."""
    expected, seen = observe(program, pure), observe(program, native)
    if program.differs is None and expected != seen:
        return "\n".join(difflib.unified_diff(expected, seen, "async def", "C++", lineterm=""))
    if program.differs is not None and expected == seen:
        return "is listed as different, and is not"
    if program.differs is None and not expected:
        return "has an empty trace"
    return None


def is_meant(name, program, names):
    return any(part in name or part in program.kit for part in names)


def main(kind="asyncio", *names):
    use_loop(kind)
    for file in sorted((HERE / "programs").glob("*.py")):
        importlib.import_module(f"programs.{file.stem}")
    chosen = {name: one for name, one in PROGRAMS.items() if not names or is_meant(name, one, names)}
    failed = 0
    for name, program in chosen.items():
        problem = check(name, program)
        print(f"{'FAILED' if problem else 'ok'}: {name}", flush=True)
        if problem:
            failed += 1
            print(problem, flush=True)
    print(f"{len(chosen)} programs, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
