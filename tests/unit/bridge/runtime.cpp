// SPDX-License-Identifier: Apache-2.0
// Runtimes of every kind: where crossings run, and what becomes of those under way at their end.
#include "runtimes.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

asio::awaitable<void> forever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

// Notes the threads of its steps, without a lock.
asio::awaitable<void> note_threads(std::set<std::thread::id>& seen) {
    for (int i = 0; i < 10; ++i) {
        seen.insert(std::this_thread::get_id());
        co_await hop();
    }
}

/// Lets a crossing begin to wait for ever on the runtime, calls `end`, and tells what the awaiting
/// task gets.
std::string pending_at_end(bridge::runtime& on, const std::function<void()>& end) {
    py::dict names;
    names["make"] =
        py::cpp_function([&] { return bridge::to_python(on, bridge::task_locals(), forever()); });
    names["end"] = py::cpp_function(end);
    return check::execute(
               "import asyncio\n"
               "async def main():\n"
               "    task = asyncio.create_task(make())\n"
               "    for _ in range(3): await asyncio.sleep(0.01)\n"
               "    end()\n"
               "    try: await asyncio.wait_for(task, 20)\n"
               "    except Exception as error: return f'{type(error).__name__}: {error}'\n"
               "said = asyncio.run(main())\n",
               names)["said"]
        .cast<std::string>();
}

TEST("a current-thread runtime takes every step on its one thread") {
    bridge::runtime on{bridge::current_thread};
    std::set<std::thread::id> seen;
    CHECK(await_in_loop(
              [&] { return bridge::to_python(on, bridge::task_locals(), note_threads(seen)); },
              100) == "");
    CHECK(seen.size() == 1);
    CHECK(!seen.contains(std::this_thread::get_id()));
}

TEST("hot crossings begin there too") {
    bridge::runtime on{bridge::current_thread};
    std::set<std::thread::id> seen;
    CHECK(
        await_in_loop(
            [&] { return bridge::to_python_future(on, bridge::task_locals(), note_threads(seen)); },
            100) == "");
    CHECK(seen.size() == 1 && !seen.contains(std::this_thread::get_id()));
}

TEST("what Python awaits for a coroutine of a current-thread runtime resumes it there") {
    bridge::runtime on{bridge::current_thread};
    std::set<std::thread::id> seen;
    const auto body = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 10; ++i) {
            auto sleep = bridge::with_gil(
                [] { return bridge::py_ref(py::module_::import("asyncio").attr("sleep")(0)); });
            co_await bridge::to_cpp<void>(std::move(sleep));
            seen.insert(std::this_thread::get_id());
        }
    };
    CHECK(await_in_loop([&] { return bridge::to_python(on, bridge::task_locals(), body()); }, 20) ==
          "");
    CHECK(seen.size() == 1 && !seen.contains(std::this_thread::get_id()));
}

TEST("a caller's context runs every step on the caller's thread") {
    own_context context;
    bridge::runtime on(*context);
    std::set<std::thread::id> seen;
    CHECK(await_in_loop(
              [&] { return bridge::to_python(on, bridge::task_locals(), note_threads(seen)); },
              100) == "");
    CHECK(seen == std::set{context.id()});
}

// One thread is woken, and wakes the next one: none may be forgotten, whichever way it comes.
TEST("as many coroutines run at once as a background runtime has threads") {
    constexpr int threads = 4;
    bridge::runtime on({.threads = threads});
    std::mutex mutex;
    std::condition_variable all_there;
    int there = 0;
    const auto meet = [&]() -> asio::awaitable<void> {
        co_await hop();
        std::unique_lock lock(mutex);
        if (++there % threads == 0)
            all_there.notify_all();
        const auto wanted = (there + threads - 1) / threads * threads;
        if (!all_there.wait_for(lock, 10s, [&] { return there >= wanted; }))
            throw std::runtime_error("a thread is missing");
    };
    for (int round = 0; round < 20; ++round)
        CHECK(await_in_loop([&] { return bridge::to_python(on, bridge::task_locals(), meet()); },
                            threads) == "");
}

TEST("several runtimes at once, each with its own threads") {
    bridge::runtime one({.threads = 1});
    bridge::runtime two{bridge::current_thread};
    std::atomic<int> ended{0};
    const auto body = [&]() -> asio::awaitable<void> {
        co_await hop();
        ++ended;
    };
    int turn = 0;
    CHECK(await_in_loop(
              [&] {
                  auto& on = turn++ % 2 == 0 ? one : two;
                  return bridge::to_python(on, bridge::task_locals(), body());
              },
              100) == "");
    CHECK(ended == 100);
}

TEST("pending work of a background runtime settles when that is shut down") {
    bridge::runtime on({.threads = 2});
    CHECK(pending_at_end(on, [&] { CHECK(on.shutdown(0ms)); }) == stopped);
}

TEST("of a current-thread runtime as well") {
    bridge::runtime on{bridge::current_thread};
    CHECK(pending_at_end(on, [&] { CHECK(on.shutdown(0ms)); }) == stopped);
}

TEST("of a runtime on a caller's context as well") {
    own_context context;
    bridge::runtime on(*context);
    CHECK(pending_at_end(on, [&] { CHECK(on.shutdown(0ms)); }) == stopped);
}

TEST("pending work settles when the caller's context is destroyed first") {
    own_context context;
    bridge::runtime on(*context);
    CHECK(pending_at_end(on, [&] { context.destroy(); }) == stopped);
    CHECK(await_in_loop([&] { return bridge::to_python(on, bridge::task_locals(), hop()); }) ==
          stopped);
}

TEST("a handler that does not come back is left behind, and who awaits it is told") {
    bridge::runtime on({.threads = 1});
    std::promise<void> go_on;
    std::promise<void> ended;
    const auto body = [&]() -> asio::awaitable<void> {
        co_await hop();
        go_on.get_future().wait();
        ended.set_value();
    };
    py::dict names;
    names["make"] =
        py::cpp_function([&] { return bridge::to_python(on, bridge::task_locals(), body()); });
    names["end"] = py::cpp_function([&] { return on.shutdown(10ms); });
    const auto after = check::execute("import asyncio\n"
                                      "async def main():\n"
                                      "    task = asyncio.create_task(make())\n"
                                      "    await asyncio.sleep(0.01)\n"
                                      "    ended = end()\n"
                                      "    try: await task\n"
                                      "    except RuntimeError as error: return ended, str(error)\n"
                                      "ended, said = asyncio.run(main())\n",
                                      names);
    CHECK(!after["ended"].cast<bool>());
    CHECK("RuntimeError: " + after["said"].cast<std::string>() == stopped);
    go_on.set_value();
    ended.get_future().wait();
}

TEST("nothing starts on a runtime that was shut down, and shutting it down again does nothing") {
    bridge::runtime on({.threads = 1});
    CHECK(on.shutdown());
    CHECK(on.shutdown());
    CHECK(await_in_loop([&] { return bridge::to_python(on, bridge::task_locals(), hop()); }) ==
          stopped);
    CHECK_THROWS(boost::system::system_error, on.io_context());
}

TEST("shutdown waits for work that ends by itself") {
    bridge::runtime on({.threads = 1});
    std::atomic<bool> done{false};
    asio::co_spawn(
        on.io_context(),
        [&]() -> asio::awaitable<void> {
            asio::steady_timer timer(co_await asio::this_coro::executor, 50ms);
            co_await timer.async_wait(asio::use_awaitable);
            done = true;
        },
        asio::detached);
    CHECK(on.shutdown(20s));
    CHECK(done);
}

TEST("shutdown from inside is refused, also in the first step on the loop's thread") {
    bridge::runtime on({.threads = 1});
    int refused = 0;
    const auto attempt = [&] {
        try {
            on.shutdown();
        } catch (const std::logic_error& error) {
            refused += std::string(error.what()).find("would wait for itself") != std::string::npos;
        }
    };
    const auto body = [&]() -> asio::awaitable<void> {
        attempt();
        co_await hop();
        attempt();
    };
    CHECK(await_in_loop([&] { return bridge::to_python(on, bridge::task_locals(), body()); }) ==
          "");
    CHECK(refused == 2);
}

TEST("a runtime may be destroyed by its own last coroutine") {
    auto on = std::make_shared<bridge::runtime>(bridge::runtime_options{.threads = 1});
    std::promise<void> posted;
    std::promise<void> ended;
    auto& context = on->io_context();
    asio::post(context, [on = std::move(on), &posted, &ended]() mutable {
        posted.get_future().wait(); // post() still uses the context
        on.reset();
        ended.set_value();
    });
    posted.set_value();
    ended.get_future().wait();
}

TEST("the default runtime: none to end, options, too late, ended, begun again") {
    CHECK(bridge::shutdown_default_runtime());
    CHECK(bridge::shutdown_default_runtime());
    bridge::init_default_runtime({.threads = 1});
    std::set<std::thread::id> seen;
    const auto note = [&]() -> asio::awaitable<void> {
        co_await hop();
        seen.insert(std::this_thread::get_id());
    };
    CHECK(await_in_loop([&] { return bridge::to_python(note()); }, 50) == "");
    CHECK(seen.size() == 1);
    CHECK_THROWS(std::logic_error, (bridge::init_default_runtime({.threads = 2}), true));
    CHECK(bridge::shutdown_default_runtime());
    bridge::init_default_runtime({.threads = 2});
    CHECK(await_in_loop([&] { return bridge::to_python(note()); }) == "");
    std::promise<void> spawned;
    asio::co_spawn(bridge::default_runtime().make_executor({}), hop(),
                   [&](const std::exception_ptr&) { spawned.set_value(); });
    spawned.get_future().wait();
    CHECK(bridge::shutdown_default_runtime());
}

TEST("another kind may be the default runtime") {
    CHECK(bridge::shutdown_default_runtime());
    bridge::init_default_runtime(std::make_unique<bridge::runtime>(bridge::current_thread));
    std::set<std::thread::id> seen;
    CHECK(await_in_loop([&] { return bridge::to_python(note_threads(seen)); }, 20) == "");
    CHECK(seen.size() == 1 && !seen.contains(std::this_thread::get_id()));
    CHECK(bridge::shutdown_default_runtime());
    bridge::init_default_runtime(bridge::runtime_options{});
}

TEST("shutting the default runtime down from inside it is refused, and it goes on") {
    const auto body = []() -> asio::awaitable<void> {
        co_await hop();
        CHECK_THROWS(std::logic_error, bridge::shutdown_default_runtime());
        co_await hop();
    };
    CHECK(await_in_loop([&] { return bridge::to_python(body()); }) == "");
}

TEST("mistakes in making one are told") {
    CHECK_THROWS(std::invalid_argument, bridge::runtime(asio::any_io_executor()));
    own_context context;
    bridge::runtime on(*context);
    CHECK_THROWS(std::logic_error, on.io_context());
}

} // namespace

int main() {
    const bridge::interpreter python;
    return check::run();
}
