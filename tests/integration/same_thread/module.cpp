// SPDX-License-Identifier: Apache-2.0
// Native work for a loop on whose own thread it runs.
#include <bridge/bridge.hpp>

#include "free_threaded.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <pybind11/stl.h>

#include <thread>

namespace asio = boost::asio;
namespace py = pybind11;

namespace {

// As threading.get_ident() names it.
std::uint64_t thread_number() {
    return static_cast<std::uint64_t>(::pthread_self());
}

// Where the first step, the step after a post and the step after a wait run, and with the GIL?
asio::awaitable<std::vector<std::pair<std::uint64_t, bool>>> places() {
    std::vector<std::pair<std::uint64_t, bool>> seen;
    const auto look = [&seen] { seen.emplace_back(thread_number(), PyGILState_Check() != 0); };
    look();
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    look();
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
    co_await timer.async_wait(asio::use_awaitable);
    look();
    co_return seen;
}

asio::awaitable<int> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return 1;
}

asio::awaitable<void> native_sleep(double seconds) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(seconds)));
    co_await timer.async_wait(asio::use_awaitable);
}

// Until the loop's clock shows that.
asio::awaitable<void> sleep_until(double when) {
    using clock = std::chrono::steady_clock;
    const std::chrono::duration<double> since_epoch(when);
    asio::steady_timer timer(
        co_await asio::this_coro::executor,
        clock::time_point(std::chrono::duration_cast<clock::duration>(since_epoch)));
    co_await timer.async_wait(asio::use_awaitable);
}

// Busy on the loop's thread: so many handlers, one after another.
asio::awaitable<void> hops(std::int64_t count) {
    for (; count > 0; --count)
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

// The same until it is cancelled.
asio::awaitable<void> spin() {
    for (;;)
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

// Each byte is waited for before it is sent, so that each takes a look at the descriptors.
asio::awaitable<void> bytes_through_a_socket(int count) {
    using namespace asio::experimental::awaitable_operators;
    const auto executor = co_await asio::this_coro::executor;
    asio::local::stream_protocol::socket left(executor), right(executor);
    asio::local::connect_pair(left, right);
    for (char byte = 0; count > 0; --count)
        co_await (asio::async_read(right, asio::buffer(&byte, 1), asio::use_awaitable) &&
                  asio::async_write(left, asio::buffer("x", 1), asio::use_awaitable));
}

// Sends the bytes to an echo server and reads them back.
asio::awaitable<std::string> echo(int port, std::string text) {
    asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
    const asio::ip::tcp::endpoint server(asio::ip::address_v4::loopback(),
                                         static_cast<std::uint16_t>(port));
    co_await socket.async_connect(server, asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
    std::string answer(text.size(), '\0');
    co_await asio::async_read(socket, asio::buffer(answer), asio::use_awaitable);
    co_return answer;
}

// Keeps an I/O object of the loop's context beyond the loop.
class holder {
public:
    asio::awaitable<void> open() {
        timer_.emplace(co_await asio::this_coro::executor, std::chrono::hours(1));
        socket_.emplace(co_await asio::this_coro::executor, asio::ip::tcp::v4());
    }

    asio::awaitable<void> wait() { co_await timer_->async_wait(asio::use_awaitable); }

    void touch() {
        timer_->cancel();
        socket_->close();
    }

private:
    std::optional<asio::steady_timer> timer_;
    std::optional<asio::ip::tcp::socket> socket_;
};

// Answers cancellation with more work before it ends.
asio::awaitable<void> stubborn(double seconds) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await native_sleep(seconds);
}

asio::awaitable<void> throw_from_a_plain_handler() {
    auto& context = (co_await asio::this_coro::executor)
                        .target<bridge::executor>()
                        ->query(asio::execution::context);
    asio::post(static_cast<asio::io_context&>(context),
               [] { throw std::runtime_error("a handler of the user's own"); });
    co_await hop();
}

asio::awaitable<void> throw_number() {
    co_await hop();
    throw 42; // NOLINT: what somebody's library may do
}

} // namespace

BRIDGE_PYTHON_MODULE(same_thread_native, module) {
    module.attr("NativeError") = bridge::native_error_type();
    bridge::def_async(module, "throw_number", &throw_number);
    bridge::def_async(module, "places", &places);
    bridge::def_async(module, "hop", &hop);
    bridge::def_async(module, "sleep", &native_sleep, py::arg("seconds"));
    bridge::def_async(module, "sleep_until", &sleep_until);
    bridge::def_async(module, "hops", &hops);
    bridge::def_async(module, "spin", &spin);
    bridge::def_async(module, "bytes_through_a_socket", &bytes_through_a_socket);
    bridge::def_async(module, "echo", &echo);
    bridge::def_async(module, "stubborn", &stubborn);
    bridge::def_async(module, "throw_from_a_plain_handler", &throw_from_a_plain_handler);
    module.def("hot_sleep",
               [](double seconds) { return bridge::to_python_future(native_sleep(seconds)); });
    py::class_<holder> type(module, "Holder");
    type.def(py::init<>());
    type.def("touch", &holder::touch);
    bridge::def_async(type, "open", &holder::open);
    bridge::def_async(type, "wait", &holder::wait);
    // Never destroyed: the interpreter is gone before statics are.
    static auto& background = *new bridge::runtime({.threads = 2});
    module.def("on_threads",
               [] { return bridge::to_python(background, bridge::task_locals(), places()); });
}
