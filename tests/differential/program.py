# SPDX-License-Identifier: Apache-2.0
"""What the differential programs are written with."""

import asyncio
import sys

PROGRAMS = {}


def program(function=None, *, kit="", since=(3, 10), until=None, differs=None):
    """Registers f(n, t): n is pure.py or the native module, t(...) adds a line to the trace.

    kit: the ids of the sentences of docs/reference/streams_kit.md that it shows.
    differs: a known difference and its reason; such a program must differ.
    """

    def register(function):
        if since <= sys.version_info[:2] and (until is None or sys.version_info[:2] < until):
            PROGRAMS[f"{function.__module__}.{function.__name__}"] = function
        function.kit = kit.split()
        function.differs = differs
        return function

    return register if function is None else register(function)


def told_by(error):
    """Before 3.11 a task that was cancelled gives whoever awaits it a new CancelledError, without the
    message, whose context is its own; our futures hand on their own always, as tasks do since."""
    while sys.version_info < (3, 11) and type(error) is asyncio.CancelledError and not error.args:
        if not isinstance(error.__context__, asyncio.CancelledError):
            break
        error = error.__context__
    return error


def show(value):
    """A value as a trace has it; an exception with what belongs to it."""
    if not isinstance(value, BaseException):
        return value if isinstance(value, str) else repr(value)
    value = told_by(value)
    text = f"{type(value).__name__}{value.args!r}"
    if isinstance(value, BaseException) and hasattr(value, "exceptions"):
        text += "[" + "; ".join(show(one) for one in value.exceptions) + "]"
    for name in ("__cause__", "__context__", "__notes__"):
        extra = getattr(value, name, None)
        if extra is not None:
            text += f" {name}: {show(extra)};"
    return text


async def outcome(awaitable):
    """How an await ends, as text; an end by cancellation too."""
    try:
        return f"gives {show(await awaitable)}"
    except BaseException as error:
        return f"raises {show(error)}"


async def turns(count=10):
    """Lets everything go on that needs only turns of the loop."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition):
    """Lets everything go on until it holds."""
    while not condition():
        await asyncio.sleep(0.001)


def is_awaited(future):
    """Whether somebody waits for it."""
    return bool(future._callbacks)


def state(task):
    """What a finished task or future shows."""
    if not task.done():
        return "pending"
    if task.cancelled():
        return "cancelled"
    return f"failed: {show(task.exception())}" if task.exception() else f"done: {show(task.result())}"


async def ended(*tasks):
    """Waits until they have ended; their states."""
    await asyncio.wait(tasks)
    return [state(task) for task in tasks]
