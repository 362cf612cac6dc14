// SPDX-License-Identifier: Apache-2.0
// Native code that does not end when it is asked to is named in asyncio's log.
#include "native_work.hpp"

#include <bridge/harness/harness.hpp>

#include <boost/asio/cancellation_state.hpp>

#include <optional>
#include <string>
#include <string_view>

BRIDGE_SUITE("cancelling_slow")

using namespace native_work;

namespace {

std::optional<turnstile> door;

asio::awaitable<int> deaf() {
    const life alive;
    co_await door->wait_deaf();
    co_return (co_await asio::this_coro::cancellation_state).cancelled() !=
        asio::cancellation_type::none;
}

/// Runs main() of the source; `warnings` lists what asyncio's log has got.
asio::awaitable<std::string> run_deaf(const char* source, std::chrono::milliseconds slow) {
    reset_counts();
    door.emplace();
    bridge::set_slow_cancel_duration(slow);
    auto main = bridge::with_gil([&] {
        py::dict extra;
        extra["deaf"] = py::cpp_function([] { return bridge::to_python(deaf()); });
        extra["open"] = py::cpp_function([] { door->open(); });
        extra["set_slow"] = py::cpp_function([](int milliseconds) {
            bridge::set_slow_cancel_duration(std::chrono::milliseconds(milliseconds));
        });
        py::exec(R"(
import logging
warnings = []
class Handler(logging.Handler):
    def emit(self, record):
        warnings.append(record.levelname + ": " + record.getMessage())
logger = logging.getLogger("asyncio")
logger.addHandler(Handler())
logger.propagate = False
)",
                 extra);
        return main_of(source, extra);
    });
    auto result = co_await bridge::to_cpp<std::string>(std::move(main));
    bridge::set_slow_cancel_duration(std::chrono::seconds(10));
    door.reset(); // before the runtime that it belongs to
    co_return result;
}

} // namespace

BRIDGE_TEST(it_is_named_once_with_the_line_where_it_waits) {
    const auto said = co_await run_deaf(R"(
async def main():
    answers = asyncio.create_task(forever())
    ignores = asyncio.create_task(deaf())
    await until(lambda: counts()[0] == 2)
    answers.cancel()
    await outcome(answers)
    set_slow(10)
    ignores.cancel()
    ignores.cancel()
    await until(lambda: warnings)
    ignores.cancel()
    await asyncio.sleep(0.05)
    ended = ignores.done()
    open()
    return f"{ended} {await outcome(ignores)} {len(warnings)} {warnings[0]}"
)",
                                        std::chrono::hours(1));
    BRIDGE_INFO(said);
    constexpr std::string_view begin =
        "False 1 1 WARNING: C++ coroutine 'bridge.coroutine' was cancelled and has not ended; "
        "whoever cancelled it waits for it: it waits, or last waited, in wait_deaf at ";
    constexpr std::string_view end = ". What it does there does not react to a cancellation; see "
                                     "docs/guides/cancelling.md of bridge";
    BRIDGE_CHECK(said.starts_with(begin));
    BRIDGE_CHECK(said.ends_with(end));
    const auto place = said.substr(begin.size(), said.size() - begin.size() - end.size());
    constexpr std::string_view file = "turnstile.hpp:";
    const auto line = place.find(file);
    BRIDGE_REQUIRE(line != std::string::npos);
    BRIDGE_CHECK(std::stoi(place.substr(line + file.size())) > 0);
}

BRIDGE_TEST(each_in_its_time) {
    BRIDGE_CHECK(co_await run_deaf(R"(
async def main():
    tasks = [asyncio.create_task(deaf()) for _ in range(5)]
    await until(lambda: counts()[0] == 5)
    for count, task in enumerate(tasks, 1):
        task.cancel()
        await until(lambda: len(warnings) == count)
    for _ in tasks:
        open()
    return f"{await asyncio.gather(*tasks)} {len(warnings)}"
)",
                                   std::chrono::milliseconds(5)) == "[1, 1, 1, 1, 1] 5");
}

BRIDGE_TEST(a_shorter_time_does_not_wait_for_the_longer_one) {
    BRIDGE_CHECK(co_await run_deaf(R"(
async def main():
    early = asyncio.create_task(forever())
    task = asyncio.create_task(deaf())
    await until(lambda: counts()[0] == 2)
    early.cancel()
    await outcome(early)
    set_slow(5)
    task.cancel()
    await until(lambda: warnings)
    open()
    return f"{await task} {len(warnings)}"
)",
                                   std::chrono::hours(1)) == "1 1");
}

BRIDGE_TEST(zero_says_nothing) {
    BRIDGE_CHECK(co_await run_deaf(R"(
async def main():
    task = asyncio.create_task(deaf())
    await until(lambda: counts()[0] == 1)
    task.cancel()
    await asyncio.sleep(0.05)
    open()
    return f"{await task} {warnings}"
)",
                                   std::chrono::milliseconds(0)) == "1 []");
}
