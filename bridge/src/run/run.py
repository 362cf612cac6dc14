# SPDX-License-Identifier: Apache-2.0
"""Running a coroutine in a new event loop, and the way out of it; the inside of bridge::run and bridge::blocking."""

import asyncio
import concurrent.futures
import contextvars
import signal
import threading

# How long each part of the way out may take at least, when the others have used the deadline up.
_LEAST_TIME = 0.1

# `native` is given by run.cpp: cancel, describe, stop_below, throw_closed and keep.


def _is_a_runners(handler):
    """Whether it is Python's own SIGINT handler, asyncio.Runner's or that of _Interrupts, and not the program's."""
    function = getattr(handler, "func", handler)
    return handler is signal.default_int_handler or (
        getattr(function, "__module__", None) in ("asyncio.runners", _Interrupts.__module__)
    )


class _Interrupts:
    """Ctrl-C calls `cancel`; a second one raises KeyboardInterrupt, as asyncio.Runner does."""

    def __init__(self, cancel):
        self.cancel = cancel
        self.count = 0
        self.before = None

    def __enter__(self):
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is threading.main_thread() and _is_a_runners(before):
            try:
                signal.signal(signal.SIGINT, self.on_interrupt)
                self.before = before
            except ValueError:
                pass  # an embedded interpreter that does not own the signals
        return self

    def __exit__(self, *exc):
        if self.before is not None and signal.getsignal(signal.SIGINT) == self.on_interrupt:
            signal.signal(signal.SIGINT, self.before)

    def on_interrupt(self, signum, frame):
        self.count += 1
        if self.count > 1 or not self.cancel():
            raise KeyboardInterrupt()


class _WayOut:
    """What asyncio.run() does at its end, in the same order, each part within what is left of the deadline."""

    def __init__(self, loop, deadline):
        self.loop = loop
        self.deadline = deadline
        self.end = loop.time() + deadline

    def take(self):
        self.cancel_tasks()
        self.join_native()
        self.end_async_generators()
        self.join_executor()

    def report(self, message, **details):
        self.loop.call_exception_handler({"message": f"bridge.run(): {message}", **details})

    def wait(self, futures):
        """Those that did not end in time."""
        time = max(_LEAST_TIME, self.end - self.loop.time())
        waiting = asyncio.wait(futures, timeout=time)
        try:
            return self.loop.run_until_complete(waiting)[1]
        except BaseException:
            waiting.close()  # Ctrl-C may come before it has begun
            raise

    def ends_in_time(self, task):
        """Ctrl-C may end the wait for it, and nothing is said of the task then, as by run_until_complete()."""
        task._log_destroy_pending = False
        try:
            return not self.wait([task])
        except BaseException:
            if task.done() and not task.cancelled():
                task.exception()
            raise

    def leave_behind(self, task):
        """Closing it, as the last reference does, could wait again, without a bound."""
        task._log_destroy_pending = False
        native.keep(task)

    def cancel_tasks(self):
        tasks = asyncio.all_tasks(self.loop)
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        stuck = self.wait(tasks)
        for task in stuck:
            self.report(f"a task did not end within {self.deadline:g} s of its cancellation: {task!r}", task=task)
            self.leave_behind(task)
        for task in tasks - stuck:
            if not task.cancelled() and task.exception() is not None:
                self.loop.call_exception_handler(
                    {
                        "message": "unhandled exception during asyncio.run() shutdown",
                        "exception": task.exception(),
                        "task": task,
                    }
                )

    def join_native(self):
        idle = self.loop.create_future()
        if native.cancel(self.loop, lambda: idle.done() or idle.set_result(None)) == 0:
            return
        if self.wait([idle]):
            stuck = native.describe(self.loop)
            self.report(
                f"native work did not end within {self.deadline:g} s of its cancellation:"
                + "".join(f"\n  {one}" for one in stuck)
            )

    def end_async_generators(self):
        ending = self.loop.create_task(self.loop.shutdown_asyncgens())
        if self.ends_in_time(ending):
            return
        ending.cancel()
        if not self.ends_in_time(ending):
            self.leave_behind(ending)
        self.report(f"async generators did not end within {self.deadline:g} s of their aclose()")

    def join_executor(self):
        ending = self.loop.create_task(self.loop.shutdown_default_executor())
        if not self.ends_in_time(ending):
            self.leave_behind(ending)
            self.report(f"threads of the default executor did not end within {self.deadline:g} s")


def _new_loop(factory):
    if asyncio._get_running_loop() is not None:
        raise RuntimeError(
            "bridge.run() cannot be called while an event loop runs on this thread; await the coroutine instead"
        )
    loop = factory()
    if not isinstance(loop, asyncio.AbstractEventLoop):
        raise TypeError(f"bridge.run(): the loop factory must give an event loop, not {loop!r}")
    return loop


def _run_task(loop, task):
    def cancel():
        if task.done():
            return False
        task.cancel()
        loop.call_soon_threadsafe(lambda: None)  # it may be waiting in select()
        return True

    with _Interrupts(cancel) as interrupts:
        try:
            return loop.run_until_complete(task)
        except asyncio.CancelledError:
            uncancel = getattr(task, "uncancel", lambda: 0)
            if interrupts.count > 0 and uncancel() == 0:  # nobody else has cancelled it
                raise KeyboardInterrupt()
            raise


def _begin(main, factory, debug):
    loop = None
    try:
        loop = _new_loop(factory)
        if debug:
            loop.set_debug(True)
        return loop, loop.create_task(main)
    except BaseException:
        main.close()  # nobody can await it any more
        if loop is not None:
            loop.close()
        raise


def run(main, loop_factory, debug, deadline):
    loop, task = _begin(main, loop_factory or asyncio.new_event_loop, debug)
    try:
        asyncio.set_event_loop(loop)
        return _run_task(loop, task)
    finally:
        try:
            _WayOut(loop, deadline).take()
        finally:
            asyncio.set_event_loop(None)
            loop.close()


async def _await(awaitable):
    return await awaitable


def blocking(awaitable, deadline):
    """Waits for an awaitable on this thread, whether or not a loop runs here."""
    here = asyncio._get_running_loop()
    if asyncio.isfuture(awaitable):
        return _wait_for_future(awaitable, here)
    if here is None:
        return run(_await(awaitable), None, False, deadline)
    return _run_on_a_thread(awaitable, here, deadline)


# What blocking() waits for now; the loop of each one's thread stands still for it.
_waited_for = []

# The loop that blocking() has made for what runs in this context, where it has.
_own_loop = contextvars.ContextVar("bridge.blocking", default=None)


def _needs(loop, ends):
    """Whether the loop stands still, by itself or through others, until one of these goes on."""
    reached = [loop]
    for one in reached:
        reached += [w.loop for w in tuple(_waited_for) if w.here is one and w.loop not in reached and not w.is_over()]
    return any(one in ends for one in reached)


class _Elsewhere:
    """Work in a loop that runs on another thread, while this thread, and with it the loop `here`, waits for its end."""

    def __init__(self, here, loop=None, is_over=lambda: False):
        self.here = here
        self.ended = concurrent.futures.Future()
        self.may_be_over = is_over
        self.loop = loop
        self.task = None
        self.is_asked = False
        self.is_cancelled = False

    def begin(self, loop, task):
        """On that thread."""
        self.task = task
        self.loop = loop
        if self.is_asked:
            self.cancel_there()

    def cancel(self):
        """Asks it to end, sooner or later; also in a signal handler."""
        self.is_asked = True
        try:
            if self.task is not None:
                self.loop.call_soon_threadsafe(self.cancel_there)
        except RuntimeError:
            pass  # it has just ended
        return True

    def cancel_there(self):
        self.is_cancelled = self.is_cancelled or self.task.cancel()

    def is_over(self):
        return self.ended.done() or self.may_be_over()

    def wait(self, start):
        _waited_for.append(self)
        try:
            if _needs(self.loop, {self.here, _own_loop.get()} - {None}):
                raise RuntimeError(
                    "bridge.blocking(): this Future or Task belongs to an event loop that blocking() keeps from "
                    "running, so it would wait for ever; await it in its own loop instead"
                )
            return self.wait_interruptibly(start)
        finally:
            _waited_for.remove(self)

    def wait_interruptibly(self, start):
        """Ctrl-C cancels the work as it does in run(); what else a signal handler raises goes on after its end."""
        with _Interrupts(self.cancel) as interrupts:
            try:
                start()
                if _must_cancel():
                    self.cancel()
                self.wait_for_end()
            except BaseException:
                if interrupts.count < 2:
                    self.cancel()
                    self.wait_for_end()
                raise
        if interrupts.count > 0 and not self.is_cancelled:
            raise KeyboardInterrupt()  # too late to cancel it
        return interrupts.count > 0

    def wait_for_end(self):
        # A signal that comes just before Python waits for a lock does not end that wait: look up now and then.
        while not self.is_over():
            concurrent.futures.wait([self.ended], timeout=0.5)


def _must_cancel():
    """Whether the task that waits was asked to end before, which its next await would tell it."""
    task = asyncio.current_task() if asyncio._get_running_loop() is not None else None
    return getattr(task, "_must_cancel", False)


def _result(future, is_interrupted):
    try:
        return future.result()
    except asyncio.CancelledError:
        if is_interrupted:
            raise KeyboardInterrupt()
        raise


def _wait_for_future(future, here):
    if future.done():
        return future.result()
    its_loop = future.get_loop()
    if its_loop.is_running():
        return _wait_there(future, its_loop, here)
    if here is None:
        return its_loop.run_until_complete(future)
    raise RuntimeError(
        "bridge.blocking(): this Future or Task belongs to an event loop that does not run, and another one runs on "
        "this thread; run that loop, or pass a coroutine"
    )


def _wait_there(future, its_loop, here):
    work = _Elsewhere(here, its_loop, lambda: future.done() or its_loop.is_closed())

    def begin():
        work.begin(its_loop, future)
        future.add_done_callback(lambda _: work.ended.set_result(None))

    is_interrupted = work.wait(lambda: its_loop.call_soon_threadsafe(begin))
    if not future.done():
        native.throw_closed()
    return _result(future, is_interrupted)


def _run_on_a_thread(awaitable, here, deadline):
    """In a new loop on a thread of its own, in a copy of this context."""
    turn = threading.Lock()  # whoever takes it decides whether it runs
    work = _Elsewhere(here)

    async def main():
        loop = asyncio.get_running_loop()
        native.stop_below(loop, here)
        _own_loop.set(loop)
        work.begin(loop, asyncio.current_task())
        return await awaitable

    def run_main():
        if not turn.acquire(blocking=False):
            return
        try:
            work.ended.set_result(run(main(), None, here.get_debug(), deadline))
        except BaseException as error:
            work.ended.set_exception(error)

    def start():
        try:
            thread.start()  # a signal may come in here, before the thread has begun or after
        except BaseException:
            if turn.acquire(blocking=False):
                work.ended.set_result(None)
                if asyncio.iscoroutine(awaitable):
                    awaitable.close()
            raise

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run_main,), name="bridge.blocking")
    return _result(work.ended, work.wait(start))
