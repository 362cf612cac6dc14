// SPDX-License-Identifier: Apache-2.0
// Tests that pass and leave something behind, or let something fail beside them.
#include "corpus.hpp"

#include <cstdlib>

#include <fcntl.h>

using namespace corpus;

BRIDGE_TEST(a_task) {
    co_await await_python(
        "import asyncio\n"
        "async def left_behind(): await asyncio.get_running_loop().create_future()\n"
        "async def f(): asyncio.kept = asyncio.create_task(left_behind(), name='orphan')\n");
}

BRIDGE_TEST(a_generator) {
    co_await await_python("import asyncio\n"
                          "async def numbers():\n"
                          "    while True: yield 1\n"
                          "async def f():\n"
                          "    asyncio.kept = numbers()\n"
                          "    await asyncio.kept.__anext__()\n");
}

BRIDGE_TEST(a_coroutine_never_awaited) {
    co_await await_python("async def forgotten(): pass\nasync def f(): forgotten()");
}

BRIDGE_TEST(native_work) {
    static bridge::py_ref kept;
    kept = bridge::with_gil(
        [] { return bridge::py_ref(bridge::to_python_future(corpus::sleep(1h))); });
    co_return;
}

BRIDGE_TEST(a_python_thread) {
    co_await await_python(
        "import threading\n"
        "async def f():\n"
        "    event = threading.Event()\n"
        "    threading.Thread(target=event.wait, name='left', daemon=True).start()\n");
}

BRIDGE_TEST(a_descriptor) {
    co_await turn();
    BRIDGE_CHECK(::open("/dev/null", O_RDONLY) >= 0);
}

BRIDGE_TEST(a_socket_of_the_loop) {
    co_await await_python(
        "import asyncio\n"
        "async def f():\n"
        "    asyncio.kept = await asyncio.start_server(lambda *_: None, '127.0.0.1', 0)\n");
}

BRIDGE_TEST(a_failing_callback) {
    co_await await_python("import asyncio\n"
                          "def fail(): raise ValueError('in a callback')\n"
                          "async def f(): asyncio.get_running_loop().call_soon(fail)\n");
}

BRIDGE_TEST(a_failed_task) {
    co_await await_python("import asyncio\n"
                          "async def fail(): raise ValueError('nobody asked')\n"
                          "async def f():\n"
                          "    asyncio.create_task(fail())\n"
                          "    await asyncio.sleep(0)\n");
}

BRIDGE_TEST(a_failed_thread) {
    co_await await_python("import threading\n"
                          "def fail(): raise ValueError('in a thread')\n"
                          "async def f():\n"
                          "    t = threading.Thread(target=fail)\n"
                          "    t.start()\n"
                          "    t.join()\n");
}

BRIDGE_TEST(a_failing_finalizer) {
    co_await await_python("class Odd:\n"
                          "    def __del__(self): raise ValueError('in __del__')\n"
                          "async def f(): Odd()\n");
}

BRIDGE_TEST(a_task_that_fails_in_its_tear_down) {
    co_await await_python("import asyncio\n"
                          "async def work():\n"
                          "    try: await asyncio.get_running_loop().create_future()\n"
                          "    finally: raise ValueError('in the tear-down')\n"
                          "async def f():\n"
                          "    asyncio.kept = asyncio.create_task(work())\n"
                          "    await asyncio.sleep(0)\n");
}

BRIDGE_TEST(a_check_after_its_end) {
    co_await turn();
    std::atexit([] { BRIDGE_CHECK(1 > 2); });
}
