// SPDX-License-Identifier: Apache-2.0
// One test for each way of writing tests; test_written.py knows what each must say.
#include "written.hpp"

#include <pybind11/eval.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <signal.h>

namespace asio = boost::asio;
namespace harness = bridge::harness;

using harness::current;
using namespace std::chrono_literals;
using namespace written;

BRIDGE_SUITE("written", timeout(20s), tags("file"), ignore_leaks("task:ignored-*"))

namespace {

struct server {
    server() { say("made"); }

    ~server() { say("destroyed"); }

    asio::awaitable<void> set_up() {
        co_await sleep(1ms);
        say("set_up");
        port = 80;
    }

    asio::awaitable<void> tear_down() {
        co_await sleep(1ms);
        say("tear_down");
        port = 0;
    }

    void provide(bridge::py::dict names) { names["port"] = port; }

    int port = 0;
};

struct plain {
    void set_up() { number = 7; }

    int number = 0;
};

struct fails_to_set_up : server {
    asio::awaitable<void> set_up() {
        co_await server::set_up();
        throw std::runtime_error("no server");
    }
};

struct requires_in_set_up {
    void set_up() { BRIDGE_REQUIRE(1 == 2); }
};

struct skips_in_set_up {
    void set_up() { BRIDGE_SKIP("no server here"); }
};

struct cannot_be_made {
    cannot_be_made() { throw std::runtime_error("cannot be made"); }
};

struct fails_to_tear_down {
    asio::awaitable<void> tear_down() {
        co_await sleep(1ms);
        throw std::runtime_error("cannot stop");
    }
};

struct hangs_in_set_up : server {
    asio::awaitable<void> set_up() { co_await sleep(1h); }
};

struct hangs_in_tear_down {
    asio::awaitable<void> tear_down() { co_await sleep(1h); }
};

struct point {
    int x;
    int y;

    bool operator==(const point&) const = default;
};

std::ostream& operator<<(std::ostream& to, const point& value) {
    return to << value.x << ":" << value.y;
}

std::vector<int> small_primes() {
    return {2, 3, 5};
}

} // namespace

BRIDGE_TEST_F(server, has_a_fixture) {
    BRIDGE_CHECK(port == 80);
    co_await sleep(1ms);
    say("body");
}

BRIDGE_TEST_F(plain, has_a_plain_fixture) {
    BRIDGE_CHECK(number == 7);
    co_return;
}

BRIDGE_TEST_SYNC_F(server, has_a_fixture_off_the_loop) {
    BRIDGE_CHECK(port == 80);
    say("body");
}

BRIDGE_TEST_F(server, fails_with_a_fixture) {
    BRIDGE_REQUIRE(port == 81);
    co_return;
}

BRIDGE_TEST_F(server, throws_with_a_fixture) {
    co_await sleep(1ms);
    throw std::runtime_error("thrown by the body");
}

BRIDGE_TEST_F(server, hangs_with_a_fixture, timeout(300ms)) {
    co_await sleep(1h);
}

BRIDGE_TEST_F(fails_to_set_up, is_not_run) {
    say("body");
    co_return;
}

BRIDGE_TEST_F(requires_in_set_up, is_not_run_either) {
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST_F(skips_in_set_up, is_skipped_by_its_fixture) {
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST_F(cannot_be_made, has_no_fixture) {
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST_F(fails_to_tear_down, passes_before_a_failing_tear_down) {
    co_return;
}

BRIDGE_TEST_F(fails_to_tear_down, fails_before_a_failing_tear_down) {
    BRIDGE_CHECK(1 == 2);
    co_return;
}

BRIDGE_TEST_F(fails_to_tear_down, hangs_before_a_failing_tear_down, timeout(300ms)) {
    co_await sleep(1h);
}

BRIDGE_TEST_F(hangs_in_set_up, hangs_before_it_runs, timeout(300ms)) {
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST_F(hangs_in_tear_down, hangs_after_it_ran, timeout(300ms)) {
    co_return;
}

BRIDGE_TEST_F(hangs_in_tear_down, hangs_twice, timeout(300ms)) {
    co_await sleep(1h);
}

BRIDGE_TEST_P(has_a_value, (int number), values{1, 2, 3}) {
    BRIDGE_CHECK(number != 2);
    co_return;
}

BRIDGE_TEST_P(has_several_values, (std::string text, std::size_t size),
              values{{"one", 3U}, {"a b/c", 5U}, harness::named("none", "", 0U)}, tags("table")) {
    co_await sleep(1ms);
    BRIDGE_CHECK(text.size() == size);
}

BRIDGE_TEST_P(has_values_of_a_range, (int prime), values(small_primes())) {
    BRIDGE_CHECK(prime > 1);
    co_return;
}

BRIDGE_TEST_P(has_values_of_its_own_type, (point where), values{point{1, 2}, point{3, 4}}) {
    BRIDGE_CHECK(where.x < where.y);
    co_return;
}

BRIDGE_TEST_P(has_values_without_text, (opaque what), values{harness::named("a", opaque{1})}) {
    BRIDGE_CHECK(what.value == 1);
    co_return;
}

BRIDGE_TEST_FP(server, has_a_fixture_and_a_value, (int wanted), values{80, 81}) {
    BRIDGE_CHECK(port == wanted);
    co_return;
}

BRIDGE_TEST_P(has_no_values, (int number)) {
    BRIDGE_CHECK(number == 0);
    co_return;
}

// Reports of where everything is are handlers of signals.
BRIDGE_TEST_MAIN_THREAD(has_room_for_reports) {
    stack_t now{};
    BRIDGE_CHECK(::sigaltstack(nullptr, &now) == 0);
    BRIDGE_CHECK(now.ss_size >= 128 * 1024);
}

BRIDGE_TEST_MAIN_THREAD(has_the_main_thread) {
    BRIDGE_CHECK(PyGILState_Check() == 1);
    const auto answer =
        bridge::py::eval("__import__('asyncio').run(__import__('asyncio').sleep(0, 42))");
    BRIDGE_CHECK(answer == 42);
    BRIDGE_CHECK(current().name == "has_the_main_thread");
}

BRIDGE_TEST_MAIN_THREAD(fails_on_the_main_thread) {
    throw std::runtime_error("thrown on the main thread");
}

BRIDGE_TEST_MAIN_THREAD(hangs_on_the_main_thread, timeout(300ms)) {
    for (;;)
        std::this_thread::sleep_for(1h);
}

BRIDGE_TEST_PY(is_python, R"(
    import asyncio

    async def test():
        await asyncio.sleep(0)
        assert asyncio.current_task().get_name() == "written.is_python"
)",
               tags("python"))

BRIDGE_TEST_PY(is_plain_python, R"(
    import asyncio

    def test():
        assert asyncio.get_running_loop()
)")

BRIDGE_TEST_PY_F(server, is_python_with_a_fixture, R"(
    async def test(port, temporary_folder, free_port, random, artifact, other=1):
        assert port == 80 and other == 1
        assert temporary_folder.is_dir()
        assert 0 < free_port < 65536
        assert 0 <= random.random() < 1
        assert artifact("a").name == "a"
        print("body", flush=True)
)")

BRIDGE_TEST_PY(fails_in_python, R"(
    async def test():
        assert 1 == 2, "as it must" # the line
)")

BRIDGE_TEST_PY(skips_in_python, R"(
    import unittest

    async def test():
        raise unittest.SkipTest("no network here")
)")

BRIDGE_TEST_PY(takes_what_nobody_provides, "async def test(nothing): pass")

BRIDGE_TEST_PY(defines_no_test, "async def run(): pass")

BRIDGE_TEST_PY(is_no_python, "async def test(:")

// The second exception has the memory of the first one.
BRIDGE_TEST(fails_by_what_nobody_threw) {
    try {
        throw std::runtime_error("thrown and caught");
    } catch (const std::runtime_error&) {
    }
    std::rethrow_exception(std::make_exception_ptr(std::runtime_error("made")));
    co_return;
}

BRIDGE_TEST(fails_as_expected, xfail("bug 12")) {
    BRIDGE_CHECK(1 == 2);
    co_return;
}

BRIDGE_TEST(throws_as_expected, xfail("bug 13")) {
    co_await sleep(1ms);
    throw std::runtime_error("as it does");
}

BRIDGE_TEST(passes_unexpectedly, xfail("bug 14")) {
    co_return;
}

BRIDGE_TEST(passes_now_and_then, may_fail("bug 15")) {
    co_return;
}

BRIDGE_TEST(fails_now_and_then, may_fail("bug 16")) {
    BRIDGE_CHECK(1 == 2);
    co_return;
}

BRIDGE_TEST(hangs_though_it_may_fail, may_fail("bug 17"), timeout(300ms)) {
    co_await sleep(1h);
}

BRIDGE_TEST(skips_though_it_should_fail, xfail("bug 18")) {
    BRIDGE_SKIP("not here");
    co_return;
}

BRIDGE_TEST(is_skipped_if, skip_if(false, "never"), skip_if(true, "not on this system")) {
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST(is_skipped_by_python,
            skip_if([] { return !bridge::py::hasattr(bridge::py::module_::import("sys"), "no"); },
                    "no sys.no")) {
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST(has_a_failing_condition,
            skip_if([]() -> bool { throw std::runtime_error("cannot tell"); }, "never")) {
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST(is_for_two_loops, loops("asyncio+debug", "same-thread")) {
    BRIDGE_INFO(std::string(current().loop));
    BRIDGE_CHECK(bridge::with_gil([] {
                     return bridge::current_locals().event_loop().attr("get_debug")().cast<bool>();
                 }) == (current().loop == "asyncio+debug"));
    co_return;
}

BRIDGE_TEST_PY(ignores_a_leak, R"(
    import asyncio

    async def test():
        asyncio.kept = asyncio.create_task(asyncio.sleep(3600), name="ignored-task")
)")

BRIDGE_TEST_PY(ignores_another_leak_only, R"(
    import asyncio

    async def test():
        asyncio.kept = asyncio.create_task(asyncio.sleep(3600), name="other-task")
)")
