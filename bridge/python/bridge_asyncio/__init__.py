# SPDX-License-Identifier: Apache-2.0
"""asyncio's event loop with an io_context in its selector: C++ coroutines run on the loop's own thread."""

import asyncio
import sys

from ._native import EventLoop, NativeError, blocking, stats
from ._tasks import print_tasks

if sys.version_info < (3, 11):
    from . import _native

__all__ = ["EventLoop", "NativeError", "blocking", "new_event_loop", "print_tasks", "run", "stats"]


def new_event_loop():
    """A new EventLoop; to be given as `loop_factory`."""
    return EventLoop()


def run(main, *, debug=None):
    """asyncio.run() in an EventLoop."""
    if sys.version_info >= (3, 12):
        return asyncio.run(main, debug=debug, loop_factory=EventLoop)
    if asyncio._get_running_loop() is not None:
        raise RuntimeError("bridge_asyncio.run() cannot be called from a running event loop; await the coroutine instead")
    if sys.version_info >= (3, 11):
        with asyncio.Runner(debug=debug, loop_factory=EventLoop) as runner:
            return runner.run(main)
    if not asyncio.iscoroutine(main):
        raise ValueError(f"a coroutine was expected, got {main!r}")
    return _native.run(main, bool(debug))
