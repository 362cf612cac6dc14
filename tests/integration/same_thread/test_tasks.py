# SPDX-License-Identifier: Apache-2.0
"""print_tasks() on each kind of loop."""

import asyncio
import io
import re
import unittest

import bridge_asyncio
import same_thread_native as native

LOOPS = {"asyncio": asyncio.new_event_loop, "same-thread": bridge_asyncio.new_event_loop}
try:
    import uvloop
except ImportError:
    pass
else:
    LOOPS["uvloop"] = uvloop.new_event_loop

NATIVE = r'  File "[^"]*module\.cpp", line \d+, in native_sleep\n(    .*co_await.*\n)?'


def tasks_of(loop=None):
    out = io.StringIO()
    bridge_asyncio.print_tasks(loop, file=out)
    return out.getvalue()


def run(make_loop, main):
    loop = make_loop()
    try:
        return loop.run_until_complete(asyncio.wait_for(main, 30))
    finally:
        loop.close()


class Tasks(unittest.TestCase):
    def check(self, main):
        for name, make_loop in LOOPS.items():
            with self.subTest(name):
                run(make_loop, main())

    def test_each_shows_its_coroutines_in_python_and_in_cpp(self):
        async def through_python():
            await native.sleep(3600)

        async def until_both_wait():
            while len(re.findall(NATIVE, tasks_of())) < 2:
                await asyncio.sleep(0.001)
            return tasks_of()

        async def main():
            tasks = [
                asyncio.get_running_loop().create_task(through_python(), name="python"),
                asyncio.get_running_loop().create_task(native.sleep(3600), name="native"),
            ]
            text = await until_both_wait()
            python_line = r'  File "[^"]*test_tasks\.py", line \d+, in through_python\n    await native\.sleep\(3600\)\n'
            self.assertRegex(text, rf"(^|\n)native waits\n{NATIVE}\n")
            self.assertRegex(text, rf"(^|\n)python waits\n{python_line}{NATIVE}")
            self.assertRegex(text, r"(^|\n)Task-\d+ (runs|waits)\n")
            self.assertNotIn("  for <C++", text)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

        self.check(main)

    def test_what_is_no_coroutine_is_shown_as_itself(self):
        async def waits(future):
            await future

        async def main():
            loop = asyncio.get_running_loop()
            plain, hot = loop.create_future(), native.hot_sleep(3600)
            tasks = [loop.create_task(waits(plain), name="on a Future"), loop.create_task(waits(hot), name="on C++")]
            while not re.search(rf"on C\+\+ waits\n.*\n.*\n{NATIVE}", tasks_of()):
                await asyncio.sleep(0.001)
            text = tasks_of(loop)
            self.assertRegex(text, r"on a Future waits\n.*\n    await future\n  for <Future pending")
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

        self.check(main)

    def test_without_a_loop(self):
        with self.assertRaisesRegex(RuntimeError, "no running event loop"):
            tasks_of()
        loop = bridge_asyncio.new_event_loop()
        self.assertEqual(tasks_of(loop), "no tasks\n")
        loop.close()


if __name__ == "__main__":
    unittest.main()
