# SPDX-License-Identifier: Apache-2.0
"""Streams whose consumer waits when the loop is closed, Python ends or the process forks: `next()` says so (I18)."""

import unittest

from programs import Programs, add_cases

HEAD = """
import asyncio, os, sys
import lifetime_native as native
begun = []
async def numbers():
    begun.append(1)
    await asyncio.sleep(3600)
    yield 1
async def watched():
    stream = native.WatchedStream(numbers())
    while not begun: await asyncio.sleep(0)
    return stream
def join(pid):
    _, status = os.waitpid(pid, 0)
    assert status == 0, status
"""

CASES = {
    "the loop is closed": (
        "loop = asyncio.new_event_loop()\nstream = loop.run_until_complete(watched())\nloop.close()\nstream.wait()",
        0,
        ["next, pending: the event loop was closed", "next, afterwards: "],
    ),
    "the loop is collected unclosed, after the Task of the stream": (  # older than that, in the middle generation
        "import gc, warnings; warnings.simplefilter('ignore', ResourceWarning)\n"
        "asyncio.BaseEventLoop.call_exception_handler = lambda self, context: os._exit(9)  # of a Task destroyed pending\n"
        "gc.disable()\nloop = asyncio.new_event_loop()\nloop.run_until_complete(native.hop())\ngc.collect(0)\n"
        "stream = loop.run_until_complete(watched())\ndel loop\ngc.collect()\nstream.wait()",
        0,
        ["next, pending: the event loop was closed", "next, afterwards: "],
    ),
    "the same-thread loop is closed": (
        "loop = native.EventLoop()\nloop.run_until_complete(watched())\nloop.close()",
        0,
        None,  # its consumer's threads are the loop's
    ),
    "asyncio run ends": (
        "stream = None\nasync def main():\n    global stream\n    stream = await watched()\n"
        "asyncio.run(main())\nstream.wait()",
        0,
        ["next, pending: ", "next, afterwards: "],
    ),
    "Python ends with an open loop": (
        "loop = asyncio.new_event_loop()\nstream = loop.run_until_complete(watched())",
        0,
        ["next, pending: Python is not running or is shutting down"],
    ),
    "the process forks": (
        "loop = asyncio.new_event_loop()\nasync def main():\n    native.keep_stream(numbers())\n"
        "    return asyncio.ensure_future(native.next_of_kept())\n"
        "asking = loop.run_until_complete(main())\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    try: asyncio.run(native.next_of_kept())\n"
        "    except Exception as error: print(error, file=sys.stderr, flush=True)\n"
        "    os._exit(0)\n"
        "join(pid)\nasking.cancel()\nloop.run_until_complete(asyncio.wait([asking]))\nloop.close()",
        0,
        ["this process was forked"],
    ),
}


class Streams(Programs):
    pass


add_cases(Streams, CASES, HEAD)

if __name__ == "__main__":
    unittest.main()
