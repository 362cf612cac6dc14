// SPDX-License-Identifier: Apache-2.0
// A WebSocket of Boost.Beast whose messages Python iterates over.
#include <bridge/bridge.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

namespace {

using socket_type = websocket::stream<beast::tcp_stream>;

// What the server sends, until it closes the connection.
bridge::generator<std::string> messages(unsigned short port, std::string path) {
    socket_type from(co_await asio::this_coro::executor);
    co_await from.next_layer().async_connect({asio::ip::address_v4::loopback(), port},
                                             asio::use_awaitable);
    co_await from.async_handshake("127.0.0.1", path, asio::use_awaitable);
    std::exception_ptr left;
    try {
        for (;;) {
            beast::flat_buffer message;
            auto [error, size] =
                co_await from.async_read(message, asio::as_tuple(asio::use_awaitable));
            if (error == websocket::error::closed)
                co_return;
            if (error)
                throw boost::system::system_error(error);
            co_yield beast::buffers_to_string(message.data());
        }
    } catch (...) { // Python leaves, or the connection is broken
        left = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state();
    co_await from.async_close(websocket::close_code::normal, asio::as_tuple(asio::use_awaitable));
    std::rethrow_exception(left);
}

} // namespace

PYBIND11_MODULE(example_websocket, module) {
    bridge::def_async(module, "messages", &messages, pybind11::arg("port"), pybind11::arg("path"));
}
