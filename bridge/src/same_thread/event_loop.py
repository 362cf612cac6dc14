# SPDX-License-Identifier: Apache-2.0
"""asyncio's own selector event loop with an io_context inside its selector; new_event_loop()."""

import asyncio
import heapq
import os
import selectors
import signal

_Base = getattr(selectors, "EpollSelector", None) or getattr(selectors, "KqueueSelector", None)
if _Base is None:
    raise NotImplementedError("bridge: the same-thread event loop needs epoll or kqueue; use asyncio's own loop here")


class Selector(_Base):
    """Waits in the io_context, which watches the selector's own descriptor."""

    def __init__(self):
        super().__init__()
        try:
            self.context = native.LoopContext(self.fileno())
        except BaseException:
            super().close()
            raise
        self._turn = self.context.turn

    def select(self, timeout=None):
        ready = self._turn(timeout)
        if ready:
            return super().select(0)
        # A forked child's copy goes on with its Python side, as asyncio's own loop does.
        return [] if ready is not None else super().select(timeout)

    def close(self):
        self.context.close()
        super().close()


class _NoTimers(float):
    """A clock's resolution with which asyncio finds no timer due. CPython 3.15 takes the larger of it and another."""

    def __lt__(self, other):
        return False


_NO_TIMERS = _NoTimers("-inf")


class EventLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop on whose own thread C++ coroutines run, without a hop between threads."""

    _resolution = None  # while asyncio takes no timers by itself
    _wakeup = None  # while it does not run: it holds the loop

    def __init__(self):
        selector = Selector()
        try:
            super().__init__(selector)
        except BaseException:
            selector.close()
            raise
        selector.context.attach(self)
        self._context = selector.context
        self._native_share = asyncio.Handle(self._context.run_share, (), self)

    @property
    def _thread_id(self):
        return self._runs_on

    @_thread_id.setter
    def _thread_id(self, thread):
        """asyncio sets it when the loop starts and stops running, and so do those who run a loop inside another."""
        before, self._runs_on = getattr(self, "_runs_on", None), thread
        if thread == before:
            return
        if before is not None:
            wakeup, self._wakeup = self._wakeup, None
            if wakeup is not None:  # else it has not begun to run
                wakeup.put_back()
            self._context.end()
        if thread is not None:
            self._context.begin()
            try:
                self._wakeup = _SignalWakeup(self)
            except BaseException:  # Ctrl-C, or a descriptor that is closed
                self._runs_on = None
                self._context.end()
                raise

    def _take_timers_until(self, when):
        """Native timers come after these: asyncio takes no others in this turn."""
        while self._scheduled and self._scheduled[0]._when <= when:
            handle = heapq.heappop(self._scheduled)
            handle._scheduled = False
            self._ready.append(handle)
        if self._resolution is None:
            self._resolution, self._clock_resolution = self._clock_resolution, _NO_TIMERS

    def _take_all_timers(self):
        self._resolution, self._clock_resolution = None, self._resolution

    def close(self):
        super().close()
        self._native_share = None  # no cycle is left: as asyncio's, a closed loop goes with its last reference

    def remove_signal_handler(self, sig):
        removed = super().remove_signal_handler(sig)
        if removed and self.is_running() and not self._signal_handlers:
            _set_wakeup_fd(self._csock.fileno())
        return removed


class _SignalWakeup:
    """While the loop runs, a signal ends its wait: Asio goes on waiting after EINTR, asyncio's self-pipe does not."""

    def __init__(self, loop):
        self.loop = loop
        self.ours = loop._csock.fileno()
        self.before = _set_wakeup_fd(self.ours)
        self.file_before = _file_of(self.before)

    def put_back(self):
        # Handlers of the loop's own stay connected to it, as asyncio has it.
        if self.before is None or self.loop._signal_handlers:
            return
        now = _set_wakeup_fd(-1)
        if now != self.ours:
            _set_wakeup_fd(now)  # somebody else's, set meanwhile
        elif self.file_before is not None and _file_of(self.before) == self.file_before:
            _set_wakeup_fd(self.before)


def _file_of(descriptor):
    """What tells it from another file that has the number later; None where it is closed."""
    try:
        status = os.fstat(-1 if descriptor is None else descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _set_wakeup_fd(descriptor):
    """The one that was set; None where this thread may not, as Python handles no signals on it."""
    try:
        return signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    except ValueError:
        return None


def new_event_loop():
    return EventLoop()
