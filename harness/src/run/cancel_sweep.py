# SPDX-License-Identifier: Apache-2.0
"""One run of a test's body in which each place at which it waits is drawn, and which is cancelled at one of them."""

import asyncio
import collections.abc

_NOBODY, _TASK, _SIGNAL, _DROP = range(4)


def _leaves_no_trace(method):
    """What it raises has the traceback that it would have without the method."""

    def call(self, *arguments):
        try:
            return method(self, *arguments)
        except BaseException as error:
            error.__traceback__ = error.__traceback__.tb_next.tb_next  # without this frame and the method's
            raise

    return call


class _Steps(collections.abc.Coroutine):
    """A task's coroutine, which tells where it waits; else as the coroutine itself."""

    def __init__(self, coroutine, on_wait):
        self.coroutine = coroutine
        self._on_wait = on_wait

    @_leaves_no_trace
    def send(self, value):
        return self._tell(self.coroutine.send(value))

    @_leaves_no_trace
    def throw(self, *exception):
        return self._tell(self.coroutine.throw(*exception))

    def close(self):
        return self.coroutine.close()

    def __await__(self):
        return self

    def __iter__(self):
        return self

    @_leaves_no_trace
    def __next__(self):
        return self.send(None)

    def __getattr__(self, name):
        return getattr(self.coroutine, name)

    def _tell(self, awaited):
        self._on_wait(self, awaited)
        return awaited


class _Body(_Steps):
    """The test's own. Where C++ is what waits, its awaiter can be dropped."""

    def __init__(self, coroutine, on_wait, on_cancel, loop):
        super().__init__(coroutine, on_wait)
        self._loop = loop
        self._on_cancel = on_cancel
        self._wait = None  # for C++, in place of its awaitable
        self._is_dropped = False

    @_leaves_no_trace
    def send(self, value):
        if self._is_dropped:
            raise StopIteration
        return super().send(value)

    @_leaves_no_trace
    def throw(self, *exception):
        kind = exception[0] if isinstance(exception[0], type) else type(exception[0])
        if issubclass(kind, asyncio.CancelledError):
            self._on_cancel()
        return super().throw(*exception)

    def drop(self):
        if self._wait is None or self._wait.done():
            return  # Python code waits
        self._is_dropped = True
        self.coroutine.close()
        self._wait.set_result(None)

    def hide(self, awaited):
        """Another future to wait for, so that what it waits for can go."""
        self._wait = wait = self._loop.create_future()
        awaited._asyncio_future_blocking = False
        awaited.add_done_callback(lambda _: wait.done() or wait.set_result(None))
        wait._asyncio_future_blocking = True
        return wait

    def _tell(self, awaited):
        self._wait = None
        return super()._tell(awaited)


class _DroppableBody(_Body):
    def _tell(self, awaited):
        awaited = super()._tell(awaited)
        return self.hide(awaited) if awaited is self.coroutine else awaited


class Sweep:
    def __init__(self, loop, coroutine, native):
        self._native = native
        self._loop = loop
        self._task = None
        kind = _DroppableBody if native.drops() else _Body
        self.body = kind(coroutine, self._on_wait, native.set_reached, loop)
        loop.set_task_factory(self._make_task)
        native.use_loop(loop, self._cancel)

    def _make_task(self, loop, coroutine, **more):
        if coroutine is self.body:
            self._task = task = asyncio.Task(coroutine, loop=loop, **more)
            return task
        return asyncio.Task(_Steps(coroutine, self._on_wait), loop=loop, **more)

    def _on_wait(self, steps, awaited):
        if self.body is None or awaited is self.body.coroutine:
            return  # C++ waits, and has said so
        self._cancel(self._native.draw(watch.describe_place(steps.coroutine)))

    def _cancel(self, way):
        if way == _TASK:
            self._task.cancel()
        elif way == _SIGNAL:
            self._native.signal()
        elif way == _DROP:
            self.body.drop()

    def end(self):
        """The body no longer runs: nothing is drawn, and nothing of the loop is kept."""
        self._loop.set_task_factory(None)
        self._native.forget_loop()
        self._loop = self._task = self.body = None

    def is_over(self):
        """Whether the body has ended, which may have lost its awaiter."""
        return self._native.has_ended()
