# SPDX-License-Identifier: Apache-2.0
"""Loops in several threads at once, each with native work: beside each other where Python has no GIL."""

import asyncio
import contextvars
import gc
import logging
import subprocess
import sys
import sysconfig
import threading
import unittest
import weakref

import bridge_asyncio
import free_threading_native as native

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
THREADS = 4
FACTORIES = {"asyncio": asyncio.new_event_loop, "same-thread": bridge_asyncio.new_event_loop}
PATIENCE = 120  # seconds for what takes one


def in_threads(function, number=THREADS):
    """Calls function(0), function(1), ... at once; an exception of any of them is raised."""
    start = threading.Barrier(number)
    errors = []

    def run(index):
        try:
            start.wait(PATIENCE)
            function(index)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a loop hangs"
    for error in errors:
        raise error


def run_loop(factory, main):
    loop = factory()
    try:
        return loop.run_until_complete(asyncio.wait_for(main, PATIENCE))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def all_kinds(index, rounds):
    """Each crossing gives back what was given to it, and to nobody else."""

    async def double(value):
        await asyncio.sleep(0)
        return 2 * value

    async def items(value):
        for i in range(5):
            yield value + i

    async def one(value):
        assert await native.hop(value) == value
        assert await native.ask(double, value) == 2 * value
        assert await native.ask_here(lambda v: v + 1, value) == value + 1
        assert await native.await_it(double(value)) == 2 * value
        assert await native.hot_hop(value) == value
        assert [item async for item in native.count(5)] == [0, 1, 2, 3, 4]
        for buffer in (0, 2):
            assert await native.sum(items(value), buffer) == 5 * value + 10
        try:
            await native.fail(value)
        except IndexError as error:
            assert str(error) == str(value), error
        else:
            raise AssertionError("no error")
        work = asyncio.ensure_future(native.await_it(asyncio.sleep(3600)))
        await asyncio.sleep(0)
        work.cancel()
        try:
            await work
        except asyncio.CancelledError:
            return
        raise AssertionError("not cancelled")

    for number in range(rounds):
        await asyncio.gather(*(one(index * 1_000_000 + number * 100 + i) for i in range(10)))


@unittest.skipUnless(FREE_THREADED, "this Python has a GIL")
class GilStaysOff(unittest.TestCase):
    def check_import(self, name):
        program = f"import sys, {name}\nassert sys._is_gil_enabled() is False"
        ended = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))

    def test_after_the_import_of_the_package(self):
        self.check_import("bridge_asyncio")

    def test_after_the_import_of_a_module_that_says_so(self):
        self.check_import("free_threading_native")


class LoopsInThreads(unittest.TestCase):
    def test_all_kinds_of_crossings(self):
        for name, factory in FACTORIES.items():
            with self.subTest(name):
                in_threads(lambda index, make=factory: run_loop(make, all_kinds(index, 20)))

    def test_native_threads_in_one_context(self):
        for name, factory in FACTORIES.items():
            with self.subTest(name):
                variable = contextvars.ContextVar("variable", default=0)
                run_loop(factory, native.set_beside(variable))
                self.assertEqual(variable.get(), 0)

    def test_loops_that_come_and_go(self):
        def run(index):
            for number in range(30):
                for factory in FACTORIES.values():
                    self.assertEqual(run_loop(factory, native.hop(index * 100 + number)), index * 100 + number)

        in_threads(run)

    def in_new_processes(self, body, check):
        """Four threads at once, in a process that has not used the bridge before; five times."""
        program = (
            "import asyncio, threading\nimport free_threading_native as native, bridge_asyncio\n"
            "start = threading.Barrier(4)\nseen = []\n"
            f"def run(i):\n    start.wait()\n    {body}\n"
            "threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]\n"
            "[t.start() for t in threads]\n[t.join() for t in threads]\n"
            f"assert {check}, seen"
        )
        for _ in range(5):
            ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))

    def test_the_first_use_in_all_threads_at_once(self):
        self.in_new_processes(
            "seen.append((bridge_asyncio.EventLoop, asyncio.run(native.hop(i))))",
            "sorted(v for _, v in seen) == [0, 1, 2, 3] and len({c for c, _ in seen}) == 1",
        )

    def test_futures_are_asked_and_cancelled_by_other_threads(self):
        async def main():
            loop = asyncio.get_running_loop()
            for _ in range(10):
                futures = [native.hot_forever() for _ in range(200)]
                seen = []

                def ask(index, futures=futures, seen=seen):
                    for future in futures:
                        future.add_done_callback(seen.append)
                        assert future.done() in (True, False)
                        assert future.get_loop() is loop
                    for future in futures:
                        future.cancel(str(index))

                await asyncio.to_thread(in_threads, ask)
                ends = await asyncio.gather(*futures, return_exceptions=True)
                assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
                while len(seen) < THREADS * len(futures):
                    await asyncio.sleep(0)

        for name, factory in FACTORIES.items():
            with self.subTest(name):
                run_loop(factory, main())

    def test_what_another_thread_cancelled_and_does_not_end_is_named(self):
        async def main():
            named = asyncio.Event()
            loop = asyncio.get_running_loop()
            handler = logging.Handler()
            handler.emit = lambda record: "has not ended" in record.getMessage() and named.set()
            logging.getLogger("asyncio").addHandler(handler)
            native.set_slow(10)
            future = native.hot_deaf()
            try:
                await loop.run_in_executor(None, future.cancel)
                await asyncio.wait_for(named.wait(), PATIENCE)
            finally:
                native.set_slow(10_000)
                native.let_end()
                logging.getLogger("asyncio").removeHandler(handler)
            await asyncio.wait([future])

        for name, factory in FACTORIES.items():
            with self.subTest(name):
                run_loop(factory, main())

    def test_the_last_reference_goes_on_another_thread(self):
        async def main():
            for _ in range(20):
                futures = [native.hot_forever() for _ in range(10)] + [native.hot_hop(i) for i in range(10)]
                gone = [weakref.ref(future) for future in futures]
                ring = [futures]
                ring.append(ring)
                del futures
                await asyncio.sleep(0)
                bag = [ring]
                del ring
                await asyncio.to_thread(lambda bag=bag: (bag.clear(), gc.collect()))
                while any(reference() is not None for reference in gone):
                    await asyncio.sleep(0)
                    await asyncio.to_thread(gc.collect)
            self.assertEqual(await native.hop(1), 1)

        for name, factory in FACTORIES.items():
            with self.subTest(name):
                run_loop(factory, main())

    def test_what_runs_is_looked_at_by_other_threads(self):
        looked = ("cr_await", "cr_code", "cr_frame", "cr_origin", "cr_running", "cr_state", "cr_suspended",
                  "_cancel_message", "ag_await", "ag_frame", "ag_running")

        async def main():
            async def slow(value):
                for _ in range(20):
                    await asyncio.sleep(0)
                return value

            async def slow_items():
                for i in range(20):
                    yield await slow(i)

            generator = native.count(20)
            works = [native.await_it(slow(1)), native.sum(slow_items(), 2), native.hot_hop(3), generator]
            tasks = [asyncio.ensure_future(work) for work in works[:3]]
            ended = threading.Event()

            def look(_):
                while not ended.is_set():
                    for work in works + [task.get_coro() for task in asyncio.all_tasks(loop)]:
                        for name in looked:
                            getattr(work, name, None)
                        repr(work)

            loop = asyncio.get_running_loop()
            watching = asyncio.ensure_future(asyncio.to_thread(in_threads, look, 2))
            try:
                assert [item async for item in generator] == list(range(20))
                assert await asyncio.gather(*tasks) == [1, sum(range(20)), 3]
            finally:
                ended.set()
                await watching

        for name, factory in FACTORIES.items():
            with self.subTest(name):
                run_loop(factory, main())

    def test_a_function_has_one_face_for_all_threads(self):
        self.in_new_processes(
            "seen.append(native.count.__code__); setattr(native.count, f'x{i}', i)",
            "[getattr(native.count, f'x{i}') for i in range(4)] == [0, 1, 2, 3] and len(set(map(id, seen))) == 1",
        )

    def test_statistics_are_read_while_loops_run(self):
        ended = threading.Event()

        def run(index):
            if index > 0:
                return run_loop(asyncio.new_event_loop, all_kinds(index, 10)), ended.set()
            while not ended.is_set():
                for loop in bridge_asyncio.stats()["loops"]:
                    assert loop["delivered"] >= 0 and loop["queued"] < 10_000, loop

        in_threads(run)

    def test_each_loop_with_a_runtime_of_its_own(self):
        async def main(runtime):
            for value in range(200):
                self.assertEqual(await runtime.hop(value), value)

        def run(index):
            run_loop(asyncio.new_event_loop, main(native.Runtime()))

        in_threads(run)


if __name__ == "__main__":
    unittest.main()
