# SPDX-License-Identifier: Apache-2.0
"""Running a coroutine in a new event loop, and the way out of it; the inside of bridge::run."""

import asyncio
import signal
import sys
import threading


class _Interrupts:
    """Ctrl-C cancels the task; a second one raises KeyboardInterrupt, as asyncio.Runner does."""

    def __init__(self, loop, task):
        self.loop = loop
        self.task = task
        self.count = 0
        self.installed = False

    def __enter__(self):
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            try:
                signal.signal(signal.SIGINT, self.on_interrupt)
                self.installed = True
            except ValueError:
                pass  # an embedded interpreter that does not own the signals
        return self

    def __exit__(self, *exc):
        if self.installed and signal.getsignal(signal.SIGINT) == self.on_interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def on_interrupt(self, signum, frame):
        self.count += 1
        if self.count == 1 and not self.task.done():
            self.task.cancel()
            self.loop.call_soon_threadsafe(lambda: None)  # it may be waiting in select()
            return
        raise KeyboardInterrupt()

    def ended_task(self):
        """Whether the task's cancellation was ours."""
        if self.count == 0:
            return False
        uncancel = getattr(self.task, "uncancel", None)
        return uncancel is None or uncancel() == 0


def _report(loop, message, **details):
    loop.call_exception_handler({"message": message, **details})


def _cancel_tasks(loop, deadline):
    tasks = asyncio.all_tasks(loop)
    if not tasks:
        return
    for task in tasks:
        task.cancel()
    _, stuck = loop.run_until_complete(asyncio.wait(tasks, timeout=deadline))
    for task in stuck:
        _report(loop, f"bridge.run(): a task did not end within {deadline:g} s of its cancellation", task=task)
    for task in tasks - stuck:
        if not task.cancelled() and task.exception() is not None:
            _report(
                loop,
                "unhandled exception during bridge.run() shutdown",
                exception=task.exception(),
                task=task,
            )


def _join_native(loop, cancel_native, deadline):
    idle = loop.create_future()
    if cancel_native(loop, lambda: idle.done() or idle.set_result(None)) == 0:
        return
    loop.run_until_complete(asyncio.wait([idle], timeout=deadline))
    if not idle.done():
        _report(loop, f"bridge.run(): native work did not end within {deadline:g} s of its cancellation")


def _finish(loop, cancel_native, deadline):
    _cancel_tasks(loop, deadline)
    _join_native(loop, cancel_native, deadline)
    loop.run_until_complete(loop.shutdown_asyncgens())
    if sys.version_info >= (3, 12) and isinstance(loop, asyncio.BaseEventLoop):
        loop.run_until_complete(loop.shutdown_default_executor(deadline))
    else:
        loop.run_until_complete(loop.shutdown_default_executor())


def run(main, loop_factory, debug, deadline, cancel_native):
    if asyncio._get_running_loop() is not None:
        main.close()
        raise RuntimeError(
            "bridge.run() cannot be called while an event loop runs on this thread; await the coroutine instead"
        )
    loop = (loop_factory or asyncio.new_event_loop)()
    try:
        asyncio.set_event_loop(loop)
        if debug:
            loop.set_debug(True)
        task = loop.create_task(main)
        with _Interrupts(loop, task) as interrupts:
            try:
                return loop.run_until_complete(task)
            except asyncio.CancelledError:
                if interrupts.ended_task():
                    raise KeyboardInterrupt() from None
                raise
    finally:
        try:
            _finish(loop, cancel_native, deadline)
        finally:
            asyncio.set_event_loop(None)
            loop.close()
