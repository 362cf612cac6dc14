// SPDX-License-Identifier: Apache-2.0
// Waiting from synchronous code, with and without a loop on this thread, and what stats() shows.
#include "python.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

// Needs C++ threads and a Python loop.
asio::awaitable<int> answer() {
    co_await hop();
    auto sleep = bridge::with_gil(
        [] { return bridge::py_ref(py::module_::import("asyncio").attr("sleep")(0.001, 42)); });
    co_return co_await bridge::to_cpp<int>(std::move(sleep));
}

asio::awaitable<int> fail() {
    co_await hop();
    throw std::invalid_argument("refused");
}

/// Calls f from Python code of a running loop, as a notebook's cell does; gives the namespace, in
/// which `said` is what f returned or the exception.
py::dict call_in_loop(const std::function<py::object()>& f, const std::string& before = "pass") {
    py::dict names;
    names["f"] = py::cpp_function(f);
    return check::execute(
        "import asyncio, contextvars\n"
        "variable = contextvars.ContextVar('variable', default=0)\n"
        "async def main():\n"
        "    " +
            before +
            "\n"
            "    try: return f()\n"
            "    except Exception as error: return f'{type(error).__name__}: {error}'\n"
            "said = asyncio.run(main())\n",
        names);
}

TEST("without a loop on this thread") {
    CHECK(bridge::blocking(answer()) == 42);
    CHECK(bridge::blocking(answer()) == 42);
}

TEST("inside a running loop") {
    CHECK(call_in_loop([] { return py::int_(bridge::blocking(answer())); })["said"].cast<int>() ==
          42);
}

TEST("a Python awaitable, without a loop and inside one") {
    const auto wait = [] {
        auto sleep = bridge::py_ref(py::module_::import("asyncio").attr("sleep")(0.001, 7));
        return bridge::blocking(sleep).get();
    };
    CHECK(wait().cast<int>() == 7);
    CHECK(call_in_loop(wait)["said"].cast<int>() == 7);
}

TEST("from a thread that Python does not know") {
    int result = 0;
    bridge::without_gil([&] { std::thread([&] { result = bridge::blocking(answer()); }).join(); });
    CHECK(result == 42);
}

TEST("inside itself, and inside a loop that is inside") {
    CHECK(call_in_loop([] {
              const auto nested = call_in_loop([] { return py::int_(bridge::blocking(answer())); });
              return nested["said"];
          })["said"]
              .cast<std::string>()
              .starts_with("RuntimeError: asyncio.run() cannot be called"));
    py::dict names;
    names["wait"] = py::cpp_function([](bridge::py_ref it) { return bridge::blocking(it); });
    names["native"] = py::cpp_function([] { return bridge::blocking(answer()); });
    CHECK(check::execute("import asyncio\n"
                         "async def inner(): return native()\n"
                         "async def middle(): return wait(inner())\n"
                         "async def main(): return wait(middle())\n"
                         "said = asyncio.run(main())\n",
                         names)["said"]
              .cast<int>() == 42);
}

TEST("it sees the context variables of whoever waits") {
    py::dict names;
    names["wait"] = py::cpp_function([](bridge::py_ref it) { return bridge::blocking(it); });
    CHECK(check::execute("import asyncio, contextvars\n"
                         "variable = contextvars.ContextVar('variable', default=0)\n"
                         "async def get(): return variable.get()\n"
                         "async def main():\n"
                         "    variable.set(5)\n"
                         "    return wait(get())\n"
                         "said = asyncio.run(main())\n",
                         names)["said"]
              .cast<int>() == 5);
}

TEST("what fails, fails as itself") {
    CHECK_THROWS(std::invalid_argument, bridge::blocking(fail()));
    CHECK(call_in_loop([] { return py::int_(bridge::blocking(fail())); })["said"]
              .cast<std::string>() == "ValueError: refused");
}

TEST("a task of this thread's loop is refused, not waited for") {
    py::dict names;
    names["wait"] = py::cpp_function([](bridge::py_ref it) { return bridge::blocking(it); });
    CHECK(check::execute("import asyncio\n"
                         "async def main():\n"
                         "    task = asyncio.create_task(asyncio.sleep(0))\n"
                         "    try: wait(task)\n"
                         "    except RuntimeError as error: return str(error)\n"
                         "said = asyncio.run(main())\n",
                         names)["said"]
              .cast<std::string>()
              .find("belongs to an event loop that blocking() keeps from running") !=
          std::string::npos);
}

TEST("a task of a loop that stands still further down is refused too") {
    py::dict names;
    names["wait"] = py::cpp_function([](bridge::py_ref it) { return bridge::blocking(it); });
    CHECK(check::execute("import asyncio\n"
                         "async def inner(task):\n"
                         "    try: wait(task)\n"
                         "    except RuntimeError as error: return str(error)\n"
                         "async def main():\n"
                         "    task = asyncio.create_task(asyncio.sleep(0))\n"
                         "    return wait(inner(task))\n"
                         "said = asyncio.run(main())\n",
                         names)["said"]
              .cast<std::string>()
              .find("keeps from running") != std::string::npos);
}

TEST("a future of a loop on another thread is waited for there") {
    py::dict names;
    names["wait"] = py::cpp_function([](bridge::py_ref it) { return bridge::blocking(it); });
    CHECK(check::execute("import asyncio, threading\n"
                         "loop = asyncio.new_event_loop()\n"
                         "thread = threading.Thread(target=loop.run_forever)\n"
                         "thread.start()\n"
                         "async def make(): return asyncio.create_task(asyncio.sleep(0.01, 9))\n"
                         "task = asyncio.run_coroutine_threadsafe(make(), loop).result()\n"
                         "said = wait(task)\n"
                         "loop.call_soon_threadsafe(loop.stop)\n"
                         "thread.join()\n"
                         "loop.close()\n",
                         names)["said"]
              .cast<int>() == 9);
}

TEST("C++ work bound to the loop that stands still is refused, through two levels too") {
    bridge::task_locals stopped;
    const auto bound = [&]() -> asio::awaitable<void> {
        co_await hop();
        auto sleep = bridge::with_gil(
            [] { return bridge::py_ref(py::module_::import("asyncio").attr("sleep")(0)); });
        co_await bridge::to_cpp<void>(stopped, std::move(sleep));
    };
    py::dict names;
    names["note"] = py::cpp_function([&] { stopped = bridge::current_locals(); });
    names["wait"] = py::cpp_function([](bridge::py_ref it) { return bridge::blocking(it); });
    names["native"] = py::cpp_function([&] { bridge::blocking(bound()); });
    const auto said = check::execute("import asyncio\n"
                                     "def attempt():\n"
                                     "    try: native()\n"
                                     "    except RuntimeError as error: return str(error)\n"
                                     "async def inner(): return attempt()\n"
                                     "async def main():\n"
                                     "    note()\n"
                                     "    return attempt(), wait(inner())\n"
                                     "one, two = asyncio.run(main())\n",
                                     names);
    for (const char* level : {"one", "two"})
        CHECK(said[level].cast<std::string>().find("stands still while blocking() waits") !=
              std::string::npos);
    stopped = {};
}

TEST("inside a C++ coroutine it is refused") {
    std::string said;
    bridge::run([&]() -> asio::awaitable<void> {
        co_await hop();
        try {
            bridge::blocking(answer());
        } catch (const std::logic_error& error) {
            said = error.what();
        }
    }());
    CHECK(said.find("co_await it instead") != std::string::npos);
}

TEST("inside to_thread it is not: that is the place to block") {
    const auto wait = []() -> asio::awaitable<int> {
        co_return co_await bridge::to_thread([] { return bridge::blocking(answer()); });
    };
    CHECK(bridge::run(wait()) == 42);
    CHECK(bridge::run(wait(), {.loop_factory = bridge::py_ref(bridge::event_loop_class())}) == 42);
}

TEST("stats: in flight, delivered, wakes and drains of a loop") {
    const auto forever = []() -> asio::awaitable<void> {
        asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
        co_await timer.async_wait(asio::use_awaitable);
    };
    py::dict names;
    names["forever"] = py::cpp_function([&] { return bridge::to_python(forever()); });
    names["hop"] = py::cpp_function([] { return bridge::to_python(hop()); });
    bridge::loop_stats seen;
    bool runs = false;
    names["look"] = py::cpp_function([&] {
        const auto now = bridge::stats();
        runs = now.default_runtime_runs;
        CHECK(now.loops.size() == 1);
        seen = now.loops.at(0);
    });
    check::execute("import asyncio\n"
                   "async def main():\n"
                   "    tasks = [asyncio.create_task(forever()) for _ in range(3)]\n"
                   "    await asyncio.gather(*(hop() for _ in range(100)))\n"
                   "    look()\n"
                   "asyncio.run(main())\n",
                   names);
    CHECK(runs && !seen.same_thread);
    CHECK(seen.in_flight == 3);
    CHECK(seen.delivered == 100);
    CHECK(seen.wakes > 0 && seen.wakes <= 100 && seen.drains > 0);
    CHECK(seen.wakes_per_message() <= 1);
    CHECK(seen.drain_time > 0ns && seen.longest_drain <= seen.drain_time);
}

TEST("stats: a same-thread loop says so") {
    bool same_thread = false;
    bridge::run(
        [&]() -> asio::awaitable<void> {
            co_await hop();
            same_thread = bridge::stats().loops.at(0).same_thread;
        }(),
        {.loop_factory = bridge::py_ref(bridge::event_loop_class())});
    CHECK(same_thread);
}

} // namespace

int main() {
    const bridge::interpreter python;
    return check::run();
}
