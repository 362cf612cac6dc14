// SPDX-License-Identifier: Apache-2.0
// A loop is closed in one thread while another cancels the C++ coroutines that wait for it.
#include <bridge/harness/harness.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <pybind11/eval.h>
#include <pybind11/functional.h>

#include <atomic>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

BRIDGE_SUITE("closing_races")

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

namespace {

constexpr int waiting = 400;

// A Future says when it goes, which is when whoever awaits it is about to be told.
constexpr const char* program = R"(
import asyncio
class Told(asyncio.Future):
    def __init__(self, loop, tell):
        super().__init__(loop=loop)
        self.tell = tell
    def __del__(self):
        self.tell()
)";

struct race {
    std::atomic<int> told = -1;
    std::atomic<int> begun = 0;
    std::atomic<int> ended = 0;
    std::deque<asio::cancellation_signal> signals;
    std::vector<bridge::executor> on;
    bridge::runtime threads{{.threads = 1}}; // which the coroutines and the requests share
};

asio::awaitable<void> wait_for(race& all, bridge::task_locals in, bridge::py_ref future) {
    ++all.begun;
    try {
        co_await bridge::to_cpp<void>(std::move(in), std::move(future));
    } catch (const boost::system::system_error&) {
        // The loop was closed, or the request came first.
    }
}

void begin(race& all, const py::object& loop) {
    py::dict scope;
    scope["__builtins__"] = py::module_::import("builtins");
    py::exec(program, scope, scope);
    const bridge::task_locals in(loop);
    for (int i = 0; i < waiting; ++i) {
        const auto tell = py::cpp_function([&all, i] { all.told = i; });
        auto& signal = all.signals.emplace_back();
        all.on.push_back(all.threads.make_executor({}));
        asio::co_spawn(all.on.back(), wait_for(all, in, bridge::py_ref(scope["Told"](loop, tell))),
                       asio::bind_cancellation_slot(signal.slot(),
                                                    [&all](std::exception_ptr) { ++all.ended; }));
    }
}

// Cancels each as soon as it is about to be told, a little later each time.
void cancel_the_told(race& all) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    int last = -1;
    for (int done = 0; done < waiting && std::chrono::steady_clock::now() < deadline;) {
        const int now = all.told;
        if (now == last)
            continue;
        last = now;
        const auto later =
            std::chrono::steady_clock::now() + std::chrono::nanoseconds(done % 100 * 50);
        while (std::chrono::steady_clock::now() < later) {
        }
        all.signals[static_cast<std::size_t>(now)].emit(asio::cancellation_type::all);
        ++done;
        if (now == 0)
            return; // the first to come is the last to go
    }
}

} // namespace

BRIDGE_TEST(nobody_is_lost_whom_a_cancel_meets_while_the_loop_is_closed, timeout(120s)) {
    const auto close_under_requests = [] {
        return bridge::with_gil([] {
            auto all = std::make_unique<race>();
            const auto loop = py::module_::import("asyncio").attr("new_event_loop")();
            begin(*all, loop);
            const auto turn = py::module_::import("asyncio").attr("sleep");
            while (all->begun < waiting)
                loop.attr("run_until_complete")(turn(0.001));
            for (int i = 0; i < 20; ++i)
                loop.attr("run_until_complete")(turn(0));
            asio::post(all->on[0], [&all] { cancel_the_told(*all); });
            loop.attr("close")();
            const auto deadline = std::chrono::steady_clock::now() + 10s;
            bridge::without_gil([&] {
                while (all->ended < waiting && std::chrono::steady_clock::now() < deadline)
                    std::this_thread::sleep_for(1ms);
            });
            const int ended = all->ended;
            bridge::without_gil([&] { all.reset(); });
            return ended;
        });
    };
    for (int round = 0; round < 100; ++round)
        BRIDGE_CHECK((co_await bridge::to_thread(close_under_requests)) == waiting);
}
