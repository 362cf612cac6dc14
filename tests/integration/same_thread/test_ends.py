# SPDX-License-Identifier: Apache-2.0
"""The ends of the same-thread loop."""

import asyncio
import gc
import threading
import time
import unittest
import unittest.mock
import weakref

import bridge_asyncio
import same_thread_native as native
from common import program, run


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
        gc.collect()  # CPython 3.15 has kept the warning until here, and with it its source
        self.assertIsNone(gone())

    def test_a_closed_loop_goes_with_its_last_reference(self):
        gc.disable()  # asyncio's leaves no cycle either, which tornado's tests look for
        self.addCleanup(gc.enable)
        for runs in range(3):
            with self.subTest(runs=runs):
                loop = bridge_asyncio.new_event_loop()
                for _ in range(runs):
                    loop.run_until_complete(native.hop())
                loop.close()
                gone = weakref.ref(loop)
                del loop
                self.assertIsNone(gone())

    def test_an_interrupt_while_it_starts_to_run(self):
        loop = bridge_asyncio.new_event_loop()
        self.addCleanup(loop.close)
        loop.run_until_complete(native.hop())
        interrupted = {"_set_wakeup_fd": unittest.mock.Mock(side_effect=KeyboardInterrupt)}
        with unittest.mock.patch.dict(type(loop).close.__globals__, interrupted):
            self.assertRaises(KeyboardInterrupt, loop.run_forever)
        self.assertFalse(loop.is_running())
        loop.run_until_complete(native.hop())

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

    def test_a_forked_child_is_told_goes_on_with_python_and_does_not_harm_its_parent(self):
        ended = program(
            "loop = bridge_asyncio.new_event_loop()\n"
            "loop.run_until_complete(native.sleep(0.001))\n"
            "child = os.fork()\n"
            "if child == 0:\n"
            "    try: loop.run_until_complete(native.hop())\n"
            "    except RuntimeError as error: print(error, flush=True)\n"
            "    loop.run_until_complete(asyncio.sleep(0.01))\n"
            "    loop._selector.context.close()\n"
            "    print(bridge_asyncio.run(native.hop()), flush=True)\n"
            "    os._exit(0)\n"
            "os.waitpid(child, 0)\n"
            "async def main(): return await native.hop(), await asyncio.sleep(0.01), await native.sleep(0.01)\n"
            "print(loop.run_until_complete(main()))\n"
            "loop.close()\n"
        )
        self.assertIn("this process was forked, and the runtime or event loop is its parent's; make a new event loop and a new "
                      "runtime in the child [bridge:5]\n1\n", ended.stdout, ended.stderr)
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
