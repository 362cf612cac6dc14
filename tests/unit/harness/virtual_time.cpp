// SPDX-License-Identifier: Apache-2.0
// Tests in virtual time; test_virtual_time.py knows what each must say.
#include <bridge/harness/harness.hpp>

#include <bridge/detail/virtual_time.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect_pipe.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/writable_pipe.hpp>
#include <boost/asio/write.hpp>

#include <pybind11/eval.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace asio = boost::asio;
namespace py = pybind11;

using bridge::detail::real_clock;
using bridge::harness::current;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> sleep(steady_clock::duration time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> sleep_in_python(double seconds) {
    auto coroutine = bridge::with_python(
        [&] { return bridge::py_ref(py::module_::import("asyncio").attr("sleep")(seconds)); });
    co_await bridge::to_cpp<void>(std::move(coroutine));
}

double loop_time() {
    return bridge::with_python(
        [] { return bridge::current_locals().event_loop().attr("time")().cast<double>(); });
}

asio::awaitable<void> say(std::string& to, char what, steady_clock::duration after) {
    co_await sleep(after);
    to += what;
}

asio::awaitable<void> say_in_python(std::string& to, char what, double after) {
    co_await sleep_in_python(after);
    to += what;
}

} // namespace

BRIDGE_TEST(sleeps_for_a_year, virtual_time()) {
    const auto begun = steady_clock::now();
    const auto really = real_clock::now();
    co_await sleep(24h * 365);
    BRIDGE_CHECK((steady_clock::now() - begun >= 24h * 365));
    BRIDGE_CHECK((steady_clock::now() - begun < 24h * 365 + 1ms));
    BRIDGE_CHECK((real_clock::now() - really < 20s));
}

BRIDGE_TEST(sleeps_in_python, virtual_time()) {
    const auto begun = steady_clock::now();
    const auto before = loop_time();
    co_await sleep_in_python(3600);
    BRIDGE_CHECK((steady_clock::now() - begun == 1h));
    BRIDGE_CHECK((loop_time() - before > 3599.999 && loop_time() - before < 3600.001));
}

// As everybody does who waits up to a moment: it comes.
BRIDGE_TEST_PY(sleeps_until_a_moment, R"(
    import asyncio

    async def test():
        loop = asyncio.get_running_loop()
        for i in range(200):
            moment = loop.time() + 0.1 * i + 1e-10
            while loop.time() < moment:
                await asyncio.sleep(moment - loop.time())
)",
               virtual_time())

// The same moment on both sides.
BRIDGE_TEST(has_one_clock, virtual_time()) {
    for (int i = 0; i < 3; ++i) {
        const std::chrono::duration<double> here = steady_clock::now().time_since_epoch();
        BRIDGE_CHECK(here.count() == bridge::harness::near(loop_time(), 1e-6));
        co_await sleep(10min);
    }
}

BRIDGE_TEST(has_one_order, virtual_time(), timeout(20s)) {
    using namespace asio::experimental::awaitable_operators;
    std::string said;
    co_await (say(said, 'd', 40ms) && say_in_python(said, 'a', 0.010) && say(said, 'b', 20ms) &&
              say_in_python(said, 'c', 0.030) && say_in_python(said, 'e', 0.0400001) &&
              say(said, 'g', 3h) && say_in_python(said, 'f', 3 * 3600 - 0.001));
    BRIDGE_CHECK(said == "abcdefg");
}

// Work between the two does not count, however long it takes.
BRIDGE_TEST(stands_still_while_it_works, virtual_time()) {
    using namespace asio::experimental::awaitable_operators;
    std::string said;
    const auto work_before = [&](char what, steady_clock::duration after) -> asio::awaitable<void> {
        std::this_thread::sleep_for(20ms);
        co_await say(said, what, after);
    };
    co_await (say(said, 'b', 10ms) && work_before('a', 5ms) && say_in_python(said, 'c', 0.015));
    BRIDGE_CHECK(said == "abc");
}

BRIDGE_TEST(ends_a_timeout_of_python, virtual_time()) {
    const auto begun = steady_clock::now();
    BRIDGE_CHECK_RAISES(
        "TimeoutError", co_await []() -> asio::awaitable<void> {
            auto coroutine = bridge::with_python([] {
                const auto asyncio = py::module_::import("asyncio");
                return bridge::py_ref(asyncio.attr("wait_for")(asyncio.attr("sleep")(7200), 3600));
            });
            co_await bridge::to_cpp<void>(std::move(coroutine));
        }());
    BRIDGE_CHECK((steady_clock::now() - begun == 1h));
}

BRIDGE_TEST(ends_a_timeout_of_cpp, virtual_time()) {
    const auto begun = steady_clock::now();
    BRIDGE_CHECK_THROWS(boost::system::system_error, co_await bridge::with_timeout(sleep(2h), 1h));
    BRIDGE_CHECK((steady_clock::now() - begun == 1h));
}

BRIDGE_TEST_PY(is_python_in_virtual_time, R"(
    import asyncio, time

    async def test(advance, settle):
        loop = asyncio.get_running_loop()
        begun, really = loop.time(), time.monotonic()
        said = []
        loop.call_later(60, said.append, "timer")
        await settle()
        assert said == []
        await advance(59)
        assert said == []
        await advance(1)
        assert said == ["timer"], said
        try:
            async with asyncio.timeout(600):
                await asyncio.sleep(3600)
        except TimeoutError:
            said.append("timeout")
        assert said == ["timer", "timeout"]
        assert abs(loop.time() - begun - 660) < 1e-6
        assert time.monotonic() - really < 20
)",
               virtual_time())

BRIDGE_TEST(advances, virtual_time()) {
    const auto test = current();
    const auto begun = steady_clock::now();
    asio::steady_timer timer(co_await asio::this_coro::executor, 30min);
    steady_clock::time_point rang;
    timer.async_wait([&](const boost::system::error_code& error) {
        if (!error)
            rang = steady_clock::now();
    });
    co_await test.advance(29min);
    BRIDGE_CHECK((rang == steady_clock::time_point()));
    BRIDGE_CHECK((steady_clock::now() == begun + 29min));
    co_await test.advance(2min);
    BRIDGE_CHECK((rang - begun < 30min + 1us && rang - begun >= 30min));
    BRIDGE_CHECK((steady_clock::now() == begun + 31min));
}

BRIDGE_TEST(does_not_go_back, virtual_time()) {
    BRIDGE_CHECK_RAISES("ValueError", co_await current().advance(-1s));
}

BRIDGE_TEST(settles, virtual_time()) {
    std::string said;
    asio::co_spawn(co_await asio::this_coro::executor, say(said, 'a', 0s), asio::detached);
    asio::co_spawn(co_await asio::this_coro::executor, say(said, 'b', 1ms), asio::detached);
    const auto begun = steady_clock::now();
    co_await current().settle();
    BRIDGE_CHECK(said == "a");
    BRIDGE_CHECK((steady_clock::now() == begun));
    co_await current().advance(1ms);
    BRIDGE_CHECK(said == "ab");
}

// Data that comes from outside comes before a timer, however near that is in virtual time.
BRIDGE_TEST(waits_for_io, virtual_time()) {
    const auto here = co_await asio::this_coro::executor;
    asio::readable_pipe reader(here);
    asio::writable_pipe writer(here);
    asio::connect_pipe(reader, writer);
    std::jthread other([&writer] {
        std::this_thread::sleep_for(100ms);
        asio::write(writer, asio::buffer("x", 1));
    });
    const auto begun = steady_clock::now();
    char got = 0;
    const auto size = co_await bridge::with_timeout(
        asio::async_read(reader, asio::buffer(&got, 1), asio::use_awaitable), 1h);
    BRIDGE_CHECK(size == 1);
    BRIDGE_CHECK((steady_clock::now() - begun < 20s));
}

BRIDGE_TEST_PY(waits_for_pythons_io, R"(
    import asyncio, os, threading, time

    async def test():
        loop = asyncio.get_running_loop()
        reader, writer = os.pipe()
        came = loop.create_future()
        loop.add_reader(reader, lambda: came.done() or came.set_result(os.read(reader, 1)))
        threading.Timer(0.1, os.write, (writer, b"x")).start()
        assert await asyncio.wait_for(came, 3600) == b"x"
        loop.remove_reader(reader)
        os.close(reader), os.close(writer)
        begun = loop.time()
        await asyncio.sleep(3600)
        assert loop.time() - begun > 3599
)",
               virtual_time())

BRIDGE_TEST(waits_for_threads, virtual_time()) {
    const auto begun = steady_clock::now();
    const auto result = co_await bridge::with_timeout(bridge::to_thread([] {
                                                          std::this_thread::sleep_for(100ms);
                                                          return 7;
                                                      }),
                                                      1h);
    BRIDGE_CHECK(result == 7);
    BRIDGE_CHECK((steady_clock::now() - begun < 20s));
}

BRIDGE_TEST_PY(waits_for_executors, R"(
    import asyncio, time

    async def test():
        assert await asyncio.wait_for(asyncio.to_thread(time.sleep, 0.1), 3600) is None
        await asyncio.get_running_loop().shutdown_default_executor()
)",
               virtual_time())

BRIDGE_TEST(looks_until_it_is_so, virtual_time()) {
    const auto begun = steady_clock::now();
    BRIDGE_EVENTUALLY((steady_clock::now() - begun >= 30s), 1min);
}

BRIDGE_TEST(hangs_in_virtual_time, virtual_time(), timeout(300ms)) {
    co_await sleep(1h);
    asio::steady_timer never(co_await asio::this_coro::executor, steady_clock::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
}

BRIDGE_TEST(hangs_on_io, virtual_time(), timeout(300ms)) {
    const auto here = co_await asio::this_coro::executor;
    asio::readable_pipe reader(here);
    asio::writable_pipe writer(here);
    asio::connect_pipe(reader, writer);
    char got = 0;
    co_await asio::async_read(reader, asio::buffer(&got, 1), asio::use_awaitable);
}

BRIDGE_TEST(never_stops_ticking, virtual_time(), timeout(300ms)) {
    for (;;)
        co_await sleep(1s);
}

BRIDGE_TEST(leaves_a_sleeper, virtual_time()) {
    asio::co_spawn(co_await asio::this_coro::executor, sleep_in_python(3600), asio::detached);
    co_await sleep(1s);
}

BRIDGE_TEST(has_real_time, loops("same-thread")) {
    BRIDGE_CHECK_THROWS(std::logic_error, co_await current().advance(1s));
    BRIDGE_CHECK_THROWS(std::logic_error, co_await current().settle());
    const auto begun = steady_clock::now();
    co_await sleep(20ms);
    BRIDGE_CHECK((real_clock::now() - begun >= 20ms));
}

BRIDGE_TEST_SYNC(is_not_on_the_loop, virtual_time()) {}

BRIDGE_TEST(is_for_another_loop, virtual_time(), loops("asyncio", "same-thread")) {
    co_return;
}
