# SPDX-License-Identifier: Apache-2.0
"""What asyncio promises, with C++ coroutines on the loop's own thread."""

import asyncio
import concurrent.futures
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import weakref

import bridge_asyncio
import same_thread_native as native

DEADLINE = 30


def run(main, **options):
    async def bounded():
        return await asyncio.wait_for(main, DEADLINE)

    return bridge_asyncio.run(bounded(), **options)


def program(text, *, timeout=DEADLINE):
    """A Python of its own."""
    head = "import asyncio, os, signal, sys, threading, time\nimport bridge_asyncio\nimport same_thread_native as native\n"
    return subprocess.run([sys.executable, "-c", head + text], capture_output=True, text=True, timeout=timeout)


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


class Descriptors(unittest.TestCase):
    def setUp(self):
        self.loop = bridge_asyncio.new_event_loop()
        self.addCleanup(self.loop.close)

    def pair(self):
        pair = socket.socketpair()
        for one in pair:
            one.setblocking(False)
            self.addCleanup(one.close)
        return pair

    def run_until(self, condition):
        async def wait():
            while not condition():
                await native.sleep(0.001)

        self.loop.run_until_complete(asyncio.wait_for(wait(), DEADLINE))

    def test_level_triggered(self):
        left, right = self.pair()
        calls = []
        self.loop.add_reader(right, calls.append, 1)
        left.send(b"unread")
        self.run_until(lambda: len(calls) > 20)  # again and again, as nobody reads
        right.recv(100)
        self.run_until(lambda: True)
        seen = len(calls)
        self.loop.run_until_complete(asyncio.sleep(0.01))
        self.assertEqual(len(calls), seen)
        left.send(b"more")
        self.run_until(lambda: len(calls) > seen)

    def test_level_triggered_while_native_work_is_under_way(self):
        left, right = self.pair()
        calls = []
        self.loop.add_reader(right, calls.append, 1)
        left.send(b"unread")
        self.loop.run_until_complete(native.spin(0.05))
        self.assertGreater(len(calls), 5)

    def test_reader_and_writer_on_one_descriptor(self):
        left, right = self.pair()
        seen = []
        self.loop.add_writer(right, seen.append, "writable")
        self.loop.add_reader(right, seen.append, "readable")
        self.run_until(lambda: "writable" in seen)
        self.assertNotIn("readable", seen)
        left.send(b"x")
        self.run_until(lambda: "readable" in seen)
        self.loop.remove_writer(right)
        self.run_until(lambda: True)
        del seen[:]
        self.run_until(lambda: "readable" in seen)
        self.assertNotIn("writable", seen)
        self.loop.remove_reader(right)

    def test_many_descriptors(self):
        pairs = [self.pair() for _ in range(200)]
        got = set()

        def readable(index):
            pairs[index][1].recv(10)
            got.add(index)

        for index, (_, right) in enumerate(pairs):
            self.loop.add_reader(right, readable, index)
        for _ in range(3):
            got.clear()
            for left, _ in pairs:
                left.send(b"x")
            self.run_until(lambda: len(got) == len(pairs))

    def test_a_descriptor_closed_behind_its_back(self):
        left, right = self.pair()
        self.loop.add_reader(right, lambda: None)
        number = right.fileno()
        right.close()
        self.loop.run_until_complete(native.sleep(0.002))
        # The number comes again for something else, which must work.
        again = [socket.socketpair() for _ in range(5)]
        self.assertIn(number, [s.fileno() for pair in again for s in pair])
        self.loop.remove_reader(number)
        seen = []
        for one, other in again:
            self.loop.add_reader(other, lambda s: seen.append(s.recv(10)), other)
            one.send(b"new")
        self.run_until(lambda: len(seen) == 5)
        for pair in again:
            self.loop.remove_reader(pair[1])
            for one in pair:
                one.close()

    def test_files_keep_their_blocking_mode(self):
        read, write = os.pipe()
        self.loop.add_reader(read, lambda: None)
        self.loop.run_until_complete(native.sleep(0.001))
        self.assertTrue(os.get_blocking(read))
        self.loop.remove_reader(read)
        os.close(read)
        os.close(write)

    def test_no_descriptor_is_left(self):
        def count():
            return len(os.listdir("/proc/self/fd"))

        run(native.hop())
        gc.collect()
        before = count()
        for _ in range(5):
            run(native.hop())
            bridge_asyncio.new_event_loop().close()
        gc.collect()
        self.assertEqual(count(), before)


class Networks(unittest.TestCase):
    def test_native_client_of_an_asyncio_server_on_one_thread(self):
        async def main():
            async def serve(reader, writer):
                writer.write(await reader.readexactly(5))
                await writer.drain()
                writer.close()

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            answers = await asyncio.gather(*(native.echo(port, f"{i:05}") for i in range(50)))
            server.close()
            await server.wait_closed()
            return answers

        self.assertEqual(run(main()), [f"{i:05}" for i in range(50)])

    def test_datagrams(self):
        class Echo(asyncio.DatagramProtocol):
            def connection_made(self, transport):
                self.transport = transport

            def datagram_received(self, data, address):
                self.transport.sendto(data, address)

        class Client(asyncio.DatagramProtocol):
            def __init__(self):
                self.answer = asyncio.get_running_loop().create_future()

            def datagram_received(self, data, address):
                self.answer.set_result(data)

        async def main():
            loop = asyncio.get_running_loop()
            server, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
            address = server.get_extra_info("sockname")
            client, protocol = await loop.create_datagram_endpoint(Client, remote_addr=address)
            client.sendto(b"datagram")
            answer = await protocol.answer
            client.close()
            server.close()
            return answer

        self.assertEqual(run(main()), b"datagram")

    def test_unix_sockets(self):
        async def main():
            async def serve(reader, writer):
                writer.write((await reader.readline()).upper())
                writer.close()

            path = f"/tmp/bridge-{os.getpid()}.sock"
            server = await asyncio.start_unix_server(serve, path)
            try:
                reader, writer = await asyncio.open_unix_connection(path)
                writer.write(b"unix\n")
                answer = await reader.readline()
                writer.close()
                await writer.wait_closed()
            finally:
                server.close()
                os.unlink(path)
            return answer

        self.assertEqual(run(main()), b"UNIX\n")

    def test_subprocesses(self):
        async def main():
            async def one(i):
                process = await asyncio.create_subprocess_exec(
                    "sh", "-c", f"cat; exit {i}", stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
                out, _ = await process.communicate(b"x" * 100_000)
                return len(out), process.returncode, await native.hop()

            return await asyncio.gather(*(one(i) for i in range(4)))

        self.assertEqual(run(main()), [(100_000, i, 1) for i in range(4)])

    def test_aiohttp_server_and_client(self):
        try:
            import aiohttp
            from aiohttp import web
        except ImportError:
            self.skipTest("aiohttp is not installed")

        async def answer(request):
            await native.sleep(0.001)
            return web.json_response({"got": await request.text(), "hop": await native.hop()})

        async def main():
            app = web.Application()
            app.router.add_post("/", answer)
            runner = web.AppRunner(app)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            url = "http://127.0.0.1:%d/" % site._server.sockets[0].getsockname()[1]
            async with aiohttp.ClientSession() as session:

                async def ask(i):
                    async with session.post(url, data=str(i)) as response:
                        return (await response.json())["got"], response.status

                answers = await asyncio.gather(*(ask(i) for i in range(50)))
            await runner.cleanup()
            return answers

        self.assertEqual(run(main()), [(str(i), 200) for i in range(50)])


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


class Ends(unittest.TestCase):
    def test_the_loop_is_asyncios_own(self):
        loop = bridge_asyncio.new_event_loop()
        self.assertIsInstance(loop, asyncio.SelectorEventLoop)
        loop.close()
        loop.close()
        with self.assertRaisesRegex(RuntimeError, "Event loop is closed"):
            loop.run_forever()

    def test_run_inside_a_running_loop_is_refused(self):
        async def main():
            coroutine = native.hop()
            try:
                with self.assertRaisesRegex(RuntimeError, "cannot be called from a running event loop"):
                    bridge_asyncio.run(coroutine)
            finally:
                coroutine.close()

        run(main())

    def test_running_it_twice_is_refused(self):
        async def main():
            loop = asyncio.get_running_loop()
            with self.assertRaisesRegex(RuntimeError, "already running"):
                loop.run_forever()
            return await native.places()

        self.assertEqual(run(main())[2][0], threading.get_ident())

    def test_closed_with_native_work_under_way(self):
        loop = bridge_asyncio.new_event_loop()

        async def main():
            return [native.hot_sleep(3600) for _ in range(10)]

        futures = loop.run_until_complete(main())
        loop.close()
        for future in futures:
            self.assertTrue(future.done())
            self.assertIn("event loop was closed", str(future.exception()))

    def test_closed_with_native_work_that_will_not_end(self):
        loop = bridge_asyncio.new_event_loop()

        async def main():
            task = asyncio.ensure_future(native.stubborn(3600))
            await native.hop()
            return task

        task = loop.run_until_complete(main())
        loop._default_executor = None
        start = time.monotonic()
        loop.close()
        self.assertLess(time.monotonic() - start, 5)
        task._log_destroy_pending = False

    def test_io_objects_outlive_their_loop(self):
        loop = bridge_asyncio.new_event_loop()
        holder = native.Holder()
        loop.run_until_complete(holder.open())
        task = loop.create_task(holder.wait())
        loop.run_until_complete(native.hop())
        task._log_destroy_pending = False
        loop.close()
        holder.touch()
        del holder, task, loop
        gc.collect()

    def test_dropped_without_close(self):
        loop = bridge_asyncio.new_event_loop()
        loop.run_until_complete(native.hop())
        gone = weakref.ref(loop)
        with self.assertWarns(ResourceWarning):
            del loop
            gc.collect()
        self.assertIsNone(gone())

    def test_exceptions_that_end_the_run_leave_the_loop_usable(self):
        loop = bridge_asyncio.new_event_loop()

        async def leave():
            await native.hop()
            raise SystemExit(3)

        with self.assertRaises(SystemExit):
            loop.run_until_complete(leave())
        self.assertEqual(loop.run_until_complete(native.hop()), 1)
        loop.close()

    def test_stop_from_a_step_that_native_work_woke(self):
        loop = bridge_asyncio.new_event_loop()

        async def main():
            for i in range(3):
                await native.hop()
                steps.append(i)
                loop.stop()

        steps = []
        task = loop.create_task(main())
        for i in range(3):
            loop.run_forever()
            self.assertEqual(len(steps), i + 1)
        loop.run_until_complete(task)
        loop.close()

    def test_a_forked_child_is_told_and_does_not_harm_its_parent(self):
        ended = program(
            "loop = bridge_asyncio.new_event_loop()\n"
            "loop.run_until_complete(native.sleep(0.001))\n"
            "child = os.fork()\n"
            "if child == 0:\n"
            "    try: loop.run_until_complete(asyncio.sleep(0))\n"
            "    except RuntimeError as error: print(error, flush=True)\n"
            "    loop._selector.context.close()\n"
            "    print(bridge_asyncio.run(native.hop()), flush=True)\n"
            "    os._exit(0)\n"
            "os.waitpid(child, 0)\n"
            "async def main(): return await native.hop(), await asyncio.sleep(0.01), await native.sleep(0.01)\n"
            "print(loop.run_until_complete(main()))\n"
            "loop.close()\n"
        )
        self.assertIn("belongs to the parent process; make a new one after fork()\n1\n", ended.stdout, ended.stderr)
        self.assertTrue(ended.stdout.endswith("(1, None, None)\n"), ended.stdout + ended.stderr)

    def test_programs_that_end_early(self):
        for name, text, code in (
            ("left running", "loop = bridge_asyncio.new_event_loop()\nloop.run_until_complete(native.hop())", 0),
            (
                "work pending, never closed",
                "loop = bridge_asyncio.new_event_loop()\n"
                "async def main(): global kept; kept = [native.hot_sleep(3600) for _ in range(10)]\n"
                "loop.run_until_complete(main())",
                0,
            ),
            ("sys.exit", "async def main():\n    await native.hop()\n    sys.exit(3)\nbridge_asyncio.run(main())", 3),
            (
                "a daemon thread runs the loop",
                "started = threading.Event()\n"
                "async def main():\n    await native.hop()\n    started.set()\n    await native.sleep(3600)\n"
                "threading.Thread(target=lambda: bridge_asyncio.run(main()), daemon=True).start()\n"
                "started.wait()",
                0,
            ),
        ):
            with self.subTest(name):
                for _ in range(10):
                    ended = program("import warnings; warnings.simplefilter('ignore', ResourceWarning)\n" + text)
                    self.assertEqual((ended.returncode, ended.stderr), (code, ""))


if __name__ == "__main__":
    unittest.main()
