// SPDX-License-Identifier: Apache-2.0
// Several loops of every kind in several threads at once, and awaits from one to another.
#include <bridge/harness/harness.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <pybind11/eval.h>
#include <pybind11/functional.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

BRIDGE_SUITE("loops")

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

// What the loops run. `hand_on` awaits in this loop what C++ makes, which awaits in the next one.
constexpr const char* program = R"(
import asyncio, threading
async def thread_after_a_turn():
    await asyncio.sleep(0)
    return threading.get_ident()
async def hand_on(make):
    here = threading.get_ident()
    found = await make()
    assert threading.get_ident() == here
    return found
cancelled = []
async def sleep_until_cancelled(on_start):
    try:
        on_start()
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        cancelled.append(threading.get_ident())
        raise
def uvloop():
    import uvloop
    return uvloop.new_event_loop()
)";

py::dict run_program() {
    py::dict scope;
    scope["__builtins__"] = py::module_::import("builtins");
    py::exec(program, scope, scope);
    return scope;
}

/// An event loop that runs on a thread of its own until this is destroyed.
class other_loop {
public:
    explicit other_loop(const py::object& loop)
        : locals_(loop), run_(loop.attr("run_forever")), stop_(loop.attr("stop")),
          close_(loop.attr("close")), thread_([this] { bridge::with_gil([&] { run_.get()(); }); }) {
    }

    other_loop(const other_loop&) = delete;

    ~other_loop() {
        bridge::with_gil([&] {
            locals_.event_loop().attr("call_soon_threadsafe")(stop_.get());
            bridge::without_gil([&] { thread_.join(); });
            close_.get()();
        });
    }

    const bridge::task_locals& locals() const noexcept { return locals_; }

private:
    bridge::task_locals locals_;
    bridge::py_ref run_;
    bridge::py_ref stop_;
    bridge::py_ref close_;
    std::thread thread_;
};

/// A stock loop, one of ours and, if it is installed, one of uvloop's; destroyed without the
/// GIL.
class some_loops {
public:
    some_loops() {
        bridge::with_gil([&] {
            names_ = bridge::py_ref(run_program());
            add(py::module_::import("asyncio").attr("new_event_loop")());
            add(bridge::new_event_loop());
            try {
                add(get("uvloop")());
            } catch (const py::error_already_set& error) {
                if (!error.matches(PyExc_ImportError))
                    throw;
            }
        });
    }

    std::size_t size() const noexcept { return loops_.size(); }

    const bridge::task_locals& operator[](std::size_t i) const { return loops_[i]->locals(); }

    /// A name of the program. Requires the GIL.
    py::object get(const char* name) const { return names_.get()[name]; }

    /// The coroutine that the function of the program makes.
    template<class... Arguments>
    bridge::py_ref make(const char* name, const Arguments&... arguments) const {
        return bridge::with_gil([&] { return bridge::py_ref(get(name)(arguments...)); });
    }

private:
    void add(const py::object& loop) { loops_.push_back(std::make_unique<other_loop>(loop)); }

    bridge::py_ref names_;
    std::vector<std::unique_ptr<other_loop>> loops_;
};

asio::awaitable<std::uint64_t> thread_of(const some_loops& loops, std::size_t i) {
    co_return co_await bridge::to_cpp<std::uint64_t>(loops[i], loops.make("thread_after_a_turn"));
}

// From loop to loop, each awaiting the next through C++, to the last one's thread.
asio::awaitable<std::uint64_t> thread_at_the_end(const some_loops& loops, std::size_t i) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    if (i + 1 == loops.size())
        co_return co_await thread_of(loops, i);
    auto next = bridge::with_gil([&] {
        const auto make = py::cpp_function(
            [&loops, i] { return bridge::to_python(thread_at_the_end(loops, i + 1)); });
        return bridge::py_ref(loops.get("hand_on")(make));
    });
    co_return co_await bridge::to_cpp<std::uint64_t>(loops[i], std::move(next));
}

asio::awaitable<boost::system::error_code> end_of(bridge::task_locals locals, bridge::py_ref work) {
    try {
        co_await bridge::to_cpp<void>(std::move(locals), std::move(work));
    } catch (const boost::system::system_error& error) {
        co_return error.code();
    }
    co_return boost::system::error_code();
}

asio::awaitable<void> close_once_begun(std::optional<some_loops>& loops,
                                       asio::steady_timer& begun) {
    co_await begun.async_wait(asio::as_tuple(asio::use_awaitable));
    auto close = [&loops] { loops.reset(); };
    co_await bridge::to_thread(close);
}

} // namespace

BRIDGE_TEST(cpp_awaits_in_several_loops_each_on_its_own_thread, timeout(30s)) {
    const some_loops loops;
    std::vector<std::uint64_t> threads;
    for (std::size_t i = 0; i < loops.size(); ++i)
        threads.push_back(co_await thread_of(loops, i));
    for (int round = 0; round < 100; ++round)
        for (std::size_t i = 0; i < loops.size(); ++i)
            BRIDGE_REQUIRE(co_await thread_of(loops, i) == threads[i]);
    BRIDGE_CHECK(threads[0] != threads[1]);
}

BRIDGE_TEST(a_chain_of_awaits_goes_through_all_loops_and_back, timeout(30s)) {
    const some_loops loops;
    const auto last = co_await thread_of(loops, loops.size() - 1);
    for (int round = 0; round < 50; ++round) {
        const auto [one, two, three] =
            co_await (thread_at_the_end(loops, 0) && thread_at_the_end(loops, 0) &&
                      thread_at_the_end(loops, 1));
        BRIDGE_REQUIRE(one == last);
        BRIDGE_REQUIRE(two == last);
        BRIDGE_REQUIRE(three == last);
    }
}

BRIDGE_TEST(a_cancel_crosses_to_the_other_loop_and_is_waited_for, timeout(30s)) {
    const some_loops loops;
    const auto here = co_await asio::this_coro::executor;
    for (std::size_t i = 0; i < loops.size(); ++i) {
        const auto there = co_await thread_of(loops, i);
        asio::steady_timer sleeping(here, 1h); // until it is cancelled
        auto sleep = bridge::with_gil([&] {
            const auto on_start =
                py::cpp_function([&] { asio::post(here, [&sleeping] { sleeping.cancel(); }); });
            return bridge::py_ref(loops.get("sleep_until_cancelled")(on_start));
        });
        const auto first = co_await (bridge::to_cpp<void>(loops[i], std::move(sleep)) ||
                                     sleeping.async_wait(asio::as_tuple(asio::use_awaitable)));
        BRIDGE_CHECK(first.index() == 1U);
        const auto seen = bridge::with_gil(
            [&] { return loops.get("cancelled").attr("pop")().cast<std::uint64_t>(); });
        BRIDGE_CHECK(seen == there);
    }
}

BRIDGE_TEST(a_loop_that_is_closed_tells_cpp_that_waits_for_its_tasks, timeout(30s)) {
    const auto here = co_await asio::this_coro::executor;
    std::optional<some_loops> loops(std::in_place);
    const auto count = loops->size();
    for (std::size_t i = 0; i < count; ++i) {
        loops.emplace();
        asio::steady_timer begun(here, 1h); // until it is cancelled
        auto sleep = bridge::with_gil([&] {
            const auto on_start =
                py::cpp_function([&] { asio::post(here, [&begun] { begun.cancel(); }); });
            return bridge::py_ref(loops->get("sleep_until_cancelled")(on_start));
        });
        const auto told =
            co_await (end_of((*loops)[i], std::move(sleep)) && close_once_begun(loops, begun));
        BRIDGE_CHECK(told == make_error_code(bridge::errc::loop_closed));
    }
}
