// SPDX-License-Identifier: Apache-2.0
// Tests that leave something behind; test_leaks.py knows what each must say.
#include <bridge/harness/harness.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <pybind11/eval.h>

#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace asio = boost::asio;
namespace py = pybind11;

using namespace std::chrono_literals;

namespace {

asio::awaitable<void> wait_for_ever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 24h);
    co_await timer.async_wait(asio::use_awaitable);
}

// Kept, so that only the loop's end ends it.
void keep(const py::object& object) {
    object.inc_ref();
}

} // namespace

BRIDGE_TEST_PY(leaves_a_task, R"(
    import asyncio

    async def poll():
        await asyncio.sleep(3600)

    async def test():
        asyncio.kept = asyncio.create_task(poll(), name="poller")
)")

BRIDGE_TEST(leaves_native_work) {
    bridge::with_python([] { keep(bridge::to_python_future(wait_for_ever())); });
    co_return;
}

namespace {

asio::awaitable<void> serve(std::shared_ptr<asio::steady_timer> until) {
    co_await until->async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> serve_all(std::shared_ptr<asio::steady_timer> until) {
    co_await serve(std::move(until));
}

} // namespace

BRIDGE_TEST(leaves_a_coroutine) {
    const auto here = co_await asio::this_coro::executor;
    asio::co_spawn(here, serve_all(std::make_shared<asio::steady_timer>(here, 24h)),
                   asio::detached);
}

BRIDGE_TEST(leaves_a_coroutine_and_may, ignore_leaks("coroutine:serve")) {
    const auto here = co_await asio::this_coro::executor;
    asio::co_spawn(here, serve_all(std::make_shared<asio::steady_timer>(here, 24h)),
                   asio::detached);
}

BRIDGE_TEST(leaves_a_coroutine_that_ends_soon) {
    const auto here = co_await asio::this_coro::executor;
    asio::co_spawn(here, serve_all(std::make_shared<asio::steady_timer>(here, 20ms)),
                   asio::detached);
}

BRIDGE_TEST_PY(leaves_a_child, R"(
    import subprocess

    def test():
        null = subprocess.DEVNULL
        subprocess.kept = subprocess.Popen(["sleep", "3600"], stdin=null, stdout=null, stderr=null)
)")

BRIDGE_TEST(leaves_an_ended_child) {
    const auto child = ::fork();
    if (child == 0)
        ::_exit(0);
    siginfo_t ended{};
    BRIDGE_CHECK(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) == 0);
    co_return;
}

BRIDGE_TEST_MAIN_THREAD(changes_a_handler) {
    py::exec("import signal; signal.signal(signal.SIGUSR1, lambda *_: None)");
    ::signal(SIGUSR2, SIG_IGN);
}

BRIDGE_TEST_SYNC(keeps_the_gil) {
    PyGILState_Ensure();
}

BRIDGE_TEST_SYNC(gives_the_gil_back) {
    PyGILState_Release(PyGILState_Ensure());
}

BRIDGE_TEST_PY(leaves_descriptors, R"py(
    import os
    import socket
    import sys

    def test():
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("127.0.0.1", 0))
        listening = socket.create_server(("127.0.0.1", 0))
        connected = socket.create_connection(listening.getsockname())
        file = open(os.devnull, "rb", buffering=0)
        sys.kept_open = [datagrams, listening, connected, *socket.socketpair(), file, os.pipe()]
)py")

BRIDGE_TEST(leaves_nothing) {
    co_return;
}

BRIDGE_TEST_MAIN_THREAD(loses_the_gil) {
    PyEval_SaveThread();
}

namespace {

// Never destroyed: what is kept stays until the process ends.
std::vector<bridge::py_ref>& kept_references() {
    static auto* kept = new std::vector<bridge::py_ref>();
    return *kept;
}

} // namespace

BRIDGE_TEST(keeps_a_reference) {
    kept_references().push_back(bridge::with_gil([] { return bridge::py_ref(py::dict()); }));
    co_return;
}

BRIDGE_TEST(keeps_a_second_reference) {
    const auto first = bridge::with_gil([] { return bridge::py_ref(py::list()); });
    kept_references().push_back(bridge::with_gil([&] { return first.clone(); }));
    co_return;
}

BRIDGE_TEST_MAIN_THREAD(keeps_a_reference_on_the_main_thread) {
    kept_references().emplace_back(bridge::py_ref(py::str("kept")));
}

BRIDGE_TEST(keeps_a_reference_and_may, ignore_leaks("reference:dict")) {
    kept_references().push_back(bridge::with_gil([] { return bridge::py_ref(py::dict()); }));
    co_return;
}

BRIDGE_TEST(keeps_what_lives_anyway) {
    bridge::with_gil([] {
        const auto asyncio = py::module_::import("asyncio");
        kept_references().emplace_back(asyncio);
        kept_references().emplace_back(asyncio.attr("sleep"));
        kept_references().emplace_back(asyncio.attr("Event"));
    });
    co_return;
}

// Moved, dropped on another thread, and given away.
BRIDGE_TEST_SYNC(drops_its_references) {
    auto first = bridge::with_gil([] { return bridge::py_ref(py::dict()); });
    auto second = std::move(first);
    auto third = bridge::with_gil([&] { return second.clone(); });
    std::thread([moved = std::move(second)] {}).join();
    bridge::with_gil([&] { py::reinterpret_steal<py::object>(third.release()); });
}
