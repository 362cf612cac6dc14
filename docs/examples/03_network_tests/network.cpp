// SPDX-License-Identifier: Apache-2.0
// Async integration tests: a Boost.Beast client in C++ talks to an aiohttp server in the same loop.
#include <bridge/harness/harness.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace py = pybind11;
using namespace std::chrono_literals;

namespace {

asio::awaitable<std::string> get(unsigned short port, std::string target) {
    beast::tcp_stream stream(co_await asio::this_coro::executor);
    stream.expires_after(20s);
    co_await stream.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
    http::request<http::empty_body> request{http::verb::get, target, 11};
    request.set(http::field::host, "127.0.0.1");
    request.keep_alive(false);
    co_await http::async_write(stream, request, asio::use_awaitable);
    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    co_await http::async_read(stream, buffer, response, asio::use_awaitable);
    co_return response.body();
}

// An aiohttp server that runs in this test's Python loop.
class server {
public:
    static asio::awaitable<server> start(int together = 0) {
        auto starting = bridge::with_gil(
            [&] { return bridge::py_ref(py::module_::import("server").attr("start")(together)); });
        co_return server(co_await bridge::to_cpp(std::move(starting)));
    }

    unsigned short port() const { return port_; }

    asio::awaitable<void> stop() {
        co_await bridge::to_cpp<void>(
            bridge::with_gil([&] { return bridge::py_ref(object_.get().attr("stop")()); }));
    }

private:
    explicit server(bridge::py_ref object)
        : object_(std::move(object)), port_(bridge::with_gil([&] {
              return object_.get().attr("port").cast<unsigned short>();
          })) {}

    bridge::py_ref object_;
    unsigned short port_;
};

} // namespace

BRIDGE_TEST(cpp_client_talks_to_python_server, tags("net")) {
    auto to = co_await server::start();
    BRIDGE_CHECK(co_await get(to.port(), "/echo/hello") == "hello");
    co_await to.stop();
}

BRIDGE_TEST(two_hundred_requests_are_in_flight_at_once, tags("net"), timeout(30s)) {
    constexpr int count = 200;
    auto to = co_await server::start(count);
    const auto executor = co_await asio::this_coro::executor;
    using operation = decltype(asio::co_spawn(executor, get(0, {}), asio::deferred));
    std::vector<operation> requests;
    for (int i = 0; i < count; ++i)
        requests.push_back(asio::co_spawn(executor, get(to.port(), "/together"), asio::deferred));
    auto [order, errors, answers] =
        co_await asio::experimental::make_parallel_group(std::move(requests))
            .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    for (const auto& error : errors)
        BRIDGE_REQUIRE(!error);
    for (const auto& answer : answers)
        BRIDGE_CHECK(answer == "200");
    co_await to.stop();
}

BRIDGE_TEST(python_client_is_awaited_from_cpp, tags("net")) {
    auto to = co_await server::start();
    auto fetching = bridge::with_gil([&] {
        return bridge::py_ref(
            py::module_::import("server").attr("fetch")(to.port(), "/echo/aiohttp"));
    });
    BRIDGE_CHECK(co_await bridge::to_cpp<std::string>(std::move(fetching)) == "aiohttp");
    co_await to.stop();
}
