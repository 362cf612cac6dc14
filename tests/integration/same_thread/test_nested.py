# SPDX-License-Identifier: Apache-2.0
"""A loop that is run again inside one of its own tasks, as notebooks and nest_asyncio do it."""

import asyncio
import itertools
import unittest

import bridge_asyncio
import same_thread_native as native


def nestable(base):
    """The class of a loop that may be run inside itself."""

    class Nestable(base):
        def _run_once(self):
            # As asyncio's, but what is ready may have run in a nested turn; no task is running for a callback.
            when = self._scheduled[0]._when if self._scheduled else None
            timeout = 0 if self._ready or self._stopping else when and max(0, when - self.time())
            self._process_events(self._selector.select(timeout))
            while self._scheduled and self._scheduled[0]._when <= self.time():
                self._ready.append(asyncio.base_events.heapq.heappop(self._scheduled))
            for _ in range(len(self._ready)):
                if self._ready:
                    self.run_handle(self._ready.popleft())

        def run_handle(self, handle):
            outer = asyncio.current_task(self)
            if outer is not None:
                asyncio.tasks._leave_task(self, outer)
            try:
                if not handle._cancelled:
                    handle._run()
            finally:
                if outer is not None:
                    asyncio.tasks._enter_task(self, outer)

        def run_nested(self, awaitable):
            task = asyncio.ensure_future(awaitable, loop=self)
            while not task.done():
                self._run_once()
            return task.result()

    return Nestable()


async def pure(value):
    await asyncio.sleep(0.001)
    return value


async def hop(value):
    await native.hop()
    return value


async def sleep(value):
    await native.sleep(0.001)
    return value


KINDS = pure, hop, sleep


class Nested(unittest.TestCase):
    def each_loop(self):
        for base in (asyncio.SelectorEventLoop, bridge_asyncio.EventLoop):
            for debug in (False, True):
                loop = nestable(base)
                loop.set_debug(debug)
                loop.slow_callback_duration = 3600
                with self.subTest(base.__module__, debug=debug):
                    yield loop
                loop.close()

    def test_each_kind_in_each(self):
        for loop in self.each_loop():
            for outer, inner in itertools.product(KINDS, KINDS):

                async def cell():
                    return await outer(1), loop.run_nested(inner(2)), await outer(3)

                self.assertEqual(loop.run_until_complete(cell()), (1, 2, 3), (outer, inner))

    def test_several_levels_with_others_beside(self):
        for loop in self.each_loop():

            async def cell(level):
                await native.hop()
                if level > 0:
                    loop.run_nested(cell(level - 1))
                await native.hop()
                return level

            async def main():
                return await asyncio.gather(*(cell(3) for _ in range(5)), *(hop(7) for _ in range(5)))

            self.assertEqual(loop.run_until_complete(main()), [3] * 5 + [7] * 5)

    def test_it_waits_for_a_task_that_is_woken_together_with_the_outer_one(self):
        for loop in self.each_loop():

            async def main():
                others = [asyncio.ensure_future(hop(i)) for i in range(10)]
                await native.hop()
                return [loop.run_nested(one) for one in reversed(others)]

            self.assertEqual(loop.run_until_complete(main()), list(reversed(range(10))))

    def test_native_code_stays_on_the_loops_thread(self):
        loop = nestable(bridge_asyncio.EventLoop)

        async def main():
            await native.hop()
            return loop.run_nested(native.places())

        places = loop.run_until_complete(main())
        self.assertEqual(len({thread for thread, _ in places}), 1)
        loop.close()


if __name__ == "__main__":
    unittest.main()
