# SPDX-License-Identifier: Apache-2.0
"""asyncio's own selector event loop with an io_context inside its selector; new_event_loop()."""

import asyncio
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


class EventLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop on whose own thread C++ coroutines run, without a hop between threads."""

    def __init__(self):
        selector = Selector()
        try:
            super().__init__(selector)
        except BaseException:
            selector.close()
            raise
        selector.context.attach(self)
        self._context = selector.context

    def run_forever(self):
        if self.is_running() or asyncio._get_running_loop() is not None:
            return super().run_forever()  # which says what is wrong
        self._check_closed()
        with self._context, _SignalWakeup(self):
            super().run_forever()

    def remove_signal_handler(self, sig):
        removed = super().remove_signal_handler(sig)
        if removed and self.is_running() and not self._signal_handlers:
            _set_wakeup_fd(self._csock.fileno())
        return removed


class _SignalWakeup:
    """While the loop runs, a signal ends its wait: Asio goes on waiting after EINTR, asyncio's self-pipe does not."""

    def __init__(self, loop):
        self.loop = loop

    def __enter__(self):
        self.before = _set_wakeup_fd(self.loop._csock.fileno())

    def __exit__(self, *exc):
        # Handlers of the loop's own stay connected to it, as asyncio has it.
        if self.before is not None and not self.loop._signal_handlers:
            _set_wakeup_fd(self.before)


def _set_wakeup_fd(descriptor):
    """The one that was set; None where this thread may not, as Python handles no signals on it."""
    try:
        return signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    except ValueError:
        return None


def new_event_loop():
    return EventLoop()
