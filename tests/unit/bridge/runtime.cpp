// SPDX-License-Identifier: Apache-2.0
// Runtimes of every kind: where crossings run, and what becomes of those under way at their end.
#include "python.hpp"

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
#include <string>
#include <thread>

namespace {

namespace asio = boost::asio;
namespace py = pybind11;
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

/// Awaits what `make` gives in a loop; the text of the exception, "" without one.
std::string await_in_loop(const std::function<py::object()>& make, int count = 1) {
    py::dict names;
    names["make"] = py::cpp_function(make);
    names["count"] = count;
    return check::execute(
               "import asyncio\n"
               "async def main():\n"
               "    tasks = [asyncio.ensure_future(make()) for _ in range(count)]\n"
               "    try: await asyncio.wait_for(asyncio.gather(*tasks), 20)\n"
               "    except Exception as error: return f'{type(error).__name__}: {error}'\n"
               "    return ''\n"
               "said = asyncio.run(main())\n",
               names)["said"]
        .cast<std::string>();
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

const std::string stopped = "RuntimeError: the runtime was shut down; create a new one or call "
                            "before shutdown() [bridge:4]";

/// An io_context of the caller's and the thread that runs it.
class own_context {
public:
    own_context() : work_(context_->get_executor()), thread_([this] { context_->run(); }) {}

    ~own_context() { end(); }

    void end() {
        if (!thread_.joinable())
            return;
        context_->stop();
        thread_.join();
        work_.reset();
    }

    void destroy() {
        end();
        context_.reset();
    }

    asio::io_context& operator*() { return *context_; }

    std::thread::id id() const { return thread_.get_id(); }

private:
    std::optional<asio::io_context> context_{std::in_place};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

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

/// Threads that are not Asio's, as far as the runtime knows.
struct own_threads {
    own_context context;

    void post(bridge::work handlers) {
        asio::post(*context, [handlers = std::move(handlers)]() mutable { handlers(); });
    }
};

// On a loop that has no context of its own.
asio::awaitable<void> sleep_on_the_loop() {
    asio::steady_timer timer(bridge::loop_executor(bridge::current_locals()), 1ms);
    co_await timer.async_wait(asio::use_awaitable);
}

TEST("I/O objects on a foreign loop's executor belong to a default runtime of any kind") {
    own_context context;
    own_threads threads;
    const std::function<std::unique_ptr<bridge::runtime>()> kinds[] = {
        [] { return std::make_unique<bridge::runtime>(); },
        [] { return std::make_unique<bridge::runtime>(bridge::current_thread); },
        [&] { return std::make_unique<bridge::runtime>(*context); },
        [&] { return std::make_unique<bridge::runtime>(threads); },
    };
    for (const auto& make : kinds) {
        CHECK(bridge::shutdown_default_runtime());
        bridge::init_default_runtime(make());
        CHECK(await_in_loop([] { return bridge::to_python(sleep_on_the_loop()); }) == "");
    }
    CHECK(bridge::shutdown_default_runtime());
}

/// Tells when the context that it is in is destroyed.
struct destruction_watch : asio::execution_context::service {
    static inline asio::execution_context::id id;

    explicit destruction_watch(asio::execution_context& in) : service(in) {}

    ~destruction_watch() override { *destroyed = true; }

    void shutdown() override {}

    bool* destroyed = nullptr;
};

TEST("they outlive it, and new ones belong to the next one") {
    bool destroyed = false;
    std::optional<asio::steady_timer> timer;
    const auto make = [&]() -> asio::awaitable<void> {
        timer.emplace(bridge::loop_executor(bridge::current_locals()), 1h);
        auto& in = asio::query(timer->get_executor(), asio::execution::context);
        asio::use_service<destruction_watch>(in).destroyed = &destroyed;
        co_return;
    };
    CHECK(await_in_loop([&] { return bridge::to_python(make()); }) == "");
    auto pending = timer->async_wait(asio::use_future);
    CHECK(bridge::shutdown_default_runtime(0ms));
    CHECK_THROWS(std::future_error, pending.get());
    CHECK(!destroyed);
    timer->cancel();
    const auto again = [&]() -> asio::awaitable<void> {
        asio::steady_timer next(timer->get_executor(), 1ms);
        co_await next.async_wait(asio::use_awaitable);
    };
    CHECK(await_in_loop([&] { return bridge::to_python(again()); }) == "");
    timer.reset();
    CHECK(bridge::shutdown_default_runtime()); // whose threads may have held it, too
    CHECK(destroyed);
}

TEST("none is made where the default runtime was ended and is still the default one") {
    bridge::default_runtime().shutdown(0ms);
    bridge::runtime other({.threads = 1});
    CHECK(await_in_loop([&] {
              return bridge::to_python(other, bridge::task_locals(), sleep_on_the_loop());
          }) == stopped);
    CHECK(bridge::shutdown_default_runtime());
}

TEST("an executor of an ended runtime makes them in the default one") {
    bridge::runtime on({.threads = 1});
    const auto ended = on.make_executor({});
    CHECK(on.shutdown());
    asio::steady_timer(ended, 1ms).async_wait(asio::use_future).get();
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
