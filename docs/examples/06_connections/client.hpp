// SPDX-License-Identifier: Apache-2.0
// A class that owns sockets and is awaited from many tasks at once: a client with a pool of
// connections.
#pragma once

#include <bridge/bridge.hpp>

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;

class client {
public:
    client(unsigned short port, unsigned connections)
        : server_(asio::ip::address_v4::loopback(), port),
          on_(bridge::default_runtime().make_executor({})), free_(on_, connections) {
        for (unsigned i = 0; i < connections; ++i)
            free_.try_send(boost::system::error_code(), std::nullopt);
    }

    // Each task that awaits this brings a strand of its own. So it only hands the work over, to the
    // one executor on which all that touches the members runs, and waits for it.
    asio::awaitable<std::string> ask(std::string question) {
        co_return co_await bridge::scope(on_, ask_here(std::move(question)));
    }

private:
    struct connection {
        explicit connection(tcp::socket connected) : socket(std::move(connected)) {}

        tcp::socket socket;
        std::string read;
    };

    // A place in the pool: with an open connection, or with none yet.
    class place {
    public:
        place(client& owner, std::optional<connection> open)
            : owner_(owner), open(std::move(open)) {}

        place(const place&) = delete;

        ~place() { owner_.free_.try_send(boost::system::error_code(), std::move(open)); }

    private:
        client& owner_;

    public:
        std::optional<connection> open;
    };

    asio::awaitable<std::string> ask_here(std::string question) {
        place mine(*this, co_await free_.async_receive(asio::use_awaitable));
        // Out of the place while it is in use: if this is cancelled or fails in between, the answer
        // may still come, and must not be taken for that of the next question.
        auto open = std::exchange(mine.open, std::nullopt);
        if (!open)
            open.emplace(co_await connect());
        question += '\n';
        co_await asio::async_write(open->socket, asio::buffer(question), asio::use_awaitable);
        const auto length = co_await asio::async_read_until(
            open->socket, asio::dynamic_buffer(open->read), '\n', asio::use_awaitable);
        auto answer = open->read.substr(0, length - 1);
        open->read.erase(0, length);
        mine.open = std::move(open);
        co_return answer;
    }

    asio::awaitable<tcp::socket> connect() {
        tcp::socket socket(on_);
        co_await socket.async_connect(server_, asio::use_awaitable);
        co_return socket;
    }

    tcp::endpoint server_;
    bridge::executor on_;
    asio::experimental::channel<void(boost::system::error_code, std::optional<connection>)> free_;
};
