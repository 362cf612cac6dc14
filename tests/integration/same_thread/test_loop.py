# SPDX-License-Identifier: Apache-2.0
"""The same-thread loop: where code runs, signals, threads, debug mode."""

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

    KILL = "threading.Timer(0.05, os.kill, (os.getpid(), signal.{})).start()\n"

    def test_ctrl_c_during_a_long_native_wait(self):
        ended = program(
            f"async def main():\n    {self.KILL.format('SIGINT')}    await native.sleep(3600)\n"
            "try: bridge_asyncio.run(main())\n"
            "except KeyboardInterrupt: print('interrupted')\n"
        )
        self.assertEqual((ended.stdout, ended.stderr), ("interrupted\n", ""))

    def test_ctrl_c_under_the_plain_handler(self):
        ended = program(
            "loop = bridge_asyncio.new_event_loop()\n"
            f"async def main():\n    {self.KILL.format('SIGINT')}    await native.sleep(3600)\n"
            "try: loop.run_until_complete(main())\n"
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

    WAKEUP = (
        "import socket\nreader, writer = socket.socketpair()\nwriter.setblocking(False)\n"
        "signal.set_wakeup_fd(writer.fileno())\nsignal.signal(signal.SIGUSR1, lambda *_: None)\n"
        "loop = bridge_asyncio.new_event_loop()\n"
    )

    def test_a_wakeup_descriptor_that_was_closed_meanwhile_is_not_put_back(self):
        ended = program(
            self.WAKEUP + "async def main(): writer.close(); return 5\n"
            "print(loop.run_until_complete(main()), signal.set_wakeup_fd(-1))\nloop.close()\n"
        )
        self.assertEqual((ended.stdout, ended.stderr), ("5 -1\n", ""))

    def test_nor_where_its_number_is_another_files(self):
        ended = program(
            self.WAKEUP + "async def main():\n"
            "    number = writer.fileno()\n    writer.close()\n"
            "    strangers = socket.socketpair()\n    os.dup2(strangers[0].fileno(), number)\n"
            "    strangers[1].setblocking(False)\n    return strangers\n"
            "strangers = loop.run_until_complete(main())\n"
            "signal.raise_signal(signal.SIGUSR1)\n"
            "try: print(strangers[1].recv(1))\n"
            "except BlockingIOError: print('nothing', signal.set_wakeup_fd(-1))\nloop.close()\n"
        )
        self.assertEqual((ended.stdout, ended.stderr), ("nothing -1\n", ""))

    def test_a_handler_that_another_loop_adds_meanwhile_stays_connected(self):
        ended = program(
            self.WAKEUP + "other = asyncio.new_event_loop()\nseen = other.create_future()\n"
            "async def main(): other.add_signal_handler(signal.SIGUSR2, seen.set_result, 'seen')\n"
            "loop.run_until_complete(main())\n"
            "other.call_soon(signal.raise_signal, signal.SIGUSR2)\n"
            "print(other.run_until_complete(seen))\nloop.close()\nother.close()\n"
        )
        self.assertEqual((ended.stdout, ended.stderr), ("seen\n", ""))


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
            await native.hops(2000)
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


class Debugging(unittest.TestCase):
    def test_debug_mode_names_the_task_of_a_slow_step_that_native_work_woke(self):
        async def main():
            await native.hop()
            asyncio.get_running_loop().slow_callback_duration = 0  # from this step on every one is slow

        for make in (asyncio.new_event_loop, bridge_asyncio.new_event_loop):
            with self.subTest(make.__module__), self.assertLogs("asyncio", "WARNING") as logs:
                loop = make()
                loop.set_debug(True)
                loop.run_until_complete(loop.create_task(main(), name="the slow one"))
                loop.close()
            self.assertIn("Executing <Task finished name='the slow one'", logs.output[0])

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
