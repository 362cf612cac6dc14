// SPDX-License-Identifier: Apache-2.0
// Fixtures, and values.
#include <bridge/harness/harness.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace py = pybind11;

using asio::ip::tcp;

struct echo_server {
    asio::awaitable<void> set_up() {
        const auto here = co_await asio::this_coro::executor;
        const tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
        acceptor = std::make_shared<tcp::acceptor>(here, any);
        port = acceptor->local_endpoint().port();
        asio::co_spawn(here, serve(acceptor), asio::detached);
    }

    asio::awaitable<void> tear_down() {
        acceptor->close();
        co_return;
    }

    void provide(py::dict names) { names["port"] = port; }

    // It may end after the fixture, and shares what it uses.
    static asio::awaitable<void> serve(std::shared_ptr<tcp::acceptor> from);

    std::shared_ptr<tcp::acceptor> acceptor;
    unsigned short port = 0;
};

asio::awaitable<void> echo_server::serve(std::shared_ptr<tcp::acceptor> from) {
    boost::system::error_code error;
    while (!error) {
        auto client = co_await from->async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (error)
            break;
        std::string line;
        co_await asio::async_read_until(client, asio::dynamic_buffer(line), '\n',
                                        asio::use_awaitable);
        co_await asio::async_write(client, asio::buffer(line), asio::use_awaitable);
    }
}

BRIDGE_TEST_F(echo_server, answers_cpp) {
    tcp::socket socket(co_await asio::this_coro::executor);
    co_await socket.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer("hello\n", 6), asio::use_awaitable);
    std::string line;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(line), '\n', asio::use_awaitable);
    BRIDGE_CHECK(line == "hello\n");
}

BRIDGE_TEST_PY_F(echo_server, answers_python, R"(
    import asyncio

    async def test(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        writer.close()
        await writer.wait_closed()
)")

BRIDGE_TEST_SYNC_F(echo_server, answers_blocking_clients) {
    asio::io_context context;
    tcp::socket socket(context);
    socket.connect({asio::ip::address_v4::loopback(), port});
    asio::write(socket, asio::buffer("hello\n", 6));
    std::string line;
    asio::read_until(socket, asio::dynamic_buffer(line), '\n');
    BRIDGE_CHECK(line == "hello\n");
}

// A table that all tests of a process share.
struct with_table {
    static asio::awaitable<void> set_up_suite() {
        table = {"one", "two"};
        co_return;
    }

    static void tear_down_suite() { table.clear(); }

    inline static std::vector<std::string> table;
};

BRIDGE_TEST_F(with_table, sees_the_table) {
    BRIDGE_CHECK(table.size() == 2);
    co_return;
}

BRIDGE_TEST_F(with_table, sees_the_same_table) {
    BRIDGE_CHECK(table.front() == "one");
    co_return;
}

BRIDGE_TEST_P(is_even, (int number), values{0, 2, 4}) {
    BRIDGE_CHECK(number % 2 == 0);
    co_return;
}

BRIDGE_TEST_P(has_its_size, (std::string text, std::size_t size),
              values{{"one", 3U}, {"two", 3U}, bridge::harness::named("empty", "", 0U)}) {
    BRIDGE_CHECK(text.size() == size);
    co_return;
}

BRIDGE_TEST_FP(echo_server, listens, (unsigned least), values{1U, 1024U}) {
    BRIDGE_CHECK(port >= least);
    co_return;
}
