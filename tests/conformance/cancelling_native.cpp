// SPDX-License-Identifier: Apache-2.0
// Python cancels C++: at every moment of its life, and whatever it answers.
#include "native_work.hpp"

#include <bridge/harness/harness.hpp>

#include <boost/asio/cancellation_state.hpp>

#include <cstdlib>
#include <thread>

BRIDGE_SUITE("cancelling_native")

using namespace native_work;

namespace {

bool has_same_thread_loop() {
    const char* loop = std::getenv("BRIDGE_TEST_LOOP");
    return loop != nullptr && std::string(loop) == "same-thread";
}

using native_work::run;

asio::awaitable<std::string> run(const char* source) {
    return native_work::run(source, "unused", [] {});
}

} // namespace

BRIDGE_TEST(before_it_starts_nothing_runs) {
    BRIDGE_CHECK(co_await run(R"(
async def main():
    task = asyncio.create_task(forever())
    task.cancel("why")
    return f"{await outcome(task)} {counts()}"
)") == "CancelledError('why',) (0, 0, 0)");
}

BRIDGE_TEST(a_request_to_one_that_never_starts_keeps_nothing) {
    const auto kept = std::make_shared<int>();
    bridge::with_gil([&] {
        const py::object one = bridge::to_python(
            [](std::shared_ptr<int>) -> asio::awaitable<void> { co_return; }(kept));
        one.attr("cancel")();
        one.attr("close")();
    });
    BRIDGE_CHECK(kept.use_count() == 1);
    co_return;
}

BRIDGE_TEST(while_it_runs_its_end_comes_before_the_awaiting_task_goes_on) {
    BRIDGE_CHECK(co_await run(R"(
async def main():
    task = asyncio.create_task(forever())
    await until(lambda: counts()[0] == 1)
    task.cancel("why")
    return f"{await outcome(task)} {counts()}"
)") == "CancelledError('why',) (1, 1, 0)");
}

BRIDGE_TEST(the_hot_form_too) {
    BRIDGE_CHECK(co_await run(R"(
async def main():
    future = hot_forever()
    asked = future.cancel("why"), future.cancelled()
    return f"{asked} {await outcome(future)} {future.cancelled()} {counts()}"
)") == "(True, False) CancelledError('why',) True (1, 1, 0)");
}

BRIDGE_TEST(the_hot_form_among_the_results_of_a_gather) {
    BRIDGE_CHECK(co_await run(R"(
async def main():
    futures = [hot_forever(), hot_hop()]
    futures[0].cancel("why")
    ends = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 60)
    return f"{ends} {counts()}"
)") == "[CancelledError('why'), 1] (2, 2, 1)");
}

BRIDGE_TEST(while_its_completion_is_in_the_port_the_request_is_not_lost) {
    if (has_same_thread_loop())
        BRIDGE_SKIP("native code completes on the loop's own thread: there is no such moment");
    // The loop sees nothing of the completion until this function has returned.
    const auto wait_for_end = [] {
        bridge::without_gil([] {
            while (ended.load() == 0)
                std::this_thread::yield();
        });
    };
    BRIDGE_CHECK(co_await run(R"(
async def main():
    future = hot_hop()
    wait_for_end()
    task = asyncio.create_task(hop())
    return f"{future.cancel('late')} {await outcome(future)} {counts()[2] >= 1} {await task}"
)",
                              "wait_for_end",
                              wait_for_end) == "True CancelledError('late',) True 1");
}

BRIDGE_TEST(after_its_completion_it_is_refused) {
    BRIDGE_CHECK(co_await run(R"(
async def main():
    future = hot_hop()
    await asyncio.wait([future])
    task = asyncio.create_task(hop())
    await task
    return f"{future.cancel()} {future.result()} {task.cancel()} {task.result()}"
)") == "False 1 False 1");
}

BRIDGE_TEST(twice_in_a_row_is_once) {
    BRIDGE_CHECK(co_await run(R"(
async def main():
    task = asyncio.create_task(forever())
    await until(lambda: counts()[0] == 1)
    task.cancel("one"), task.cancel("two")
    return f"{await outcome(task)} {counts()}"
)") == "CancelledError('one',) (1, 1, 0)");
}

BRIDGE_TEST(a_second_request_ends_the_clean_up) {
    const auto stubborn = [] {
        return bridge::to_python([]() -> asio::awaitable<std::string> {
            std::string seen;
            for (int i = 0; i < 2; ++i) {
                try {
                    co_await forever();
                } catch (const boost::system::system_error& error) {
                    seen += is_cancellation(error) ? "cancelled " : "failed ";
                }
                co_await asio::this_coro::reset_cancellation_state(
                    asio::enable_total_cancellation());
            }
            co_return seen;
        }());
    };
    BRIDGE_CHECK(co_await run(R"(
async def main():
    task = asyncio.create_task(stubborn())
    await until(lambda: counts()[0] == 1)
    task.cancel()
    await until(lambda: counts()[0] == 2)
    task.cancel()
    return await outcome(task)
)",
                              "stubborn", stubborn) == "cancelled cancelled ");
}

BRIDGE_TEST(native_code_awaits_in_its_clean_up) {
    const auto careful = [](const py::object& close) {
        return bridge::to_python([](py_ref function) -> asio::awaitable<void> {
            try {
                co_await forever();
            } catch (const boost::system::system_error&) {
            }
            co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
            co_await post();
            co_await bridge::to_cpp<void>(call(function));
            co_await sleep(std::chrono::milliseconds(1));
            throw boost::system::system_error(asio::error::operation_aborted);
        }(py_ref(close)));
    };
    BRIDGE_CHECK(co_await run(R"(
async def main():
    seen = []
    async def close():
        await asyncio.sleep(0.001)
        seen.append("closed")
    task = asyncio.create_task(careful(close))
    await until(lambda: counts()[0] == 1)
    task.cancel("why")
    return f"{await outcome(task)} {seen}"
)",
                              "careful", careful) == "CancelledError('why',) ['closed']");
}

BRIDGE_TEST(without_a_reset_the_clean_up_cannot_await) {
    const auto careless = [] {
        return bridge::to_python([]() -> asio::awaitable<void> {
            try {
                co_await forever();
            } catch (const boost::system::system_error&) {
            }
            co_await post(); // Asio throws here again
            ++completed;
        }());
    };
    BRIDGE_CHECK(co_await run(R"(
async def main():
    task = asyncio.create_task(careless())
    await until(lambda: counts()[0] == 1)
    task.cancel()
    return f"{await outcome(task)} {counts()}"
)",
                              "careless", careless) == "CancelledError() (1, 1, 0)");
}

BRIDGE_TEST(wait_for_and_timeout_return_when_native_code_has_ended) {
    BRIDGE_CHECK(co_await run(R"(
async def main():
    seen = []
    for _ in range(20):
        try:
            await asyncio.wait_for(forever(), 0.001)
        except asyncio.TimeoutError:
            seen.append(counts()[0] - counts()[1])
    return str(set(seen))
)") == "{0}");
}

BRIDGE_TEST(operation_aborted_of_its_own_cancels_the_task) {
    const auto aborted = [] {
        return bridge::to_python([]() -> asio::awaitable<void> {
            co_await post();
            throw boost::system::system_error(asio::error::operation_aborted);
        }());
    };
    BRIDGE_CHECK(co_await run(R"(
async def main():
    task = asyncio.create_task(aborted())
    return f"{await outcome(task)} {task.cancelled()}"
)",
                              "aborted", aborted) == "CancelledError() True");
}

BRIDGE_TEST(an_awaitable_that_nobody_holds_ends_its_work) {
    BRIDGE_CHECK(co_await run(R"(
async def main():
    future = hot_forever()
    del future
    gc.collect()
    await until(lambda: counts()[1] == 1)

    coroutine = forever()
    coroutine.send(None)
    del coroutine
    gc.collect()
    await until(lambda: counts()[1] == 2)

    coroutine = forever()
    coroutine.send(None)
    coroutine.close()
    await until(lambda: counts()[1] == 3)

    cycle = [hot_forever()]
    cycle.append(cycle)
    del cycle
    gc.collect()
    await until(lambda: counts()[1] == 4)
    return str(counts())
)") == "(4, 4, 0)");
}

BRIDGE_TEST(an_awaitable_that_somebody_awaits_is_not_collected) {
    BRIDGE_CHECK(co_await run(R"(
async def main():
    seen = []
    hot_hop().add_done_callback(lambda future: seen.append(future.result()))
    gc.collect()
    await until(lambda: seen)
    return str(seen)
)") == "[1]");
}

BRIDGE_TEST(a_runtime_that_ends_tells_whoever_waits) {
    static std::unique_ptr<bridge::runtime> own;
    own = std::make_unique<bridge::runtime>(bridge::runtime_options{1});
    const auto start = [] {
        return bridge::to_python_future(*own, bridge::current_locals(), forever());
    };
    reset_counts();
    auto main = bridge::with_gil([&] {
        py::dict extra;
        extra["start"] = py::cpp_function(start);
        extra["shut_down"] = py::cpp_function([] { own->shutdown(std::chrono::milliseconds(1)); });
        return main_of(R"(
async def main():
    future = start()
    shut_down()
    return f"{await outcome(future)} {counts()}"
)",
                       extra);
    });
    const auto seen = co_await bridge::to_cpp<std::string>(std::move(main));
    BRIDGE_CHECK(seen.starts_with("RuntimeError("));
    BRIDGE_CHECK(seen.ends_with(" (1, 1, 0)"));
    own.reset();
}

// Wherever the request arrives, the task is cancelled and nothing is left behind.
BRIDGE_TEST(at_every_point_of_a_longer_coroutine) {
    const auto journey = [](const py::object& function) {
        return bridge::to_python([](py_ref sleep_0) -> asio::awaitable<void> {
            const life alive;
            for (int i = 0; i < 3; ++i) {
                co_await post();
                co_await bridge::to_cpp<void>(call(sleep_0));
                co_await sleep(std::chrono::milliseconds(0));
                co_await asio::co_spawn(co_await asio::this_coro::executor,
                                        bridge::to_cpp<void>(call(sleep_0)), asio::use_awaitable);
            }
            co_await forever();
        }(py_ref(function)));
    };
    BRIDGE_CHECK(co_await run(R"(
async def main():
    ends = set()
    for count in range(60):
        task = asyncio.create_task(journey(lambda: asyncio.sleep(0)))
        await turns(count)
        task.cancel("why")
        ends.add(await outcome(task))
        ends.add(counts()[0] - counts()[1])
    return f"{sorted(ends, key=str)} {counts()[2]}"
)",
                              "journey", journey) == "[0, \"CancelledError('why',)\"] 0");
}
