// SPDX-License-Identifier: Apache-2.0
// What each image of these tests does with Asio: everything that has state of its own in an image.
#pragma once

#include <bridge/bridge.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <unistd.h>

namespace work {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;

constexpr auto loopback = asio::ip::address_v4::loopback;

inline asio::awaitable<void> echo(tcp::socket socket, int rounds) {
    std::array<char, 1000> data{};
    for (int i = 0; i < rounds; ++i) {
        co_await asio::async_read(socket, asio::buffer(data), asio::use_awaitable);
        co_await asio::async_write(socket, asio::buffer(data), asio::use_awaitable);
    }
}

/// Both ends of a connection, the other one spawned; at its end the peer has closed.
inline asio::awaitable<int> sockets(int rounds) {
    const auto executor = co_await asio::this_coro::executor;
    tcp::acceptor acceptor(executor, {loopback(), 0});
    tcp::socket client(executor);
    co_await client.async_connect(acceptor.local_endpoint(), asio::use_awaitable);
    asio::co_spawn(executor, echo(co_await acceptor.async_accept(asio::use_awaitable), rounds),
                   asio::detached);
    std::array<char, 1000> data{};
    for (int i = 0; i < rounds; ++i) {
        co_await asio::async_write(client, asio::buffer(data), asio::use_awaitable);
        co_await asio::async_read(client, asio::buffer(data), asio::use_awaitable);
    }
    // Raises EOFError in Python: this image's error, translated by this image.
    co_await client.async_read_some(asio::buffer(data), asio::use_awaitable);
    co_return rounds;
}

inline asio::awaitable<int> datagrams(int rounds) {
    const auto executor = co_await asio::this_coro::executor;
    udp::socket one(executor, {loopback(), 0});
    udp::socket two(executor, {loopback(), 0});
    std::array<char, 100> data{};
    for (int i = 0; i < rounds; ++i) {
        co_await one.async_send_to(asio::buffer(data), two.local_endpoint(), asio::use_awaitable);
        udp::endpoint from;
        co_await two.async_receive_from(asio::buffer(data), from, asio::use_awaitable);
    }
    co_return rounds;
}

inline asio::awaitable<int> timers(int rounds) {
    const auto executor = co_await asio::this_coro::executor;
    for (int i = 0; i < rounds; ++i) {
        asio::steady_timer later(executor, std::chrono::hours(1));
        asio::steady_timer timer(executor, std::chrono::microseconds(i * 37 % 500));
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_return rounds;
}

/// Its answer comes from a thread of Asio's own.
inline asio::awaitable<int> resolve(int rounds) {
    tcp::resolver resolver(co_await asio::this_coro::executor);
    int found = 0;
    for (int i = 0; i < rounds; ++i)
        found += static_cast<int>(
            (co_await resolver.async_resolve("127.0.0.1", "80", asio::use_awaitable)).size());
    co_return found;
}

/// Handlers that another thread posts to the context itself, past bridge's executors.
inline asio::awaitable<int> posts(int rounds) {
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer done(executor, std::chrono::hours(1));
    auto& context = static_cast<asio::io_context&>(done.get_executor().context());
    int came = 0;
    for (int i = 0; i < rounds; ++i) {
        bool here = false;
        std::thread([&] {
            asio::post(context, [&] {
                asio::post(executor, [&] {
                    here = true;
                    done.cancel();
                });
            });
        }).join();
        boost::system::error_code ignored;
        if (!here)
            co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        came += here ? 1 : 0;
        done.expires_after(std::chrono::hours(1));
    }
    co_return came;
}

inline asio::awaitable<int> signals(int number, int rounds) {
    asio::signal_set set(co_await asio::this_coro::executor, number);
    for (int i = 0; i < rounds; ++i) {
        ::kill(::getpid(), number);
        co_await set.async_wait(asio::use_awaitable);
    }
    co_return rounds;
}

/// A coroutine that it spawns awaits the Python awaitable, another image's for example.
inline asio::awaitable<int> relay(bridge::py_ref awaitable) {
    const auto executor = co_await asio::this_coro::executor;
    const auto child = [](bridge::py_ref inner) -> asio::awaitable<int> {
        const auto value = co_await bridge::to_cpp<int>(std::move(inner));
        asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::microseconds(1));
        co_await timer.async_wait(asio::use_awaitable);
        co_return value;
    };
    co_return co_await asio::co_spawn(executor, child(std::move(awaitable)), asio::use_awaitable);
}

inline void bind(pybind11::module_& m) {
    bridge::def_async(m, "sockets", &sockets);
    bridge::def_async(m, "datagrams", &datagrams);
    bridge::def_async(m, "timers", &timers);
    bridge::def_async(m, "resolve", &resolve);
    bridge::def_async(m, "posts", &posts);
    bridge::def_async(m, "signals", &signals);
    bridge::def_async(m, "relay", &relay);
}

} // namespace work
