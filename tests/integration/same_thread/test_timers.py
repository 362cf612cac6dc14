# SPDX-License-Identifier: Apache-2.0
"""Timers of both kinds, asyncio's and Asio's, go by their deadlines, in one order."""

import asyncio
import heapq
import random
import time
import unittest

import bridge_asyncio
import same_thread_native as native
from common import run


async def python_until(when):
    loop = asyncio.get_running_loop()
    due = loop.create_future()
    loop.call_at(when, due.set_result, None)
    await due


async def order_of(kinds):
    """The places of the timers, one millisecond apart, in the order in which they came."""
    loop = asyncio.get_running_loop()
    came = []

    async def after(kind, place):
        await kind(start + place / 1000)
        came.append(place)

    start = loop.time()
    places = list(range(len(kinds)))
    random.Random(len(kinds)).shuffle(places)
    tasks = [asyncio.ensure_future(after(kinds[place], place)) for place in places]
    await blocked(start + len(kinds) / 1000)
    await asyncio.gather(*tasks)
    return came


async def blocked(until):
    """All are due when the loop looks."""
    await asyncio.sleep(0)
    time.sleep(max(0, until - time.monotonic()))


class Order(unittest.TestCase):
    PATTERNS = {
        "in turns": [(python_until, native.sleep_until)[i % 2] for i in range(40)],
        "in groups": [(python_until, native.sleep_until)[i // 5 % 2] for i in range(40)],
        "one of Python's": [native.sleep_until] * 10 + [python_until] + [native.sleep_until] * 10,
        "one of Asio's": [python_until] * 10 + [native.sleep_until] + [python_until] * 10,
        "at random": random.Random(1).choices((python_until, native.sleep_until), k=200),
    }

    def test_due_together(self):
        for name, kinds in self.PATTERNS.items():
            with self.subTest(name):
                self.assertEqual(run(order_of(kinds)), list(range(len(kinds))))

    def test_callbacks_see_the_native_ones_before_them(self):
        async def main():
            loop = asyncio.get_running_loop()
            seen = []

            async def sleeper(when):
                await native.sleep_until(when)
                seen.append(when)

            start = loop.time()
            sleepers = [asyncio.ensure_future(sleeper(start + 0.001 * i)) for i in (1, 3)]
            for i in (2, 4):
                loop.call_at(start + 0.001 * i, lambda i=i: seen.append((i, len(seen))))
            await blocked(start + 0.005)
            await asyncio.gather(*sleepers, python_until(start + 0.006))
            return [one for one in seen if isinstance(one, tuple)]

        self.assertEqual(run(main()), [(2, 1), (4, 3)])


class Clocks(unittest.TestCase):
    def test_a_loop_with_a_clock_of_its_own(self):
        class Ahead(bridge_asyncio.EventLoop):
            def time(self):
                return super().time() - 3600

        loop = Ahead()

        async def main():
            await asyncio.gather(asyncio.sleep(0.002), native.sleep(0.001), asyncio.sleep(0.001))
            return "slept"

        self.assertEqual(loop.run_until_complete(asyncio.wait_for(main(), 30)), "slept")
        loop.close()

    def test_asyncio_takes_its_timers_by_itself_otherwise(self):
        loop = bridge_asyncio.new_event_loop()
        resolution = loop._clock_resolution

        async def main():
            self.assertEqual(loop._clock_resolution, resolution)
            await order_of(Order.PATTERNS["in turns"])
            await asyncio.sleep(0.001)
            await native.hop()

        loop.run_until_complete(main())
        self.assertEqual((loop._clock_resolution, heapq.nsmallest(1, loop._scheduled)), (resolution, []))
        loop.close()


if __name__ == "__main__":
    unittest.main()
