# SPDX-License-Identifier: Apache-2.0
"""Neither side of the same-thread loop starves the other, whatever it has queued: counted in turns of the loop."""

import asyncio
import contextlib
import socket
import time
import unittest

import same_thread_native as native
from common import run

LEAST_SHARE = 32  # handlers that native work may run in each of its shares (loop_context_turn.cpp)


class Turns:
    """Python that always has something due: so many callbacks in each turn of the loop."""

    def __init__(self, callbacks=1):
        self.loop = asyncio.get_running_loop()
        self.count = 0
        self.goes_on = True
        self.reached = {}
        for _ in range(callbacks - 1):
            self.loop.call_soon(self.again)
        self.loop.call_soon(self.turn)

    def again(self):
        if self.goes_on:
            self.loop.call_soon(self.again)

    def turn(self):
        self.count += 1
        if self.count in self.reached:
            self.reached[self.count].set_result(None)
        if self.goes_on:
            self.loop.call_soon(self.turn)

    async def pass_by(self, more):
        self.reached[self.count + more] = done = self.loop.create_future()
        await done

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.goes_on = False


@contextlib.asynccontextmanager
async def busy(make, count=1):
    """Native work that goes on all the time."""
    working = [asyncio.ensure_future(make()) for _ in range(count)]
    await asyncio.sleep(0)
    yield
    for one in working:
        one.cancel()
    await asyncio.wait(working)


async def one_after_another():
    while True:
        await native.hop()


class PythonIsAlwaysDue(unittest.TestCase):
    def turns_of(self, make, callbacks=1):
        async def main():
            with Turns(callbacks) as turns:
                await make()
                return turns.count

        return run(main())

    def test_native_handlers_get_their_share(self):
        self.assertLessEqual(self.turns_of(lambda: native.hops(100 * LEAST_SHARE)), 110)

    def test_they_need_not_wait_for_all_of_many_callbacks(self):
        shares = 16  # of a turn with that many
        self.assertLessEqual(self.turns_of(lambda: native.hops(50 * shares * LEAST_SHARE), 1000), 60)

    def test_native_sockets_are_looked_at_in_each_turn(self):
        self.assertLessEqual(self.turns_of(lambda: native.bytes_through_a_socket(100)), 110)

    def test_so_are_native_timers(self):
        async def timers():
            for _ in range(100):
                await native.sleep(0)

        self.assertLessEqual(self.turns_of(timers), 3 * 100 + 10)


class NativeWorkIsAlwaysDue(unittest.TestCase):
    """What would starve does not end."""

    async def all_of_pythons(self):
        with Turns() as turns:
            await turns.pass_by(100)
        await asyncio.sleep(0.001)
        left, right = socket.socketpair()
        with left, right:
            left.setblocking(False)
            right.send(b"x")
            self.assertEqual(await asyncio.get_running_loop().sock_recv(left, 1), b"x")
        await asyncio.to_thread(time.sleep, 0)

    def test_one_that_posts_to_itself(self):
        async def main():
            async with busy(native.spin):
                await self.all_of_pythons()

        run(main())

    def test_many_that_do(self):
        async def main():
            async with busy(native.spin, 500):
                await self.all_of_pythons()

        run(main())

    def test_a_port_that_is_never_empty(self):
        async def main():
            async with busy(one_after_another, 600):
                await self.all_of_pythons()
                await native.sleep(0.001)
                await native.bytes_through_a_socket(10)

        run(main())

    def test_native_timers_beside_native_work(self):
        async def main():
            async with busy(native.spin, 500):
                await native.sleep(0.001)
                await native.bytes_through_a_socket(10)

        run(main())


class Many(unittest.TestCase):
    def test_native_sleeps_at_once(self):
        async def main():
            start = time.monotonic()
            await asyncio.gather(*(native.sleep(0.05) for _ in range(1000)))
            return time.monotonic() - start

        self.assertGreaterEqual(run(main()), 0.05)


if __name__ == "__main__":
    unittest.main()
