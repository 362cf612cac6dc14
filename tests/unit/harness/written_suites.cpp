// SPDX-License-Identifier: Apache-2.0
// One test for each way of sharing a fixture; test_written.py knows what each must say.
#include "written.hpp"

#include <pybind11/eval.h>

using namespace std::chrono_literals;
using namespace written;

BRIDGE_SUITE("written", timeout(20s), tags("file"), ignore_leaks("task:ignored-*"))

namespace {

asio::awaitable<void> await_python(const char* definition, const char* call) {
    co_await bridge::to_cpp<void>(bridge::with_gil([&] {
        bridge::py::exec(definition);
        return bridge::py_ref(bridge::py::eval(call));
    }));
}

// Set up once for the tests of a process that run in a row.
struct shared_server {
    static asio::awaitable<void> set_up_suite() {
        co_await sleep(1ms);
        say("set_up_suite");
        co_await await_python("import asyncio\n"
                              "async def start():\n"
                              "    asyncio.shared = asyncio.create_task(asyncio.sleep(3600))\n",
                              "start()");
    }

    static asio::awaitable<void> tear_down_suite() {
        say("tear_down_suite");
        co_await await_python("import asyncio\n"
                              "async def stop():\n"
                              "    asyncio.shared.cancel()\n"
                              "    await asyncio.wait([asyncio.shared])\n",
                              "stop()");
    }

    void set_up() { say("set_up"); }
};

struct fails_to_set_up_its_suite {
    static void set_up_suite() { throw std::runtime_error("no server for all"); }
};

struct fails_to_tear_down_its_suite {
    static void tear_down_suite() { throw std::runtime_error("cannot stop for all"); }
};

struct leaks_in_its_suite {
    static void set_up_suite() {
        bridge::with_gil([] {
            bridge::py::exec(
                "import asyncio\n"
                "asyncio.kept = asyncio.create_task(asyncio.sleep(3600), name='of all')");
        });
    }
};

const char* const is_shared_running = "not __import__('asyncio').shared.done()";

} // namespace

BRIDGE_TEST_F(shared_server, is_first_in_its_suite) {
    BRIDGE_CHECK(bridge::with_gil([] { return bridge::py::eval(is_shared_running).cast<bool>(); }));
    say("first");
    co_return;
}

BRIDGE_TEST_F(shared_server, leaks_in_the_middle_of_its_suite) {
    bridge::with_gil([] {
        bridge::py::exec("import asyncio\n"
                         "asyncio.kept = asyncio.create_task(asyncio.sleep(3600), name='own')");
    });
    co_return;
}

BRIDGE_TEST_F(shared_server, is_skipped_at_the_end_of_its_suite, skip_if(true, "not here")) {
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST_F(fails_to_set_up_its_suite, has_no_suite) {
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST_F(fails_to_tear_down_its_suite, is_last_in_a_failing_suite) {
    co_return;
}

BRIDGE_TEST_F(leaks_in_its_suite, has_a_suite_that_leaks) {
    co_return;
}
