// SPDX-License-Identifier: Apache-2.0
// Programs of C++ that start and end Python, with work in flight in both directions: one case a
// process, named by the first argument.
#include <bridge/bridge.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <pybind11/eval.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

void require(bool holds, const char* what) {
    if (holds)
        return;
    std::fprintf(stderr, "not true: %s\n", what);
    std::_Exit(1);
}

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

asio::awaitable<void> spin() {
    for (;;)
        co_await hop();
}

asio::awaitable<void> await_many() {
    for (;;) {
        auto sleep = bridge::with_gil(
            [] { return bridge::py_ref(py::module_::import("asyncio").attr("sleep")(0)); });
        co_await bridge::to_cpp<void>(std::move(sleep));
    }
}

// Eight busy crossings on the threads of a runtime, and four that await Python.
std::vector<bridge::py_ref> load(bridge::runtime& on) {
    return bridge::with_gil([&] {
        std::vector<bridge::py_ref> all;
        for (int i = 0; i < 12; ++i)
            all.push_back(bridge::to_python_future(on, bridge::current_locals(),
                                                   i < 8 ? spin() : await_many()));
        return all;
    });
}

asio::awaitable<void> loaded(std::vector<bridge::py_ref>& kept) {
    kept = load(bridge::default_runtime());
    for (int i = 0; i < 5; ++i)
        co_await hop();
}

void one_run() {
    std::vector<bridge::py_ref> kept;
    bridge::run(loaded(kept));
}

void one_life() {
    std::vector<bridge::py_ref> kept;
    const bridge::interpreter python;
    bridge::run(loaded(kept));
}

void lives_in_a_row() {
    for (int i = 0; i < 3; ++i)
        one_life();
}

// The loop is left open, and what was kept is destroyed when Python is gone.
void references_outlive_python() {
    std::vector<bridge::py_ref> kept;
    {
        const bridge::interpreter python;
        const bridge::py_ref loop(py::module_::import("asyncio").attr("new_event_loop")());
        bridge::run_until_complete(loop, loaded(kept));
    }
    kept.clear();
    try {
        bridge::with_gil([] {});
        require(false, "with_gil throws once Python has ended");
    } catch (const boost::system::system_error& error) {
        require(error.code() == bridge::errc::interpreter_gone, "it throws interpreter_gone");
    }
}

// Native threads that take the GIL again and again, until they are told that Python has gone; the
// same threads in the next life.
void threads_outlive_python() {
    bridge::runtime on({.threads = 4});
    for (int life = 0; life < 2; ++life) {
        std::atomic<int> at_work{0};
        std::atomic<int> told{0};
        {
            const bridge::interpreter python;
            bridge::with_gil([] {}); // attached before the threads come
            for (int i = 0; i < 4; ++i)
                asio::post(on.io_context(), [&] {
                    try {
                        for (;; ++at_work)
                            bridge::with_gil([] { py::print("", py::arg("end") = ""); });
                    } catch (const boost::system::system_error&) {
                        ++told;
                    }
                });
            bridge::without_gil([&] {
                while (at_work < 100)
                    std::this_thread::yield();
            });
        }
        while (told < 4)
            std::this_thread::yield();
    }
}

// A thread that Python has to leave where it is; the next life does not wait for it.
void computing_outlives_python() {
    static std::atomic<int> begun{0};
    for (int life = 0; life < 2; ++life) {
        const bridge::interpreter python;
        bridge::with_gil([] {}); // attached before the thread comes
        std::thread([] {
            bridge::with_gil([]() noexcept {
                ++begun;
                py::exec("while True: pass");
            });
        }).detach();
        bridge::without_gil([&] {
            while (begun <= life)
                std::this_thread::yield();
        });
        one_run();
    }
    require(bridge::detail::interpreter_gate().close({}), "nobody is waited for");
}

// Python is finalized by its own API, while a runtime that is not the default one goes on.
void finalized_by_hand() {
    Py_Initialize();
    std::vector<bridge::py_ref> kept;
    bridge::runtime on({.threads = 8});
    const auto body = [&]() -> asio::awaitable<void> {
        kept = load(on);
        for (int i = 0; i < 5; ++i)
            co_await hop();
    };
    bridge::run(body());
    require(Py_FinalizeEx() == 0, "Python ends without an error");
    kept.clear();
    Py_Initialize();
    bridge::run(loaded(kept));
    require(Py_FinalizeEx() == 0, "and again");
}

void the_runtime_before_python() {
    asio::co_spawn(bridge::default_runtime().make_executor({}), spin(), asio::detached);
    one_life();
}

void never_finalized() {
    static auto& kept = *new std::vector<bridge::py_ref>;
    new bridge::interpreter; // NOLINT
    bridge::run(loaded(kept));
}

void ended_without_the_gil() {
    std::vector<bridge::py_ref> kept;
    const bridge::interpreter python;
    bridge::run(loaded(kept));
    bridge::without_gil([] { require(bridge::shutdown_default_runtime(10s), "it ends"); });
}

// Deaf to its cancellation, it ends after the run that started it.
asio::awaitable<int> outlive_the_run(std::promise<void>& ended) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    bridge::with_gil([] {
        py::module_::import("logging").attr("disable")(); // that it is left behind
        const auto exit = py::module_::import("sys").attr("exit");
        bridge::current_locals().event_loop().attr("call_soon_threadsafe")(exit);
    });
    asio::steady_timer timer(co_await asio::this_coro::executor, 500ms);
    co_await timer.async_wait(asio::use_awaitable);
    ended.set_value();
    co_return 1;
}

void main_left_behind() {
    std::promise<void> ended;
    const bridge::interpreter python;
    try {
        bridge::run(outlive_the_run(ended), {.deadline = 50ms});
        require(false, "run throws");
    } catch (const bridge::python_error& error) {
        require(bridge::with_gil([&] { return error.matches(PyExc_SystemExit); }), "SystemExit");
    }
    require(ended.get_future().wait_for(20s) == std::future_status::ready, "main goes on");
    require(bridge::shutdown_default_runtime(10s), "and ends");
}

const std::map<std::string, void (*)()> cases = {
    {"lives_in_a_row", &lives_in_a_row},
    {"references_outlive_python", &references_outlive_python},
    {"threads_outlive_python", &threads_outlive_python},
    {"computing_outlives_python", &computing_outlives_python},
    {"finalized_by_hand", &finalized_by_hand},
    {"the_runtime_before_python", &the_runtime_before_python},
    {"never_finalized", &never_finalized},
    {"ended_without_the_gil", &ended_without_the_gil},
    {"main_left_behind", &main_left_behind},
};

} // namespace

int main(int argc, char** argv) {
    const auto found = cases.find(argc > 1 ? argv[1] : "");
    if (found == cases.end())
        return 2;
    bridge::init_default_runtime({.threads = 8, .exit_deadline = 300ms});
    found->second();
}
