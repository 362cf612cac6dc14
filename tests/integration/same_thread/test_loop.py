# SPDX-License-Identifier: Apache-2.0
"""The same-thread loop: where code runs, signals, threads, fairness, debug mode."""

import asyncio
import concurrent.futures
import threading
import time
import unittest

import bridge_asyncio
import same_thread_native as native
from common import program, run


class Places(unittest.TestCase):
    def test_every_step_runs_on_the_loop_thread_without_the_gil(self):
        self.assertEqual(run(native.places()), [(threading.get_ident(), False)] * 3)

    def test_a_loop_on_another_thread(self):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            places, number = pool.submit(lambda: (run(native.places()), threading.get_ident())).result()
        self.assertEqual(places, [(number, False)] * 3)
        self.assertNotEqual(number, threading.get_ident())

    def test_a_loop_run_on_one_thread_after_the_other(self):
        loop = bridge_asyncio.new_event_loop()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            for _ in range(2):
                self.assertEqual(loop.run_until_complete(native.places())[2][0], threading.get_ident())
                places, number = pool.submit(
                    lambda: (loop.run_until_complete(native.places()), threading.get_ident())
                ).result()
                self.assertEqual(places, [(number, False)] * 3)
        loop.close()

    def test_an_explicit_runtime_wins(self):
        async def main():
            return await native.on_threads()

        places = run(main())
        self.assertNotEqual(places[1][0], threading.get_ident())
        self.assertNotEqual(places[2][0], threading.get_ident())

    def test_stock_loops_beside_ours_keep_the_default_runtime(self):
        loop = bridge_asyncio.new_event_loop()
        places = asyncio.run(native.places())
        self.assertNotEqual(places[1][0], threading.get_ident())
        self.assertEqual(loop.run_until_complete(native.places())[1][0], threading.get_ident())
        self.assertNotEqual(asyncio.run(native.places())[1][0], threading.get_ident())
        loop.close()

    def test_several_loops_in_several_threads(self):
        def work():
            async def main():
                return [await native.places() for _ in range(20)]

            return run(main()), threading.get_ident()

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for places, number in [f.result() for f in [pool.submit(work) for _ in range(8)]]:
                self.assertEqual(places, [[(number, False)] * 3] * 20)


class Keywords(unittest.TestCase):
    def test_parameters_by_position_and_by_name(self):
        self.assertIsNone(run(native.sleep(0)))
        self.assertIsNone(run(native.sleep(seconds=0)))
        for args, names in (((), {}), ((), {"second": 0}), ((0,), {"seconds": 0}), ((), {"seconds": 0, "more": 1})):
            with self.assertRaises(TypeError):
                native.sleep(*args, **names)


class Signals(unittest.TestCase):
    """Each in a program of its own: the signal arrives while the loop waits for native work alone."""

    KILL = "threading.Timer(0.3, os.kill, (os.getpid(), signal.{})).start()\n"

    def test_ctrl_c_during_a_long_native_wait(self):
        ended = program(
            self.KILL.format("SIGINT") + "start = time.monotonic()\n"
            "try: bridge_asyncio.run(native.sleep(3600))\n"
            "except KeyboardInterrupt: print('interrupted', time.monotonic() - start < 10)\n"
        )
        self.assertEqual((ended.stdout, ended.stderr), ("interrupted True\n", ""))

    def test_ctrl_c_under_the_plain_handler(self):
        ended = program(
            self.KILL.format("SIGINT") + "loop = bridge_asyncio.new_event_loop()\n"
            "try: loop.run_until_complete(native.sleep(3600))\n"
            "except KeyboardInterrupt: print('interrupted')\n"
            "for task in asyncio.all_tasks(loop): task.cancel()\n"
            "loop.run_until_complete(native.hop())\n"
            "loop.close()\n"
        )
        self.assertEqual((ended.stdout, ended.stderr), ("interrupted\n", ""))

    def test_a_handler_of_the_loop(self):
        ended = program(
            "async def main():\n"
            "    loop = asyncio.get_running_loop()\n"
            "    seen = loop.create_future()\n"
            "    loop.add_signal_handler(signal.SIGUSR1, seen.set_result, 'seen')\n"
            f"    {self.KILL.format('SIGUSR1')}"
            "    sleeping = asyncio.ensure_future(native.sleep(3600))\n"
            "    print(await seen)\n"
            "    print(loop.remove_signal_handler(signal.SIGUSR1))\n"
            f"    {self.KILL.format('SIGINT')}"
            "    try: await sleeping\n"
            "    except asyncio.CancelledError: print('cancelled'); raise\n"
            "try: bridge_asyncio.run(main())\n"
            "except KeyboardInterrupt: print('interrupted')\n"
        )
        self.assertEqual((ended.stdout, ended.stderr), ("seen\nTrue\ncancelled\ninterrupted\n", ""))

    def test_a_wakeup_descriptor_of_the_program_comes_back(self):
        ended = program(
            "import socket\nours, theirs = socket.socketpair()\n"
            "ours.setblocking(False); theirs.setblocking(False)\n"
            "signal.set_wakeup_fd(theirs.fileno())\n"
            "bridge_asyncio.run(native.hop())\n"
            "print(signal.set_wakeup_fd(-1) == theirs.fileno())\n"
        )
        self.assertEqual((ended.stdout, ended.stderr), ("True\n", ""))


class Threads(unittest.TestCase):
    def test_call_soon_threadsafe_from_many_threads(self):
        async def main():
            loop = asyncio.get_running_loop()
            done = loop.create_future()
            seen = []

            def call(value):
                seen.append(value)
                if len(seen) == 8 * 500:
                    done.set_result(None)

            def work(number):
                for i in range(500):
                    loop.call_soon_threadsafe(call, (number, i))

            threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
            for thread in threads:
                thread.start()
            await native.spin(0.02)
            await done
            for thread in threads:
                thread.join()
            return seen

        seen = run(main())
        for number in range(8):
            self.assertEqual([i for n, i in seen if n == number], list(range(500)))

    def test_executor(self):
        async def main():
            loop = asyncio.get_running_loop()
            jobs = [loop.run_in_executor(None, time.sleep, 0.005) for _ in range(20)]
            await native.sleep(0.002)
            await asyncio.gather(*jobs, asyncio.to_thread(time.sleep, 0.001))
            return True

        self.assertTrue(run(main()))

    def test_native_threads_complete_into_the_loop(self):
        async def main():
            return await asyncio.gather(*(native.on_threads() for _ in range(200)))

        self.assertEqual(len(run(main())), 200)


class Fairness(unittest.TestCase):
    def test_timers_and_sockets_go_on_beside_busy_native_work(self):
        async def main():
            loop = asyncio.get_running_loop()
            ticks = []

            async def tick():
                while True:
                    await asyncio.sleep(0.002)
                    ticks.append(loop.time())

            ticking = asyncio.ensure_future(tick())
            steps = await native.spin(0.3)
            ticking.cancel()
            return len(ticks), steps

        ticks, steps = run(main())
        self.assertGreater(ticks, 10)
        self.assertGreater(steps, 100)

    def test_many_native_sleeps_at_once(self):
        async def main():
            start = time.monotonic()
            await asyncio.gather(*(native.sleep(0.05) for _ in range(1000)))
            return time.monotonic() - start

        self.assertGreaterEqual(run(main()), 0.05)

    def test_timers_of_both_kinds_in_their_order(self):
        async def main():
            order = []

            async def after(sleep, seconds):
                await sleep(seconds)
                order.append(seconds)

            await asyncio.gather(*(after((native.sleep, asyncio.sleep)[i % 2], i * 0.03) for i in (5, 2, 4, 1, 3)))
            return order

        self.assertEqual(run(main()), [0.03, 0.06, 0.09, 0.12, 0.15])


class Debugging(unittest.TestCase):
    def test_debug_mode_reports_a_slow_step_after_a_native_wait(self):
        async def main():
            asyncio.get_running_loop().slow_callback_duration = 0.02
            await native.hop()
            time.sleep(0.05)

        with self.assertLogs("asyncio", "WARNING") as logs:
            run(main(), debug=True)
        self.assertTrue(any("Executing" in line for line in logs.output), logs.output)

    def test_a_failing_handler_of_the_users_own_reaches_the_loop(self):
        async def main():
            seen = []
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: seen.append(context))
            await native.throw_from_a_plain_handler()
            return seen

        [context] = run(main())
        self.assertEqual(context["message"], "Exception escaped an Asio handler")
        self.assertIn("of the user's own", str(context["exception"]))


if __name__ == "__main__":
    unittest.main()
