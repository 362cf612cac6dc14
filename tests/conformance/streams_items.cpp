// SPDX-License-Identifier: Apache-2.0
// C++ consumes a Python async iterable: which items come, and when they are made.
#include "streams.hpp"

#include <bridge/stats.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <unistd.h>

#include <fstream>
#include <thread>

BRIDGE_SUITE("streams_items")

using namespace streams;
using namespace std::chrono_literals;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool has_memory_of_others = true; // what is freed is kept for a while, and looked after
#else
constexpr bool has_memory_of_others = false;
#endif

std::size_t resident_bytes() {
    std::size_t all = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> all >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

BRIDGE_TEST(of_a_million_items_each_arrives_in_order_and_memory_stays_flat, tags("I1"),
            timeout(120s)) {
    const source python("async def numbers():\n  for i in range(1000000):\n    yield i");
    auto items = to_cpp_stream<int>(python.value("numbers()"), {.buffer = 1024});
    std::size_t before = 0;
    int expected = 0;
    while (auto item = co_await items.next()) {
        if (*item != expected)
            BRIDGE_FAIL("item " + std::to_string(*item) + " in place of " +
                        std::to_string(expected));
        if (++expected == 10'000)
            before = resident_bytes();
    }
    BRIDGE_CHECK(expected == 1'000'000);
    if (!has_memory_of_others)
        BRIDGE_CHECK(resident_bytes() < before + (1 << 20));
}

BRIDGE_TEST(with_a_buffer_and_nobody_who_asks_so_many_items_are_made, tags("I2")) {
    static constexpr std::size_t sizes[] = {1, 2, 11, 64};
    for (const auto buffer : sizes) {
        const source python("");
        auto items = to_cpp_stream<int>(python.value("count(1000)"), {.buffer = buffer});
        const auto enough = "until(lambda: len(seen) >= " + std::to_string(buffer) + ")";
        co_await python.run(enough.c_str());
        co_await python.run("turns(50)");
        BRIDGE_CHECK(python.text("len(seen)") == std::to_string(buffer));
        co_await items.close();
    }
}

BRIDGE_TEST(without_a_buffer_nothing_runs_before_it_is_asked_for, tags("I3")) {
    const source python("");
    auto items = to_cpp_stream<int>(python.value("count(3)"));
    co_await python.run("turns(50)");
    BRIDGE_CHECK(python.text("seen") == "[]");
    BRIDGE_CHECK(co_await items.next() == 0);
    co_await python.run("turns(50)");
    BRIDGE_CHECK(python.text("seen") == "[0]");
    BRIDGE_CHECK(co_await all_of(items) == "1 2");
}

BRIDGE_TEST(an_error_comes_after_the_items_before_it_as_itself_and_then_the_end, tags("I4")) {
    for (const auto buffer : buffers) {
        const source python("error = ValueError('why')\n"
                            "async def failing():\n"
                            "  yield 1\n"
                            "  yield 2\n"
                            "  raise error");
        auto items = to_cpp_stream<int>(python.value("failing()"), {.buffer = buffer});
        co_await python.run("turns()");
        BRIDGE_CHECK(co_await items.next() == 1);
        BRIDGE_CHECK(co_await items.next() == 2);
        bool is_same = false;
        std::string trace;
        try {
            co_await items.next();
        } catch (const bridge::python_error& error) {
            const auto expected = python.value("error");
            bridge::with_gil([&] { is_same = error.value().is(expected.handle()); });
            trace = bridge::with_gil([&] { return error.format(); });
        }
        BRIDGE_CHECK(is_same);
        BRIDGE_CHECK(contains(trace, "in failing"));
        BRIDGE_CHECK(!co_await items.next());
        BRIDGE_CHECK(!co_await items.next());
        co_await items.close();
    }
}

BRIDGE_TEST(a_second_next_is_refused_at_once_and_the_first_goes_on, tags("I9")) {
    using namespace asio::experimental::awaitable_operators;
    const source python("async def late():\n  await raised.wait()\n  yield 7");
    auto items = to_cpp_stream<int>(python.value("late()"));
    const auto second = [](bridge::stream<int>& of,
                           const source& from) -> asio::awaitable<std::string> {
        auto refused = co_await failure_of(of.next());
        co_await from.run("do(raised.set)");
        co_return refused;
    };
    const auto [item, refused] = co_await (items.next() && second(items, python));
    BRIDGE_CHECK(item == 7);
    BRIDGE_CHECK(contains(refused, "another next() of this stream is pending"));
    BRIDGE_CHECK(!co_await items.next());
}

BRIDGE_TEST(what_comes_after_a_cancelled_next_is_the_next_item, tags("I10")) {
    using namespace asio::experimental::awaitable_operators;
    const source python("async def late():\n"
                        "  for i in range(3):\n"
                        "    await raised.wait()\n"
                        "    yield i");
    auto items = to_cpp_stream<int>(python.value("late()"));
    const auto which = co_await (items.next() || native_work::sleep(1ms));
    BRIDGE_CHECK(which.index() == 1);
    co_await python.run("do(raised.set)");
    co_await python.run("turns()");
    BRIDGE_CHECK(co_await all_of(items) == "0 1 2");
}

BRIDGE_TEST(values_errors_and_the_stream_itself_die_on_threads_without_the_gil, tags("I19")) {
    const source python("async def objects():\n"
                        "  yield object()\n"
                        "  yield object()\n"
                        "  raise ValueError('why')");
    auto items = to_cpp_stream(python.value("objects()"), {.buffer = 1});
    auto item = co_await items.next();
    co_await python.run("turns()");
    auto half = to_cpp_stream<std::string>(python.value("closing(9)"), {.buffer = 3});
    std::thread([one = std::move(item), rest = std::move(items), other = std::move(half)] {
    }).join();
    co_await python.run("turns(50)");
    BRIDGE_CHECK(bridge::unasked_gil_takes() == 0);
}

BRIDGE_TEST(the_stream_is_the_only_owner_and_the_collector_takes_nothing, tags("I20")) {
    for (const auto buffer : buffers) {
        const source python("");
        auto items = to_cpp_stream<int>(python.value("closing(50)"), {.buffer = buffer});
        for (int i = 0; i < 50; ++i) {
            python.text("gc.collect()");
            BRIDGE_CHECK(co_await items.next() == i);
            co_await python.run("turns(1)");
        }
        BRIDGE_CHECK(!co_await items.next());
        BRIDGE_CHECK(python.text("seen") == "['closed']");
    }
}

BRIDGE_TEST(many_threads_consume_streams_of_one_loop_with_few_wakes, tags("I21"), timeout(60s)) {
    constexpr int each = 20'000, streams = 8;
    const source python("async def numbers(n):\n  for i in range(n):\n    yield i");
    static auto& threads = *new bridge::runtime({.threads = 8});
    const auto locals = bridge::current_locals();
    const auto wakes = [&] {
        return bridge::with_gil([&] { return bridge::detail::port_of(locals).stats().wakes; });
    };
    const auto before = wakes();
    std::vector<py_ref> running;
    for (int n = 0; n < streams; ++n) {
        auto body = [](bridge::stream<int> items) -> asio::awaitable<bool> {
            int expected = 0;
            while (auto item = co_await items.next())
                if (*item != expected++)
                    co_return false;
            co_return expected == each;
        }(to_cpp_stream<int>(locals, python.value("numbers(20000)"), {.buffer = 256}));
        running.push_back(bridge::with_gil(
            [&] { return py_ref(bridge::to_python_future(threads, locals, std::move(body))); }));
    }
    for (auto& one : running)
        BRIDGE_CHECK(co_await bridge::to_cpp<bool>(std::move(one)));
    BRIDGE_CHECK(wakes() - before < each * streams / 10);
}

BRIDGE_TEST(an_item_that_does_not_convert_ends_the_stream_and_closes_the_generator,
            tags("bad_input")) {
    for (const auto buffer : buffers) {
        const source python("async def mixed():\n"
                            "  try:\n"
                            "    yield 1\n"
                            "    yield 'two'\n"
                            "    yield 3\n"
                            "  finally:\n"
                            "    seen.append('closed')");
        auto items = to_cpp_stream<int>(python.value("mixed()"), {.buffer = buffer});
        BRIDGE_CHECK(co_await items.next() == 1);
        BRIDGE_CHECK(co_await failure_of(items.next()) ==
                     "TypeError: to_cpp_stream: item 1 is a 'str', which does not convert to C++ "
                     "type 'int'; ask for bridge::py_ref to take items as they are");
        BRIDGE_CHECK(!co_await items.next());
        co_await items.close();
        BRIDGE_CHECK(python.text("seen") == "['closed']");
    }
}

BRIDGE_TEST(a_stream_that_was_moved_from_says_so) {
    const source python("");
    auto items = to_cpp_stream<int>(python.value("count(1)"));
    auto moved = std::move(items);
    std::string refused;
    try {
        co_await items.next();
    } catch (const std::logic_error& error) {
        refused = error.what();
    }
    BRIDGE_CHECK(refused == "stream: this one was moved from");
    BRIDGE_CHECK(co_await all_of(moved) == "0");
}

BRIDGE_TEST(for_each_awaits_the_function_and_closes_the_generator) {
    const source python("");
    auto items = to_cpp_stream<int>(python.value("closing(3)"));
    int sum = 0;
    co_await items.for_each([&](int item) { sum += item; });
    BRIDGE_CHECK(sum == 3);
    auto others = to_cpp_stream<int>(python.value("closing(9)"));
    const auto failed = co_await failure_of(others.for_each([](int item) -> asio::awaitable<void> {
        co_await native_work::post();
        if (item == 1)
            throw std::runtime_error("enough");
    }));
    BRIDGE_CHECK(failed == "enough");
    BRIDGE_CHECK(python.text("seen") == "['closed', 'closed']");
}
