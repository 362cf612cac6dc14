// SPDX-License-Identifier: Apache-2.0
// One test for each way in which a test can end; test_harness.py knows what each must say.
#include <bridge/harness/harness.hpp>

#include <pybind11/eval.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace asio = boost::asio;
namespace harness = bridge::harness;

using bridge::py_ref;
using bridge::with_gil;
using namespace std::chrono_literals;

namespace {

// Defines `name` by Python code and returns its result when called.
py_ref call_python(const char* code, const char* name) {
    return with_gil([&]() -> py_ref {
        bridge::py::dict scope;
        scope["__builtins__"] = bridge::py::module_::import("builtins");
        bridge::py::exec(code, scope);
        return scope[name]();
    });
}

asio::awaitable<int> answer() {
    co_return 42;
}

asio::awaitable<void> wait_for(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> turn() {
    co_await bridge::to_cpp(call_python("import asyncio\ndef f(): return asyncio.sleep(0)", "f"));
}

asio::awaitable<void> wait_and_throw() {
    co_await wait_for(1ms);
    throw std::out_of_range("thrown below the test");
}

void block_for_ever() {
    for (;;)
        std::this_thread::sleep_for(1h);
}

} // namespace

BRIDGE_TEST(passes, tags("good"), timeout(5s)) {
    co_await turn();
    BRIDGE_CHECK(co_await answer() == 42);
    BRIDGE_REQUIRE(harness::current().id == "fixture.passes");
    BRIDGE_CHECK(harness::current().timeout == 5s);
    BRIDGE_INFO("a note");
}

BRIDGE_TEST(check_fails) {
    BRIDGE_CHECK(co_await answer() == 43);
    BRIDGE_CHECK(std::string("left") == "right");
}

BRIDGE_TEST(require_fails) {
    BRIDGE_REQUIRE(co_await answer() == 43);
    BRIDGE_FAIL("never reached");
}

BRIDGE_TEST(require_is_not_swallowed) {
    try {
        BRIDGE_REQUIRE(co_await answer() == 43);
    } catch (const std::exception&) {
    }
    BRIDGE_FAIL("never reached");
}

BRIDGE_TEST(throws) {
    co_await turn();
    throw std::out_of_range("thrown by the test");
}

BRIDGE_TEST(raises) {
    co_await bridge::to_cpp(
        call_python("async def f(): raise ValueError('raised by the test')", "f"));
}

BRIDGE_TEST(throws_behind_a_co_await) {
    co_await wait_and_throw();
}

BRIDGE_TEST(throws_nested) {
    try {
        throw std::out_of_range("the inner one");
    } catch (...) {
        std::throw_with_nested(std::runtime_error("the outer one"));
    }
    co_return;
}

BRIDGE_TEST(raises_a_group) {
    co_await bridge::to_cpp(call_python("import asyncio\n"
                                        "async def a(): raise ValueError('in a')\n"
                                        "async def b(): raise OSError(13, 'in b')\n"
                                        "async def f():\n"
                                        "    async with asyncio.TaskGroup() as group:\n"
                                        "        group.create_task(a()); group.create_task(b())\n",
                                        "f"));
}

BRIDGE_TEST(raises_a_class_without_a_module) {
    co_await bridge::to_cpp(call_python("async def f():\n"
                                        "    odd = type('Odd', (Exception,), {})\n"
                                        "    raise odd('the text')\n",
                                        "f"));
}

BRIDGE_TEST(throws_as_expected) {
    const auto raising = [] {
        return bridge::to_cpp(call_python("async def f(): raise KeyError('k')", "f"));
    };
    BRIDGE_CHECK_RAISES("KeyError", co_await raising());
    BRIDGE_REQUIRE_RAISES(PyExc_LookupError, co_await raising());
    BRIDGE_CHECK_RAISES("asyncio.CancelledError",
                        co_await bridge::to_cpp(call_python(
                            "import asyncio\nasync def f(): raise asyncio.CancelledError()", "f")));
    BRIDGE_CHECK_THROWS(std::out_of_range, throw std::out_of_range("x"));
}

BRIDGE_TEST(throws_otherwise) {
    BRIDGE_CHECK_THROWS(std::out_of_range, co_await answer());
    BRIDGE_CHECK_RAISES("KeyError", throw std::runtime_error("not Python's"));
    co_return;
}

BRIDGE_TEST(prints_python) {
    const auto value =
        co_await bridge::to_cpp(call_python("async def f(): return {'k': [1, 2]}", "f"));
    BRIDGE_CHECK(value == 3);
}

BRIDGE_TEST(never_awaited) {
    call_python("async def forgotten(): pass", "forgotten");
    co_return;
}

BRIDGE_TEST(never_awaited_in_python) {
    co_await bridge::to_cpp(call_python("async def forgotten(): pass\n"
                                        "async def f(): forgotten()\n",
                                        "f"));
}

BRIDGE_TEST(leaks_task) {
    co_await bridge::to_cpp(call_python(
        "import asyncio\n"
        "async def left_behind(): await asyncio.get_running_loop().create_future()\n"
        "async def f(): asyncio.kept = asyncio.create_task(left_behind(), name='orphan')\n",
        "f"));
}

BRIDGE_TEST(leaks_generator) {
    co_await bridge::to_cpp(call_python("import asyncio\n"
                                        "async def numbers():\n"
                                        "    while True: yield 1\n"
                                        "async def f():\n"
                                        "    asyncio.kept = numbers()\n"
                                        "    await asyncio.kept.__anext__()\n",
                                        "f"));
}

BRIDGE_TEST(background_failure) {
    co_await bridge::to_cpp(
        call_python("import asyncio\n"
                    "def fail(): raise ValueError('in a callback')\n"
                    "async def f(): asyncio.get_running_loop().call_soon(fail)\n",
                    "f"));
}

BRIDGE_TEST(unretrieved) {
    co_await bridge::to_cpp(call_python("import asyncio\n"
                                        "async def fail(): raise ValueError('unretrieved')\n"
                                        "async def f():\n"
                                        "    asyncio.create_task(fail())\n"
                                        "    await asyncio.sleep(0)\n",
                                        "f"));
}

BRIDGE_TEST(python_thread_failure) {
    co_await bridge::to_cpp(call_python("import threading\n"
                                        "def fail(): raise ValueError('in a thread')\n"
                                        "async def f():\n"
                                        "    t = threading.Thread(target=fail)\n"
                                        "    t.start()\n"
                                        "    t.join()\n",
                                        "f"));
}

BRIDGE_TEST(hangs_awaiting, timeout(300ms)) {
    co_await wait_for(1h);
}

BRIDGE_TEST(hangs_uncancellable, timeout(300ms)) {
    co_await bridge::to_cpp(
        call_python("import asyncio\n"
                    "async def f():\n"
                    "    while True:\n"
                    "        try: await asyncio.get_running_loop().create_future()\n"
                    "        except asyncio.CancelledError: pass\n",
                    "f"));
}

BRIDGE_TEST(hangs_with_gil, timeout(300ms)) {
    co_await turn();
    with_gil(block_for_ever);
}

BRIDGE_TEST_SYNC(hangs_in_native_code, timeout(300ms)) {
    block_for_ever();
}

BRIDGE_TEST(skips, tags("good")) {
    BRIDGE_SKIP("no network");
    co_return;
}

BRIDGE_TEST(aborts) {
    co_await turn();
    std::abort();
}

BRIDGE_TEST(calls_exit) {
    co_await turn();
    std::exit(0);
}

BRIDGE_TEST(calls_sys_exit) {
    co_await bridge::to_cpp(call_python("import sys\nasync def f(): sys.exit(0)", "f"));
}

BRIDGE_TEST_SYNC(closes_stdout) {
    ::close(STDOUT_FILENO);
}

BRIDGE_TEST_SYNC(takes_the_place_of_stdout) {
    const int other = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ::dup2(other, STDOUT_FILENO);
    ::close(other);
}

BRIDGE_TEST_SYNC(sync_passes, tags("good")) {
    BRIDGE_CHECK(static_cast<bool>(bridge::current_locals()));
    BRIDGE_CHECK(PyGILState_Check() == 0);
    const auto locals = bridge::current_locals();
    auto on = bridge::default_runtime().make_executor(locals);
    auto done = asio::co_spawn(on, turn(), asio::use_future);
    done.get(); // the loop runs meanwhile
}

BRIDGE_TEST_SYNC(sync_fails) {
    BRIDGE_REQUIRE(1 + 1 == 3);
}

BRIDGE_TEST(fails_in_thread) {
    std::thread([] { BRIDGE_CHECK(1 > 2); }).join();
    co_return;
}

BRIDGE_TEST(leaks_native_work) {
    static py_ref kept;
    kept = with_gil([] { return py_ref(bridge::to_python_future(wait_for(1h))); });
    co_return;
}

BRIDGE_TEST(native_work_ends_in_time, ignore_leaks("reference:bridge.future")) {
    static py_ref kept;
    kept = with_gil([] { return py_ref(bridge::to_python_future(wait_for(20ms))); });
    co_return;
}

BRIDGE_TEST(escapes_a_handler) {
    asio::post(co_await asio::this_coro::executor, [] { throw std::runtime_error("escaped"); });
    co_await turn();
}

BRIDGE_TEST(require_fails_behind_python) {
    auto inner = []() -> asio::awaitable<void> { BRIDGE_REQUIRE(co_await answer() == 43); };
    auto crossing = with_gil([&] { return py_ref(bridge::to_python(inner())); });
    co_await bridge::to_cpp(std::move(crossing));
    BRIDGE_FAIL("never reached");
}

BRIDGE_TEST(skips_behind_python) {
    auto inner = []() -> asio::awaitable<void> {
        BRIDGE_SKIP("said by an inner coroutine");
        co_return;
    };
    auto crossing = with_gil([&] { return py_ref(bridge::to_python(inner())); });
    co_await bridge::to_cpp(std::move(crossing));
    BRIDGE_FAIL("never reached");
}

BRIDGE_TEST(is_aborted) {
    throw boost::system::system_error(asio::error::operation_aborted);
    co_return;
}
