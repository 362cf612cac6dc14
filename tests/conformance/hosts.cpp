// SPDX-License-Identifier: Apache-2.0
// Where things run: on the loop's own thread or on the runtime's, on every loop.
#include <bridge/harness/harness.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/use_future.hpp>

#include <pybind11/eval.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

BRIDGE_SUITE("hosts")

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

namespace {

bool is_same_thread_loop() {
    const char* loop = std::getenv("BRIDGE_TEST_LOOP");
    return loop != nullptr && std::string_view(loop) == "same-thread";
}

bridge::py_ref evaluate(const char* source) {
    return bridge::with_gil([&] {
        py::dict scope;
        scope["__builtins__"] = py::module_::import("builtins");
        scope["asyncio"] = py::module_::import("asyncio");
        scope["get_thread"] = py::cpp_function(
            [] { return std::hash<std::thread::id>()(std::this_thread::get_id()); });
        py::exec(source, scope, scope);
        return bridge::py_ref(scope["main"]());
    });
}

std::size_t this_thread() {
    return std::hash<std::thread::id>()(std::this_thread::get_id());
}

asio::awaitable<std::size_t> loop_thread(bridge::task_locals locals) {
    co_return co_await bridge::to_cpp<std::size_t>(
        std::move(locals), evaluate("async def main(): return get_thread()"));
}

bool holds_gil() {
    return PyGILState_Check() != 0;
}

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

// The threads of a coroutine's first step, of the one after a hop and of the one after a wait.
asio::awaitable<std::vector<std::size_t>> places() {
    std::vector<std::size_t> seen{this_thread()};
    co_await hop();
    seen.push_back(this_thread());
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    seen.push_back(this_thread());
    if (holds_gil())
        seen.clear();
    co_return seen;
}

asio::awaitable<void> check_places(std::size_t loop, asio::awaitable<bridge::py_ref> numbers,
                                   bool on_loop) {
    std::vector<std::size_t> seen;
    auto list = co_await std::move(numbers);
    bridge::with_gil([&] {
        for (const auto& one : list.get())
            seen.push_back(one.cast<std::size_t>());
    });
    BRIDGE_REQUIRE(seen.size() == 3U);
    BRIDGE_CHECK((seen[1] == loop) == on_loop);
    BRIDGE_CHECK((seen[2] == loop) == on_loop);
}

// What Python gets of it, awaited from C++.
asio::awaitable<bridge::py_ref> as_numbers(asio::awaitable<std::vector<std::size_t>> body,
                                           bridge::runtime* on, bool hot) {
    auto listed =
        [](asio::awaitable<std::vector<std::size_t>> inner) -> asio::awaitable<bridge::py_ref> {
        const auto seen = co_await std::move(inner);
        co_return bridge::with_gil([&] {
            py::list numbers;
            for (const auto one : seen)
                numbers.append(one);
            return bridge::py_ref(numbers);
        });
    }(std::move(body));
    return bridge::to_cpp(bridge::with_gil([&] {
        if (on != nullptr)
            return bridge::py_ref(bridge::to_python(*on, bridge::task_locals(), std::move(listed)));
        return bridge::py_ref(hot ? bridge::to_python_future(std::move(listed))
                                  : bridge::to_python(std::move(listed)));
    }));
}

} // namespace

BRIDGE_TEST(a_crossing_runs_where_its_loop_is_or_on_the_default_runtime) {
    const auto loop = co_await loop_thread(bridge::current_locals());
    co_await check_places(loop, as_numbers(places(), nullptr, false), is_same_thread_loop());
    co_await check_places(loop, as_numbers(places(), nullptr, true), is_same_thread_loop());
}

BRIDGE_TEST(an_explicit_runtime_outranks_the_loop) {
    const auto loop = co_await loop_thread(bridge::current_locals());
    static auto& own = *new bridge::runtime({.threads = 1});
    co_await check_places(loop, as_numbers(places(), &own, false), false);
}

BRIDGE_TEST_SYNC(a_hot_crossing_made_on_another_thread_starts_where_it_runs) {
    const auto locals = bridge::current_locals();
    auto on_loop = bridge::to_cpp<std::size_t>(
        locals, evaluate("async def main(): return get_thread()"), asio::use_future);
    const auto loop = on_loop.get();
    std::promise<std::size_t> first;
    auto future = bridge::with_gil([&] {
        return bridge::py_ref(bridge::to_python_future(
            locals, [](std::promise<std::size_t>& into) -> asio::awaitable<void> {
                into.set_value(this_thread());
                co_await hop();
            }(first)));
    });
    BRIDGE_CHECK(first.get_future().get() == (is_same_thread_loop() ? loop : this_thread()));
    bridge::to_cpp<void>(locals, std::move(future), asio::use_future).get();
}

BRIDGE_TEST_SYNC(loop_executor_runs_handlers_on_the_loops_thread) {
    const auto locals = bridge::current_locals();
    const auto on = bridge::loop_executor(locals);

    struct seen {
        std::size_t thread;
        std::size_t python_thread;
        bool gil;
        bool same_port;
    };

    auto look = asio::co_spawn(
        on,
        [&]() -> asio::awaitable<seen> {
            seen now{this_thread(), 0, holds_gil(),
                     &bridge::detail::port_of(bridge::current_locals()) ==
                         &bridge::detail::port_of(locals)};
            co_await hop();
            now.python_thread = co_await loop_thread(bridge::current_locals());
            co_return now;
        },
        asio::use_future);
    const auto now = look.get();
    BRIDGE_CHECK(now.thread == now.python_thread);
    BRIDGE_CHECK(now.thread != this_thread());
    BRIDGE_CHECK(!now.gil);
    BRIDGE_CHECK(now.same_port);
}

BRIDGE_TEST_SYNC(loop_executor_is_an_asio_executor) {
    const asio::any_io_executor on = bridge::loop_executor(bridge::current_locals());
    const auto work = asio::prefer(on, asio::execution::outstanding_work.tracked,
                                   asio::execution::relationship.continuation,
                                   asio::execution::blocking.possibly);
    BRIDGE_CHECK((on == asio::any_io_executor(on)));
    BRIDGE_CHECK(&asio::query(on, asio::execution::context) ==
                 &asio::query(work, asio::execution::context));
    const auto never = asio::require(on, asio::execution::blocking.never);
    std::promise<bool> nested;
    never.execute([&] {
        bool inside = false;
        asio::dispatch(on, [&] { inside = true; }); // its own turn: at once
        asio::post(on, [&nested, inside] { nested.set_value(inside); });
    });
    BRIDGE_CHECK(nested.get_future().get());
    auto timer = std::make_shared<asio::steady_timer>(work, 1ms);
    timer->async_wait(asio::bind_executor(asio::make_strand(on), asio::use_future)).get();
}

BRIDGE_TEST_SYNC(loop_executor_keeps_the_order_of_each_thread_and_runs_one_at_a_time) {
    const auto on = bridge::loop_executor(bridge::current_locals());
    constexpr int each = 500;
    std::vector<std::vector<int>> seen(4);
    std::atomic<int> inside = 0;
    std::atomic<bool> overlapped = false;
    std::promise<void> all;
    int left = each * 4;
    std::vector<std::thread> threads;
    for (auto& into : seen)
        threads.emplace_back([&] {
            for (int i = 0; i < each; ++i)
                asio::post(on, [&, i] {
                    if (++inside != 1)
                        overlapped = true;
                    into.push_back(i);
                    --inside;
                    if (--left == 0)
                        all.set_value();
                });
        });
    for (auto& thread : threads)
        thread.join();
    all.get_future().get();
    BRIDGE_CHECK(!overlapped.load());
    bool ordered = true;
    for (const auto& one : seen)
        for (int i = 0; i < each; ++i)
            ordered = ordered && one[static_cast<std::size_t>(i)] == i;
    BRIDGE_CHECK(ordered);
}

namespace {

bridge::executor executor_of_an_ended_loop() {
    return bridge::with_gil([] {
        auto loop = py::type::of(bridge::current_locals().event_loop())();
        auto made = bridge::loop_executor(loop);
        loop.attr("close")();
        return made;
    });
}

// What Python is told of a crossing that waits for it.
std::string refusal_of(asio::awaitable<void> body) {
    auto awaited = bridge::with_gil([&] {
        return bridge::py_ref(bridge::to_python_future(bridge::current_locals(), std::move(body)));
    });
    try {
        bridge::to_cpp<void>(bridge::current_locals(), std::move(awaited), asio::use_future).get();
    } catch (const bridge::python_error& error) {
        return error.what();
    }
    return "";
}

} // namespace

BRIDGE_TEST_SYNC(loop_executor_of_an_ended_loop_destroys_its_handlers) {
    auto on = executor_of_an_ended_loop();
    auto dropped = asio::post(on, asio::use_future);
    bool broken = false;
    try {
        dropped.get();
    } catch (const std::future_error&) {
        broken = true;
    }
    BRIDGE_CHECK(broken);
}

BRIDGE_TEST_SYNC(who_waits_for_a_handler_of_an_ended_loop_is_told_so) {
    const auto on = executor_of_an_ended_loop();
    const auto posts = [](bridge::executor there) -> asio::awaitable<void> {
        co_await asio::post(there, asio::use_awaitable);
    };
    const auto spawns = [](bridge::executor there) -> asio::awaitable<void> {
        co_await asio::co_spawn(there, hop(), asio::use_awaitable);
    };
    BRIDGE_CHECK(refusal_of(posts(on)).find("the event loop was closed") != std::string::npos);
    BRIDGE_CHECK(refusal_of(spawns(on)).find("the event loop was closed") != std::string::npos);
}

BRIDGE_TEST_SYNC(io_objects_on_the_executor_of_an_ended_loop_work_elsewhere) {
    asio::steady_timer timer(executor_of_an_ended_loop(), 1ms);
    // Not by exceptions: libstdc++ counts who shares one where ThreadSanitizer does not see it.
    const auto wait = [&timer] {
        const auto ended = std::make_shared<std::promise<boost::system::error_code>>();
        timer.async_wait(asio::bind_executor(asio::system_executor(),
                                             [ended](auto error) { ended->set_value(error); }));
        return ended->get_future();
    };
    BRIDGE_CHECK(!wait().get());
    timer.expires_after(1h);
    auto cancelled = wait();
    timer.cancel();
    BRIDGE_CHECK(cancelled.get() == asio::error::operation_aborted);
}

BRIDGE_TEST_SYNC(a_thread_knows_whether_a_loop_needs_it) {
    const auto locals = bridge::current_locals();
    auto& on = bridge::detail::scheduler_of(locals);
    BRIDGE_CHECK(!on.needs_this_thread());
    const auto inside = asio::co_spawn(
                            bridge::loop_executor(locals),
                            [&]() -> asio::awaitable<bool> {
                                co_await hop();
                                co_return on.needs_this_thread();
                            },
                            asio::use_future)
                            .get();
    BRIDGE_CHECK(inside == is_same_thread_loop());
}

// Eight native threads complete into the loop while it works both ways itself.
BRIDGE_TEST(completions_from_many_threads_and_the_loops_own, timeout(30s)) {
    auto run = bridge::with_gil([] {
        py::dict scope;
        scope["__builtins__"] = py::module_::import("builtins");
        scope["asyncio"] = py::module_::import("asyncio");
        static auto& own = *new bridge::runtime({.threads = 8});
        scope["far"] =
            py::cpp_function([] { return bridge::to_python(own, bridge::task_locals(), hop()); });
        scope["near"] = py::cpp_function([] { return bridge::to_python(hop()); });
        scope["back"] = py::cpp_function([](const py::object& coroutine) {
            return bridge::to_python([](bridge::py_ref inner) -> asio::awaitable<int> {
                co_await hop();
                co_return co_await bridge::to_cpp<int>(std::move(inner));
            }(bridge::py_ref(coroutine)));
        });
        py::exec(R"(
async def inner(value):
    await asyncio.sleep(0)
    await near()
    return value
async def worker(number):
    total = 0
    for i in range(20):
        await far()
        await near()
        total += await back(inner(i))
    return total
async def main():
    return sum(await asyncio.gather(*(worker(n) for n in range(32))))
)",
                 scope, scope);
        return bridge::py_ref(scope["main"]());
    });
    BRIDGE_CHECK(co_await bridge::to_cpp<int>(std::move(run)) == 32 * 190);
}
