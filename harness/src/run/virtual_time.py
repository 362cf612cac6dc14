# SPDX-License-Identifier: Apache-2.0
"""An event loop of ours whose time is its test's: it stands still while anything can run on either side, and
jumps to the next timer when nothing can."""

import asyncio
import time

_SECOND = 1_000_000_000
_LOOK = 0.001  # so often at what tells nobody that it has ended


def _time_of(deadline):
    """The first nanosecond at which a timer of asyncio's is due."""
    nanoseconds = round(deadline * _SECOND)
    return nanoseconds if nanoseconds / _SECOND >= deadline else nanoseconds + 1


class VirtualTimeLoop(native.EventLoop):
    """Its times are whole nanoseconds, which both sides' timers are compared in."""

    def __init__(self):
        super().__init__()
        # A whole second: asyncio's floating-point numbers are exact then, as long as they can be.
        self._begun = (time.monotonic_ns() // _SECOND + 1) * _SECOND
        self._context.set_time(self._begun)
        self._is_checked = False
        self._limits = []
        self._settling = []
        self._advancing = []
        self._reasons = []  # not to jump, when it last had nothing to run
        self._in_executors = 0
        self._own_descriptors = len(self._selector.get_map())
        self._select_now = self._selector.select
        self._selector.select = self._select

    def time(self):
        return self._context.time() / _SECOND

    def call_later_really(self, delay, callback):
        """In real time: the test's own limits."""
        handle = asyncio.Handle(callback, (), self)
        self._limits.append((time.monotonic() + delay, handle))
        return handle

    async def settle(self):
        """Returns when nothing can run without time passing, or something from outside coming."""
        future = self.create_future()
        self._settling.append(future)
        await future

    async def advance(self, seconds):
        """Lets so much time pass, and each timer run at its own."""
        if seconds < 0:
            raise ValueError(f"advance({seconds}): time does not go back")
        future = self.create_future()
        self._advancing.append((self._context.time() + round(seconds * _SECOND), future))
        await future

    def run_in_executor(self, *args):
        future = super().run_in_executor(*args)
        self._in_executors += 1
        future.add_done_callback(self._leave_executor)
        return future

    def _leave_executor(self, _):
        self._in_executors -= 1

    def describe_time(self):
        moved = (self._context.time() - self._begun) / _SECOND
        reasons = " and ".join(self._reasons)
        why = f", and does not jump, because of {reasons}" if reasons else ""
        return f"virtual time has moved by {moved:g} s{why}"

    def _find_reasons(self, in_io, on_threads):
        """What takes real time, and may come before the next timer."""
        reasons = []
        watched = len(self._selector.get_map()) - self._own_descriptors
        if watched:
            reasons.append(f"{watched} descriptor(s) that Python waits for")
        if in_io:
            reasons.append("I/O that C++ waits for")
        if self._in_executors:
            reasons.append(f"{self._in_executors} call(s) in executors")
        if on_threads:
            reasons.append("to_thread()")
        return reasons

    def _select(self, timeout):
        self._check_program()
        self._pass_limits()
        events = self._select_now(0)
        if events or self._ready or timeout == 0:
            return events
        first, in_io, on_threads = self._context.waits()  # before: a function that has ended was heard of
        if self._context.is_idle():
            self._reasons = self._find_reasons(in_io, on_threads)
            self._go_on(first, on_threads)
        return events

    def _check_program(self):
        if not self._is_checked and not native.sees(self._context.time()):
            raise RuntimeError(
                "virtual_time(): the timers of this program have real time; link it with bridge::harness by CMake, "
                f"or with {native.link_option}"
            )
        self._is_checked = True

    def _pass_limits(self):
        if self._limits:
            now = time.monotonic()
            self._ready.extend(handle for when, handle in self._limits if when <= now)
            self._limits = [one for one in self._limits if one[0] > now and not one[1].cancelled()]

    def _go_on(self, first, on_threads):
        if self._settling:
            settled, self._settling = self._settling, []
            for future in settled:
                future.done() or future.set_result(None)
            return
        times = [] if first is None else [first]
        if self._scheduled:
            times.append(_time_of(self._scheduled[0]._when))
        upcoming = max(min(times), self._context.time()) if times else None
        self._advancing = [one for one in self._advancing if not one[1].done()]
        if self._advancing:
            self._advance(upcoming)
        elif upcoming is None or self._reasons:
            self._wait(upcoming, on_threads)
        else:
            self._context.set_time(upcoming)

    def _advance(self, upcoming):
        target, future = min(self._advancing, key=lambda one: one[0])
        if upcoming is not None and upcoming <= target:
            self._context.set_time(upcoming)
            return
        self._context.set_time(target)
        future.set_result(None)

    def _wait(self, upcoming, on_threads):
        """Really, with time passing as it does."""
        now, begun = self._context.time(), time.monotonic_ns()
        limits = [when - begun / _SECOND for when, _ in self._limits]
        if upcoming is not None:
            limits.append((upcoming - now) / _SECOND)
        if on_threads:
            limits.append(_LOOK)
        self._context.sleep(max(min(limits), 0) if limits else None)
        passed = now + time.monotonic_ns() - begun
        self._context.set_time(passed if upcoming is None else min(passed, upcoming))
