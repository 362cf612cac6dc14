// SPDX-License-Identifier: Apache-2.0
// Where timers and sockets live that are made on an executor of the library.
#include "runtimes.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace {

using namespace std::chrono_literals;

/// Threads that are not Asio's, as far as the runtime knows.
struct own_threads {
    own_context context;

    void post(bridge::work handlers) {
        asio::post(*context, [handlers = std::move(handlers)]() mutable { handlers(); });
    }
};

// On a loop that has no context of its own.
asio::awaitable<void> sleep_on_the_loop() {
    asio::steady_timer timer(bridge::loop_executor(bridge::current_locals()), 1ms);
    co_await timer.async_wait(asio::use_awaitable);
}

TEST("I/O objects on a foreign loop's executor belong to a default runtime of any kind") {
    own_context context;
    own_threads threads;
    const std::function<std::unique_ptr<bridge::runtime>()> kinds[] = {
        [] { return std::make_unique<bridge::runtime>(); },
        [] { return std::make_unique<bridge::runtime>(bridge::current_thread); },
        [&] { return std::make_unique<bridge::runtime>(*context); },
        [&] { return std::make_unique<bridge::runtime>(threads); },
    };
    for (const auto& make : kinds) {
        CHECK(bridge::shutdown_default_runtime());
        bridge::init_default_runtime(make());
        CHECK(await_in_loop([] { return bridge::to_python(sleep_on_the_loop()); }) == "");
    }
    CHECK(bridge::shutdown_default_runtime());
}

/// Tells when the context that it is in is destroyed.
struct destruction_watch : asio::execution_context::service {
    static inline asio::execution_context::id id;

    explicit destruction_watch(asio::execution_context& in) : service(in) {}

    ~destruction_watch() override { *destroyed = true; }

    void shutdown() override {}

    bool* destroyed = nullptr;
};

TEST("they outlive it, and new ones belong to the next one") {
    bool destroyed = false;
    std::optional<asio::steady_timer> timer;
    const auto make = [&]() -> asio::awaitable<void> {
        timer.emplace(bridge::loop_executor(bridge::current_locals()), 1h);
        auto& in = asio::query(timer->get_executor(), asio::execution::context);
        asio::use_service<destruction_watch>(in).destroyed = &destroyed;
        co_return;
    };
    CHECK(await_in_loop([&] { return bridge::to_python(make()); }) == "");
    auto pending = timer->async_wait(asio::use_future);
    CHECK(bridge::shutdown_default_runtime(0ms));
    CHECK_THROWS(std::future_error, pending.get());
    CHECK(!destroyed);
    timer->cancel();
    const auto again = [&]() -> asio::awaitable<void> {
        asio::steady_timer next(timer->get_executor(), 1ms);
        co_await next.async_wait(asio::use_awaitable);
    };
    CHECK(await_in_loop([&] { return bridge::to_python(again()); }) == "");
    timer.reset();
    CHECK(bridge::shutdown_default_runtime()); // whose threads may have held it, too
    CHECK(destroyed);
}

TEST("none is made where the default runtime was ended and is still the default one") {
    bridge::default_runtime().shutdown(0ms);
    bridge::runtime other({.threads = 1});
    CHECK(await_in_loop([&] {
              return bridge::to_python(other, bridge::task_locals(), sleep_on_the_loop());
          }) == stopped);
    CHECK(bridge::shutdown_default_runtime());
}

TEST("an executor of an ended runtime makes them in the default one") {
    bridge::runtime on({.threads = 1});
    const auto ended = on.make_executor({});
    CHECK(on.shutdown());
    asio::steady_timer(ended, 1ms).async_wait(asio::use_future).get();
}

} // namespace

int main() {
    const bridge::interpreter python;
    return check::run();
}
