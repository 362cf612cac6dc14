// SPDX-License-Identifier: Apache-2.0
// The checks.
#include <bridge/harness/harness.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace asio = boost::asio;
namespace py = pybind11;

using bridge::harness::near;
using namespace std::chrono_literals;

namespace {

asio::awaitable<std::vector<int>> fetch() {
    co_return std::vector{1, 2, 3};
}

bridge::py_ref int_of(const char* text) {
    return bridge::with_gil(
        [&] { return bridge::py_ref(py::module_::import("builtins").attr("int")(text)); });
}

} // namespace

BRIDGE_TEST(says_what_it_expects) {
    BRIDGE_REQUIRE((co_await fetch()).size() == 3);
    const auto numbers = co_await fetch();
    BRIDGE_CHECK(numbers == std::vector{1, 2, 3});
    BRIDGE_CHECK(0.1 + 0.2 == near(0.3));
    BRIDGE_CHECK(int_of("42") == 42);
}

BRIDGE_TEST(expects_exceptions) {
    BRIDGE_CHECK_THROWS(std::out_of_range, std::vector<int>().at(1));
    BRIDGE_REQUIRE_THROWS(std::exception, throw std::runtime_error("expected"));
    BRIDGE_CHECK_RAISES("ValueError", int_of("no number"));
    BRIDGE_REQUIRE_RAISES(PyExc_ValueError, int_of("no number"));
    co_return;
}

BRIDGE_TEST(says_where_in_a_loop) {
    for (const int number : co_await fetch()) {
        BRIDGE_CONTEXT("number ", number);
        BRIDGE_CHECK(number > 0);
    }
}

BRIDGE_TEST(waits_for_something) {
    asio::steady_timer timer(co_await asio::this_coro::executor, 10ms);
    bool has_come = false;
    timer.async_wait([&](const boost::system::error_code&) { has_come = true; });
    BRIDGE_EVENTUALLY(has_come, 5s);
}

BRIDGE_TEST_SYNC(waits_for_a_thread) {
    std::atomic<bool> has_come = false;
    std::jthread other([&] { has_come = true; });
    BRIDGE_EVENTUALLY_SYNC(has_come.load(), 5s);
}

BRIDGE_TEST(ends_early) {
    if (std::getenv("NO_SUCH_VARIABLE") == nullptr)
        BRIDGE_SKIP("it needs NO_SUCH_VARIABLE");
    BRIDGE_INFO("a line beside the result");
    BRIDGE_FAIL("not written yet");
    co_return;
}
