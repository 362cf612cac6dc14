// SPDX-License-Identifier: Apache-2.0
// A test program whose own coroutines work beside those of the modules that it tests.
#include "work.hpp"

#include <bridge/harness/harness.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

using namespace std::chrono_literals;

BRIDGE_SUITE("program", timeout(60s)) // a busy machine is a machine

namespace {

namespace asio = boost::asio;
namespace py = pybind11;

bridge::py_ref attribute_of(const char* module, const char* name) {
    return bridge::with_gil([&] { return bridge::py_ref(py::module_::import(module).attr(name)); });
}

/// Both sides at once, and each awaits the other.
asio::awaitable<void> test_module(const char* name) {
    const auto executor = co_await asio::this_coro::executor;
    auto theirs = asio::co_spawn(executor, bridge::call<int>(attribute_of(name, "timers"), 50),
                                 asio::deferred);
    auto mine = asio::co_spawn(executor, work::timers(50), asio::deferred);
    using namespace asio::experimental::awaitable_operators;
    const auto [a, b] =
        co_await (std::move(theirs)(asio::use_awaitable) && std::move(mine)(asio::use_awaitable));
    BRIDGE_CHECK(a == 50);
    BRIDGE_CHECK(b == 50);
    for (const char* kind : {"datagrams", "resolve", "posts"})
        BRIDGE_CHECK(co_await bridge::call<int>(attribute_of(name, kind), 20) == 20);
    BRIDGE_CHECK(co_await work::datagrams(20) == 20);
    BRIDGE_CHECK(co_await work::resolve(20) == 20);
    BRIDGE_CHECK(co_await work::posts(20) == 20);
    BRIDGE_CHECK_RAISES(PyExc_EOFError,
                        co_await bridge::call<int>(attribute_of(name, "sockets"), 20));
}

} // namespace

BRIDGE_TEST(a_release_module) {
    co_await test_module("images_release");
}

BRIDGE_TEST(a_debug_module) {
    co_await test_module("images_debug");
}

BRIDGE_TEST(a_module_that_hides_nothing) {
    co_await test_module("images_exposed");
}

#ifdef IMAGES_CLANG
BRIDGE_TEST(a_module_of_another_compiler) {
    co_await test_module("images_clang");
}
#endif

BRIDGE_TEST(everything_of_two_modules) {
    auto images = bridge::with_gil([] {
        return bridge::py_ref(py::make_tuple(py::module_::import("images_release"),
                                             py::module_::import("images_debug")));
    });
    co_await bridge::call<void>(attribute_of("everything", "main"), std::move(images));
}

BRIDGE_TEST(who_shares_is_counted) {
    co_await test_module("images_release");
    const auto before = bridge::stats().images; // also of modules that earlier tests have imported
    co_await test_module("images_release");
    BRIDGE_CHECK(bridge::stats().images == before);
    co_await test_module("images_debug");
    const auto now = bridge::stats();
    BRIDGE_CHECK(before >= 2U);
    BRIDGE_CHECK(now.images >= 3U);
    for (const auto& loop : now.loops)
        if (loop.same_thread) { // images that only earlier loops have seen have none here
            BRIDGE_CHECK(loop.contexts >= 3U);
            BRIDGE_CHECK(loop.contexts <= now.images);
        }
}
