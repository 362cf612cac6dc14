// SPDX-License-Identifier: Apache-2.0
// The behaviour of pyo3-asyncio's own tests, the same order of events without their seconds.
#include <bridge/harness/harness.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <pybind11/eval.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>

BRIDGE_SUITE("source_system")

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> native_sleep(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

// Names for Python source text: asyncio, and a native sleep.
bridge::py_ref run_text(const char* source, const char* result) {
    return bridge::with_gil([&] {
        py::dict scope;
        scope["__builtins__"] = py::module_::import("builtins");
        scope["asyncio"] = py::module_::import("asyncio");
        scope["native_sleep"] = py::cpp_function(
            [](int ms) { return bridge::to_python(native_sleep(std::chrono::milliseconds(ms))); });
        scope["native_future"] = py::cpp_function([](int ms) {
            return bridge::to_python_future(native_sleep(std::chrono::milliseconds(ms)));
        });
        py::exec(source, scope, scope);
        return bridge::py_ref(scope[result]);
    });
}

bridge::py_ref call(const bridge::py_ref& function) {
    return bridge::with_gil([&] { return bridge::py_ref(function.get()()); });
}

struct unknown_failure {};

} // namespace

BRIDGE_TEST(python_awaits_a_native_awaitable_it_was_given) {
    auto main = run_text("async def main():\n    await native_sleep(5)\n    return 7\n", "main");
    BRIDGE_CHECK(co_await bridge::to_cpp<int>(call(main)) == 7);
}

BRIDGE_TEST(native_sleep_and_asyncio_sleep_in_one_test) {
    co_await native_sleep(5ms);
    auto main = run_text("main = lambda: asyncio.sleep(0.005)", "main");
    co_await bridge::to_cpp<void>(call(main));
}

BRIDGE_TEST_SYNC(a_blocking_test_does_not_stall_the_loop) {
    const auto locals = bridge::current_locals();
    auto main = run_text("main = lambda: asyncio.sleep(0.005, 'slept')", "main");
    auto slept = bridge::to_cpp<std::string>(locals, call(main), asio::use_future);
    BRIDGE_CHECK(slept.get() == "slept");
}

BRIDGE_TEST(into_the_loop_of_explicit_locals) {
    const auto locals = bridge::with_gil([] { return bridge::current_locals(); });
    auto main = run_text("main = lambda: asyncio.sleep(0.005, 3)", "main");
    BRIDGE_CHECK(co_await bridge::to_cpp<int>(locals, call(main)) == 3);
}

BRIDGE_TEST(a_future_of_run_in_executor_is_awaited) {
    auto main = run_text(R"(
import threading
def main():
    async def on_loop():
        ready = threading.Event()
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(None, ready.wait, 5)
        loop.call_soon(ready.set)
        return await future
    return on_loop()
)",
                         "main");
    BRIDGE_CHECK(co_await bridge::to_cpp<bool>(call(main)));
}

BRIDGE_TEST(an_unknown_failure_round_trips_as_native_error) {
    auto failing = bridge::with_gil([] {
        return bridge::py_ref(bridge::to_python([]() -> asio::awaitable<void> {
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            throw unknown_failure();
        }()));
    });
    bool seen = false;
    try {
        co_await bridge::to_cpp(std::move(failing));
    } catch (const bridge::python_error& error) {
        seen = bridge::with_gil([&] { return error.matches(bridge::native_error_type()); });
    }
    BRIDGE_CHECK(seen);
}

BRIDGE_TEST(cancelling_from_python_ends_the_body_before_its_end) {
    static std::atomic<bool> completed;
    static std::atomic<bool> unwound;
    completed = false;
    unwound = false;

    struct at_end {
        ~at_end() { unwound = true; }
    };

    auto future = bridge::with_gil([] {
        return bridge::py_ref(bridge::to_python_future([]() -> asio::awaitable<void> {
            const at_end end;
            co_await native_sleep(std::chrono::hours(1));
            completed = true;
        }()));
    });
    bridge::with_gil([&] { future.get().attr("cancel")(); });
    bool cancelled = false;
    try {
        co_await bridge::to_cpp(std::move(future));
    } catch (const boost::system::system_error& error) {
        cancelled = error.code() == asio::error::operation_aborted;
    }
    BRIDGE_CHECK(cancelled);
    BRIDGE_CHECK(unwound.load()); // whoever cancels learns when the other side has ended
    BRIDGE_CHECK(!completed.load());
}

BRIDGE_TEST_SYNC(several_loops_run_beside_this_one) {
    for (int i = 0; i < 2; ++i)
        bridge::run([]() -> asio::awaitable<void> {
            co_await native_sleep(2ms);
            auto main = run_text("main = lambda: asyncio.sleep(0.002)", "main");
            co_await bridge::to_cpp<void>(call(main));
        }());
    auto python = run_text(R"(
async def main():
    await native_sleep(2)
def run():
    for _ in range(2):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        loop.close()
    return True
)",
                           "run");
    BRIDGE_CHECK(bridge::with_gil([&] { return python.get()().cast<bool>(); }));
}

BRIDGE_TEST(context_variables_reach_python_called_from_cpp) {
    auto main = run_text(R"(
import contextvars
variable = contextvars.ContextVar("variable", default="unset")
async def main(back):
    variable.set("hello")
    async def check():
        await asyncio.sleep(0)
        return variable.get()
    return await back(check)
)",
                         "main");
    auto coroutine = bridge::with_gil([&] {
        auto back = py::cpp_function([](const py::object& check) {
            return bridge::to_python([](bridge::py_ref function) -> asio::awaitable<std::string> {
                co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
                co_return co_await bridge::to_cpp<std::string>(call(function));
            }(bridge::py_ref(check)));
        });
        return bridge::py_ref(main.get()(back));
    });
    BRIDGE_CHECK(co_await bridge::to_cpp<std::string>(std::move(coroutine)) == "hello");
}

BRIDGE_TEST_SYNC(run_forever_ends_by_loop_stop_from_a_native_thread) {
    auto loop = bridge::with_gil(
        [] { return bridge::py_ref(py::module_::import("asyncio").attr("new_event_loop")()); });
    const auto locals = bridge::with_gil([&] { return bridge::task_locals(loop.get()); });
    auto stop = run_text(R"(
async def stop():
    asyncio.get_running_loop().call_soon(asyncio.get_running_loop().stop)
)",
                         "stop");
    auto stopped = bridge::to_cpp<void>(locals, call(stop), asio::use_future);
    bridge::run_forever(loop);
    stopped.get();
    bridge::with_gil([&] { loop.get().attr("close")(); });
}

// X-set: completion and cancellation at the same moment never raise InvalidStateError.
BRIDGE_TEST(completion_races_cancellation, timeout(60s)) {
    auto main = run_text(R"(
import random
async def main(rounds):
    errors = []
    loop = asyncio.get_running_loop()
    before = loop.get_debug()
    loop.set_exception_handler(lambda loop, context: errors.append(context))
    loop.set_debug(True)
    for _ in range(rounds):
        future = native_future(1)
        loop.call_later(random.uniform(0.0008, 0.0012), future.cancel)
        try:
            await future
        except asyncio.CancelledError:
            pass
    loop.set_debug(before)
    loop.set_exception_handler(None)
    return len(errors)
)",
                         "main");
    auto racing = bridge::with_gil([&] { return bridge::py_ref(main.get()(1000)); });
    BRIDGE_CHECK(co_await bridge::to_cpp<int>(std::move(racing)) == 0);
}

BRIDGE_TEST(the_loop_is_the_one_asked_for) {
    const char* chosen = std::getenv("BRIDGE_TEST_LOOP");
    const std::string wanted = chosen != nullptr ? chosen : "asyncio";
    auto name = bridge::with_gil([] {
        return py::type::of(bridge::current_locals().event_loop())
            .attr("__module__")
            .cast<std::string>();
    });
    if (const char* suite = std::getenv("BRIDGE_SUITE_LOOP")) { // told apart from what chooses it
        const std::string_view of(suite);
        BRIDGE_CHECK(name.starts_with("uvloop") == of.starts_with("uvloop"));
        BRIDGE_CHECK(name.starts_with("bridge_asyncio") == (of == "same_thread"));
    }
    BRIDGE_CHECK(name.starts_with("uvloop") == (wanted == "uvloop"));
    BRIDGE_CHECK(name.starts_with("bridge_asyncio") == (wanted == "same-thread"));
    co_return;
}
