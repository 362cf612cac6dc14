// SPDX-License-Identifier: Apache-2.0
// Completion tokens: to_cpp with any of them, any operation with use_python_future.
#include "script.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <future>
#include <memory>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

bridge::py_ref call(const bridge::py_ref& function) {
    return bridge::with_gil([&] { return bridge::py_ref(function.get()()); });
}

bridge::py_ref sleeper(const char* expression) {
    return script::value("result = lambda: " + std::string(expression) + "\n");
}

asio::steady_timer& shared_timer() {
    static auto& timer = *new asio::steady_timer(bridge::default_runtime().io_context());
    return timer;
}

// A pair of connected sockets that Python reads and writes through Asio.
struct pair {
    asio::local::stream_protocol::socket a{bridge::default_runtime().io_context()};
    asio::local::stream_protocol::socket b{bridge::default_runtime().io_context()};
    std::string buffer = std::string(5, '\0');
    asio::cancellation_signal stop;

    pair() { asio::local::connect_pair(a, b); }
};

void bind(py::object m) {
    m.attr("wait") = py::cpp_function([](int ms) {
        shared_timer().expires_after(std::chrono::milliseconds(ms));
        return shared_timer().async_wait(bridge::use_python_future);
    });
    m.attr("refused") = py::cpp_function([] {
        auto socket =
            std::make_shared<asio::ip::tcp::socket>(bridge::default_runtime().io_context());
        asio::ip::tcp::acceptor taken(bridge::default_runtime().io_context(),
                                      {asio::ip::address_v4::loopback(), 0});
        const auto nobody = taken.local_endpoint();
        taken.close();
        auto future = socket->async_connect(nobody, bridge::use_python_future);
        future.attr("add_done_callback")(py::cpp_function([socket](const py::object&) {}));
        return future;
    });
    m.attr("read") = py::cpp_function([](const std::shared_ptr<pair>& p) {
        return asio::async_read(p->a, asio::buffer(p->buffer), bridge::use_python_future);
    });
    m.attr("write") = py::cpp_function([](const std::shared_ptr<pair>& p) {
        return asio::async_write(p->b, asio::buffer("hello", 5), bridge::use_python_future);
    });
    m.attr("text") = py::cpp_function([](const std::shared_ptr<pair>& p) { return p->buffer; });
    py::class_<pair, std::shared_ptr<pair>>(m, "pair", py::module_local()).def(py::init<>());
}

} // namespace

BRIDGE_TEST(any_operation_gives_python_an_awaitable) {
    co_await script::run(R"py(
async def main():
    assert await m.wait(1) is None
    future = m.wait(1)
    assert not future.done()
    assert await asyncio.wait_for(future, 5) is None and future.done()
)py",
                         bind);
}

BRIDGE_TEST(an_operations_value_is_the_result) {
    co_await script::run(R"py(
async def main():
    p = m.pair()
    reading = m.read(p)
    assert await m.write(p) == 5
    assert await reading == 5 and m.text(p) == "hello"
)py",
                         bind);
}

BRIDGE_TEST(an_error_code_is_the_os_error_of_its_errno) {
    co_await script::run(R"py(
async def main():
    try:
        await m.refused()
    except ConnectionRefusedError as error:
        assert error.errno
    else:
        assert False
)py",
                         bind);
}

BRIDGE_TEST(cancelling_the_awaitable_cancels_the_operation) {
    co_await script::run(R"py(
async def main():
    p = m.pair()
    task = asyncio.ensure_future(m.read(p))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        reading = m.read(p)  # the socket is free again
        await m.write(p)
        assert await reading == 5
    else:
        assert False
)py",
                         bind);
}

BRIDGE_TEST_SYNC(without_a_loop_the_operation_is_not_started) {
    auto refused = std::async(std::launch::async, [] {
        return bridge::with_gil([] {
            try {
                shared_timer().async_wait(bridge::use_python_future);
            } catch (py::error_already_set& error) {
                return error.matches(PyExc_RuntimeError);
            }
            return false;
        });
    });
    BRIDGE_CHECK(refused.get());
}

BRIDGE_TEST_SYNC(to_cpp_takes_use_future_a_callback_and_deferred) {
    const auto locals = bridge::current_locals();
    auto f = sleeper("asyncio.sleep(0.001, 3)");
    BRIDGE_CHECK(bridge::to_cpp<int>(locals, call(f), asio::use_future).get() == 3);
    std::promise<int> answered;
    bridge::to_cpp<int>(locals, call(f),
                        [&](std::exception_ptr, int value) { answered.set_value(value); });
    BRIDGE_CHECK(answered.get_future().get() == 3);
    auto later = bridge::to_cpp<int>(locals, call(f), asio::deferred);
    BRIDGE_CHECK(std::move(later)(asio::use_future).get() == 3);
}

BRIDGE_TEST(both_sides_of_and_are_awaited) {
    auto f = sleeper("asyncio.sleep(0.001, 3)");
    auto g = sleeper("asyncio.sleep(0, 'text')");
    auto [number, text] =
        co_await (bridge::to_cpp<int>(call(f)) && bridge::to_cpp<std::string>(call(g)));
    BRIDGE_CHECK(number == 3);
    BRIDGE_CHECK(text == "text");
}

BRIDGE_TEST(the_loser_of_or_is_cancelled_and_awaited) {
    auto log = script::value("result = []\n");
    auto loser = bridge::with_gil([&] {
        auto scope = script::execute(R"py(
async def f(log):
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        log.append("unwound")
)py",
                                     nullptr);
        return bridge::py_ref(scope["f"](log.get()));
    });
    auto winner = sleeper("asyncio.sleep(0.001, 1)");
    auto first =
        co_await (bridge::to_cpp<int>(call(winner)) || bridge::to_cpp<int>(std::move(loser)));
    BRIDGE_CHECK(first.index() == 0u);
    const auto logged = bridge::with_gil([&] { return py::len(log.get()); });
    BRIDGE_CHECK(logged == 1u);
}

BRIDGE_TEST(a_native_timer_wins_against_python) {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    auto never = sleeper("asyncio.sleep(3600)");
    auto first =
        co_await (bridge::to_cpp<void>(call(never)) || timer.async_wait(asio::use_awaitable));
    BRIDGE_CHECK(first.index() == 1u);
}

BRIDGE_TEST(one_operation_is_cancelled_by_its_own_slot) {
    asio::cancellation_signal stop;
    auto never = sleeper("asyncio.sleep(3600)");
    const auto locals = bridge::current_locals();
    const auto ended = std::make_shared<std::promise<std::exception_ptr>>();
    bridge::to_cpp<bridge::py_ref>(
        locals, call(never),
        asio::bind_cancellation_slot(stop.slot(),
                                     [ended](std::exception_ptr e, auto) { ended->set_value(e); }));
    stop.emit(asio::cancellation_type::terminal);
    const auto result = ended->get_future().share();
    const auto wait = [result] { result.wait(); }; // GCC 12 destroys it twice as a temporary
    co_await bridge::to_thread(wait);
    bool aborted = false;
    try {
        std::rethrow_exception(result.get());
    } catch (const boost::system::system_error& error) {
        aborted = error.code() == asio::error::operation_aborted;
    }
    BRIDGE_CHECK(aborted);
}

// Asio's default for such a handler is another one since Boost 1.90: to run wherever it is called.
BRIDGE_TEST(a_handler_without_an_executor_runs_in_the_locals) {
    struct seen {
        int value;
        bool without_gil, in_locals;
    };

    auto completed = std::make_shared<std::promise<seen>>();
    auto result = completed->get_future();
    const auto locals = bridge::current_locals();
    auto soon = sleeper("asyncio.sleep(0, 5)");
    bridge::to_cpp<int>(locals, call(soon), [=](std::exception_ptr error, int value) {
        const auto mine = bridge::detail::handler_locals();
        completed->set_value(
            {error ? -1 : value, PyGILState_Check() == 0,
             mine && &bridge::detail::port_of(mine) == &bridge::detail::port_of(locals)});
    });
    co_await bridge::to_thread([&] { result.wait(); });
    const auto got = result.get();
    BRIDGE_CHECK(got.value == 5);
    BRIDGE_CHECK(got.without_gil);
    BRIDGE_CHECK(got.in_locals);
}
