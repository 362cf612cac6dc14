// SPDX-License-Identifier: Apache-2.0
// What native code may say to a request to stop, and what counts as an answer.
#include "native_work.hpp"

#include <bridge/harness/harness.hpp>
#include <bridge/with_timeout.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <future>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>

BRIDGE_SUITE("cancelling_answers")

using namespace native_work;

BRIDGE_TEST(native_code_answers_with_a_value) {
    const auto convert = [](bool reset) {
        return bridge::to_python([](bool resets) -> asio::awaitable<int> {
            try {
                co_await forever();
            } catch (const boost::system::system_error&) {
            }
            if (resets)
                co_await asio::this_coro::reset_cancellation_state();
            co_return 42;
        }(reset));
    };
    BRIDGE_CHECK(co_await run(R"(
async def main():
    answers = []
    for reset in (False, True):
        task = asyncio.create_task(convert(reset))
        await until(lambda: counts()[0] == len(answers) + 1)
        task.cancel()
        answers += [await outcome(task)]
    return str(answers)
)",
                              "convert", convert) == "[42, 42]");
}

BRIDGE_TEST(native_code_answers_with_an_error) {
    const auto convert = [] {
        return bridge::to_python([]() -> asio::awaitable<int> {
            try {
                co_await forever();
            } catch (const boost::system::system_error&) {
            }
            throw std::invalid_argument("instead");
        }());
    };
    BRIDGE_CHECK(co_await run(R"(
async def main():
    task = asyncio.create_task(convert())
    await until(lambda: counts()[0] == 1)
    task.cancel()
    return await outcome(task)
)",
                              "convert", convert) == "ValueError('instead',)");
}

BRIDGE_TEST(native_code_that_does_not_listen_is_waited_for) {
    static std::shared_ptr<turnstile> door;
    static std::unique_ptr<bridge::runtime> own; // one thread: what is posted later comes later
    door = std::make_shared<turnstile>();
    own = std::make_unique<bridge::runtime>(bridge::runtime_options{1});
    const auto deaf = [] {
        return bridge::to_python(*own, {}, []() -> asio::awaitable<int> {
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            const life alive;
            co_await door->wait();
            co_return 7;
        }());
    };
    reset_counts();
    auto main = bridge::with_gil([&] {
        py::dict extra;
        extra["deaf"] = py::cpp_function(deaf);
        extra["open"] = py::cpp_function([] { door->open(); });
        extra["hop_there"] = py::cpp_function([] { return bridge::to_python(*own, {}, hop()); });
        return main_of(R"(
async def main():
    task = asyncio.create_task(deaf())
    await until(lambda: counts()[0] == 1)
    task.cancel()
    for _ in range(10):
        await hop_there()
    ended = task.done()
    open()
    return f"{ended} {await outcome(task)}"
)",
                       extra);
    });
    BRIDGE_CHECK(co_await bridge::to_cpp<std::string>(std::move(main)) == "False 7");
    own.reset();
    door.reset();
}

// What ends with a value without having seen the request ends as cancelled, as a task does that is
// cancelled right before its last step.
BRIDGE_TEST(an_operation_that_cannot_be_cancelled_does_not_lose_the_request) {
    static std::shared_ptr<turnstile> door;
    door = std::make_shared<turnstile>();
    const auto deaf = [](bool looks) {
        return bridge::to_python([](bool looks_for_it) -> asio::awaitable<int> {
            const life alive;
            co_await door->wait_deaf();
            if (looks_for_it)
                co_return (co_await asio::this_coro::cancellation_state).cancelled() !=
                    asio::cancellation_type::none;
            co_return 7;
        }(looks));
    };
    reset_counts();
    auto main = bridge::with_gil([&] {
        py::dict extra;
        extra["deaf"] = py::cpp_function(deaf);
        extra["open"] = py::cpp_function([] { door->open(); });
        return main_of(R"(
async def main():
    answers = []
    for looks in (False, True):
        before = counts()[0]
        task = asyncio.create_task(deaf(looks))
        await until(lambda: counts()[0] == before + 1)
        task.cancel("why")
        await hop()
        await turns(3)
        open()
        answers += [str(await outcome(task))]
    return str(answers)
)",
                       extra);
    });
    BRIDGE_CHECK(co_await bridge::to_cpp<std::string>(std::move(main)) ==
                 R"py(["CancelledError('why',)", '1'])py");
    door.reset(); // before the runtime that it belongs to
}

BRIDGE_TEST(a_failure_seen_as_a_tuple_is_an_answer) {
    const auto convert = [] {
        return bridge::to_python([]() -> asio::awaitable<int> {
            const life alive;
            asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
            const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
            co_return error == asio::error::operation_aborted ? 42 : 0;
        }());
    };
    BRIDGE_CHECK(co_await run(R"(
async def main():
    task = asyncio.create_task(convert())
    await until(lambda: counts()[0] == 1)
    task.cancel()
    return str(await outcome(task))
)",
                              "convert", convert) == "42");
}

// || has its winner and waits for the end of the loser, which it has cancelled by itself: how that
// ends is no answer to whom it has not heard.
BRIDGE_TEST(a_request_while_or_waits_for_its_loser_is_not_lost) {
    using namespace asio::experimental::awaitable_operators;
    static std::shared_ptr<turnstile> door;
    door = std::make_shared<turnstile>();
    const auto decide = [] {
        return bridge::to_python([]() -> asio::awaitable<int> {
            const auto end = []() -> asio::awaitable<void> {
                co_await door->wait_deaf();
                throw boost::system::system_error(asio::error::operation_aborted);
            };
            const auto lose = [&]() -> asio::awaitable<void> { co_await end(); };
            co_await (lose() || hop());
            co_return 42;
        }());
    };
    reset_counts();
    auto main = bridge::with_gil([&] {
        py::dict extra;
        extra["decide"] = py::cpp_function(decide);
        extra["open"] = py::cpp_function([] { door->open(); });
        return main_of(R"(
async def main():
    task = asyncio.create_task(decide())
    await until(lambda: counts()[2] == 1)
    await turns(3)
    task.cancel("why")
    await hop()
    await turns(3)
    open()
    return str(await outcome(task))
)",
                       extra);
    });
    BRIDGE_CHECK(co_await bridge::to_cpp<std::string>(std::move(main)) == "CancelledError('why',)");
    door.reset();
}

// What it waits for has nobody else to answer for it.
BRIDGE_TEST(a_value_below_a_time_limit_is_an_answer) {
    const auto limited = [] {
        return bridge::to_python([]() -> asio::awaitable<int> {
            const auto answers = []() -> asio::awaitable<int> {
                try {
                    co_await forever();
                } catch (const boost::system::system_error&) {
                }
                co_return 42;
            };
            co_return co_await bridge::with_timeout(
                bridge::with_timeout(answers(), std::chrono::hours(1)), std::chrono::hours(2));
        }());
    };
    BRIDGE_CHECK(co_await run(R"(
async def main():
    task = asyncio.create_task(limited())
    await until(lambda: counts()[0] == 1)
    task.cancel()
    return str(await outcome(task))
)",
                              "limited", limited) == "42");
}

// A request that is passed on to them reaches them; what they make of it is an answer.
BRIDGE_TEST(a_value_of_what_the_request_has_reached_is_an_answer) {
    using namespace asio::experimental::awaitable_operators;
    const auto answers = []() -> asio::awaitable<int> {
        try {
            co_await forever();
        } catch (const boost::system::system_error&) {
        }
        co_return 42;
    };
    const auto spawned = [&] {
        return bridge::to_python([](auto child) -> asio::awaitable<int> {
            co_return co_await asio::co_spawn(co_await asio::this_coro::executor, child(),
                                              asio::use_awaitable);
        }(answers));
    };
    const auto branch = [&] {
        return bridge::to_python([](auto child) -> asio::awaitable<int> {
            const auto winner = co_await (child() || forever());
            co_return std::get<0>(winner);
        }(answers));
    };
    static constexpr const char* cancelled = R"(
async def main():
    task = asyncio.create_task(start())
    await until(lambda: counts()[0] >= 1)
    await turns(3)
    task.cancel()
    return str(await outcome(task))
)";
    BRIDGE_CHECK(co_await run(cancelled, "start", spawned) == "42");
    BRIDGE_CHECK(co_await run(cancelled, "start", branch) == "42");
}

// Nor what comes later, and has the memory of what the request has reached.
BRIDGE_TEST(what_begins_after_a_request_does_not_answer_it) {
    static std::function<void()> complete; // of an operation that cannot be cancelled
    const auto later = []() -> asio::awaitable<int> {
        const auto on = co_await asio::this_coro::executor;
        const auto reached = []() -> asio::awaitable<void> {
            co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
                [](auto handler) {
                    auto kept = std::make_shared<decltype(handler)>(std::move(handler));
                    complete = [kept] {
                        const auto to = asio::get_associated_executor(*kept);
                        asio::post(to, [kept] { std::move (*kept)(); });
                    };
                    const life alive;
                },
                asio::use_awaitable);
        };
        co_await asio::co_spawn(on, reached(), asio::use_awaitable);
        co_await asio::this_coro::reset_cancellation_state();
        const auto fails = []() -> asio::awaitable<void> {
            const auto thrower = []() -> asio::awaitable<void> {
                throw std::runtime_error("of its own");
                co_return;
            };
            try {
                co_await thrower();
            } catch (const std::runtime_error&) {
            }
        };
        for (int i = 0; i < 20; ++i)
            co_await asio::co_spawn(on, fails(), asio::use_awaitable);
        co_return 42;
    };
    reset_counts();
    auto main = bridge::with_gil([&] {
        py::dict extra;
        extra["later"] = py::cpp_function([later] { return bridge::to_python(later()); });
        extra["complete"] = py::cpp_function([] { std::exchange(complete, nullptr)(); });
        return main_of(R"(
async def main():
    task = asyncio.create_task(later())
    await until(lambda: counts()[1] == 1)
    await turns(3)
    task.cancel()
    await hop()
    await turns(3)
    complete()
    return str(await outcome(task))
)",
                       extra);
    });
    BRIDGE_CHECK(co_await bridge::to_cpp<std::string>(std::move(main)) == "CancelledError()");
}

// A request that meets a Python task between its last step and the callback that tells of it: the
// task did not answer it.
BRIDGE_TEST(a_request_that_meets_a_task_just_ended_is_not_lost, loops("asyncio")) {
    static asio::any_io_executor of_waiter;
    const auto wait_for = [](py::object task) {
        return bridge::to_python([](py_ref awaited) -> asio::awaitable<int> {
            const life alive;
            of_waiter = co_await asio::this_coro::executor;
            // Locals that are named: it is the loop that runs it, not the awaiting task.
            co_return co_await bridge::to_cpp<int>(bridge::current_locals(), std::move(awaited));
        }(py_ref(std::move(task))));
    };
    reset_counts();
    auto main = bridge::with_gil([&] {
        py::dict extra;
        extra["wait_for"] = py::cpp_function(wait_for);
        extra["flush"] = py::cpp_function([] { // what its strand had to do until now is done
            const py::gil_scoped_release released;
            std::promise<void> done;
            asio::post(of_waiter, [&] { done.set_value(); });
            done.get_future().wait();
        });
        return main_of(R"(
async def main():
    gate = asyncio.get_running_loop().create_future()

    async def ends():
        return await gate

    inner = asyncio.create_task(ends())
    waiter = asyncio.create_task(wait_for(inner))
    await until(lambda: counts()[0] == 1)
    for _ in range(3):
        await hop()
        await turns()
    # The next turn has these two: the task's last step, and what the request brings from native threads.
    gate.set_result(42)
    waiter.cancel("why")
    flush()
    return str(await outcome(waiter))
)",
                       extra);
    });
    BRIDGE_CHECK(co_await bridge::to_cpp<std::string>(std::move(main)) == "CancelledError('why',)");
    of_waiter = {};
}
