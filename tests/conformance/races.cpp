// SPDX-License-Identifier: Apache-2.0
// Completion against cancellation, as often as it takes: native threads complete while the loop's
// thread cancels, neither waits for the other. BRIDGE_RACES sets how many, 100,000 by default.
#include "native_work.hpp"

#include <bridge/harness/harness.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <cstdlib>

BRIDGE_SUITE("races")

using namespace native_work;
using namespace boost::asio::experimental::awaitable_operators;

namespace {

// Two operations: the second one ends by the request if that comes in time.
asio::awaitable<int> brief() {
    const life alive;
    co_await post();
    co_await sleep(std::chrono::milliseconds(0));
    ++completed;
    co_return 1;
}

int races() {
    const char* wanted = std::getenv("BRIDGE_RACES");
    return wanted != nullptr ? std::atoi(wanted) : 100'000;
}

// main(count) of the text with the loop's complaints collected; what it returns.
asio::awaitable<std::string> run(const char* source, int count) {
    reset_counts();
    auto main = bridge::with_gil([&] {
        py::dict extra;
        extra["count"] = count;
        extra["brief"] = py::cpp_function([] { return bridge::to_python(brief()); });
        extra["hot_brief"] = py::cpp_function([] { return bridge::to_python_future(brief()); });
        return main_of(std::string(R"(
async def main():
    complaints = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    lost = await race()
    await until(lambda: counts()[0] == counts()[1])
    loop.set_exception_handler(None)
    return f"lost {lost} complaints {complaints} tasks {len(asyncio.all_tasks())}"
)") + source,
                       extra);
    });
    auto seen = co_await bridge::to_cpp<std::string>(std::move(main));
    BRIDGE_INFO(std::to_string(completed.load()) + " of " + std::to_string(begun.load()) +
                " came to their end before the request");
    co_return seen;
}

} // namespace

// cancel() said True: then the future is cancelled, even if its last operation had ended
// already.
BRIDGE_TEST(hot_futures, timeout(120s)) {
    BRIDGE_CHECK(co_await run(R"(
async def race():
    lost = 0
    for _ in range(count // 100):
        futures = [hot_brief() for _ in range(100)]
        asked = [future.cancel("race") for future in futures]
        await asyncio.wait(futures)
        lost += sum(was and not future.cancelled() for was, future in zip(asked, futures))
    return lost
)",
                              races() / 2) == "lost 0 complaints [] tasks 1");
}

BRIDGE_TEST(tasks, timeout(120s)) {
    BRIDGE_CHECK(co_await run(R"(
async def race():
    lost = 0
    for i in range(count // 100):
        tasks = [asyncio.create_task(brief()) for _ in range(100)]
        await turns(i % 3 + 1)
        asked = [task.cancel("race") for task in tasks]
        await asyncio.wait(tasks)
        lost += sum(was and not task.cancelled() for was, task in zip(asked, tasks))
    return lost
)",
                              races() / 2) == "lost 0 complaints [] tasks 1");
}

// The C++ side cancels: what Python's end and the request make of each other is settled once.
BRIDGE_TEST(python_awaited_from_cpp, timeout(120s)) {
    auto make = bridge::with_gil([] {
        py::dict scope;
        scope["__builtins__"] = py::module_::import("builtins");
        py::exec("import asyncio\nasync def quick(): await asyncio.sleep(0); return 1\n", scope,
                 scope);
        return py_ref(scope["quick"]);
    });
    int python_won = 0;
    const int rounds = races() / 20;
    for (int i = 0; i < rounds; ++i) {
        const auto winner = co_await (bridge::to_cpp<int>(call(make)) || hop());
        python_won += winner.index() == 0U ? 1 : 0;
    }
    BRIDGE_INFO("Python was first in " + std::to_string(python_won) + " of " +
                std::to_string(rounds));
    const auto tasks = bridge::with_gil([locals = bridge::current_locals()] {
        return py::len(py::module_::import("asyncio").attr("all_tasks")(locals.event_loop()));
    });
    BRIDGE_CHECK(tasks <= 1U);
}
