// SPDX-License-Identifier: Apache-2.0
// Law: a native thread takes the GIL only if user code asks for it. The linker sends every call
// that takes it through here, so that nothing has to be believed.
#include "python.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

namespace {

const auto main_thread = std::this_thread::get_id();
std::atomic<int> takes_elsewhere{0};
std::atomic<int> held_in_a_coroutine{0};

void count_take() {
    if (std::this_thread::get_id() != main_thread)
        ++takes_elsewhere;
}

} // namespace

extern "C" {
PyGILState_STATE __real_PyGILState_Ensure();      // NOLINT(bugprone-reserved-identifier)
void __real_PyEval_RestoreThread(PyThreadState*); // NOLINT(bugprone-reserved-identifier)
void __real_PyEval_AcquireThread(PyThreadState*); // NOLINT(bugprone-reserved-identifier)

PyGILState_STATE __wrap_PyGILState_Ensure() { // NOLINT(bugprone-reserved-identifier)
    count_take();
    return __real_PyGILState_Ensure();
}

void __wrap_PyEval_RestoreThread(PyThreadState* state) { // NOLINT(bugprone-reserved-identifier)
    count_take();
    __real_PyEval_RestoreThread(state);
}

void __wrap_PyEval_AcquireThread(PyThreadState* state) { // NOLINT(bugprone-reserved-identifier)
    count_take();
    __real_PyEval_AcquireThread(state);
}

#if PY_VERSION_HEX >= 0x030F0000
PyThreadStateToken*
__real_PyThreadState_Ensure(PyInterpreterGuard*); // NOLINT(bugprone-reserved-identifier)

PyThreadStateToken*
__wrap_PyThreadState_Ensure(PyInterpreterGuard* guard) { // NOLINT(bugprone-reserved-identifier)
    count_take();
    return __real_PyThreadState_Ensure(guard);
}
#endif
}

namespace {

void look() {
    held_in_a_coroutine += PyGILState_Check();
}

asio::awaitable<void> hop() {
    look();
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    look();
}

asio::awaitable<int> complete(int value) {
    co_await hop();
    co_return value;
}

asio::awaitable<void> fail() {
    co_await hop();
    throw std::runtime_error("fails");
}

asio::awaitable<void> wait_for_cancel() {
    co_await hop();
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::use_awaitable);
}

// Takes a reference along and drops it on its own thread.
asio::awaitable<int> drop(bridge::py_ref object) {
    co_await hop();
    object = {};
    co_return 1;
}

asio::awaitable<int> ask(bridge::py_ref function) {
    co_await hop();
    const int value = co_await bridge::call<int>(std::move(function), 20);
    look();
    co_return value;
}

asio::awaitable<bridge::py_ref> pass(bridge::py_ref awaitable) {
    co_await hop();
    co_return co_await bridge::to_cpp(std::move(awaitable));
}

py::dict names() {
    auto m = py::module_::import("types").attr("SimpleNamespace")();
    bridge::def_async(m, "complete", &complete);
    bridge::def_async(m, "fail", &fail);
    bridge::def_async(m, "wait_for_cancel", &wait_for_cancel);
    bridge::def_async(m, "drop", &drop);
    bridge::def_async(m, "ask", &ask);
    bridge::def_async(m, "pass_", &pass);
    py::dict scope;
    scope["m"] = m;
    scope["asyncio"] = py::module_::import("asyncio");
    return scope;
}

constexpr const char* everything = R"py(
async def add(x):
    await asyncio.sleep(0)
    return x + 1
async def fails():
    raise KeyError("k")
async def one(n):
    assert await m.complete(n) == n
    assert await m.drop(object()) == 1
    assert await m.ask(lambda x: x + 1) == 21 and await m.ask(add) == 21
    for failing, error in ((m.fail(), RuntimeError), (m.pass_(fails()), KeyError)):
        try:
            await failing
        except error:
            pass
    task = asyncio.ensure_future(m.wait_for_cancel())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    m.wait_for_cancel().close()
    dropped = asyncio.ensure_future(m.wait_for_cancel())
    await asyncio.sleep(0)
    dropped.cancel()
    await asyncio.wait([dropped])
async def main():
    await asyncio.gather(*(one(n) for n in range(200)))
asyncio.run(main())
result = 1
)py";

} // namespace

TEST("no crossing takes the GIL on a native thread, nor holds it where user code runs") {
    CHECK(check::execute(everything, names())["result"].cast<int>() == 1);
    CHECK(takes_elsewhere == 0);
    CHECK(held_in_a_coroutine == 0);
    CHECK(bridge::unasked_gil_takes() == 0);
}

TEST("what user code asks for is seen by the count") {
    const int before = takes_elsewhere;
    std::thread asks([] { bridge::with_gil([] { py::int_(1); }); });
    bridge::without_gil([&] { asks.join(); });
    CHECK(takes_elsewhere > before);
    CHECK(bridge::unasked_gil_takes() == 0);
}

TEST("a native thread keeps its Python state, and so what threading.local() holds") {
    const auto names = check::execute("import threading\n"
                                      "own = threading.local()\n"
                                      "def count():\n"
                                      "    own.count = getattr(own, 'count', 0) + 1\n"
                                      "    return own.count\n");
    const bridge::py_ref count(names["count"]);
    bool kept = true;
    std::thread counts([&] {
        for (int i = 1; i <= 3; ++i)
            kept = bridge::with_gil([&] { return count.get()().cast<int>() == i; }) && kept;
    });
    bridge::without_gil([&] { counts.join(); });
    CHECK(kept);
}

TEST("what the library would take unasked is counted") {
    std::thread takes([] { const bridge::detail::gil_hold hold; });
    bridge::without_gil([&] { takes.join(); });
    CHECK(bridge::unasked_gil_takes() == 1);
}

int main() {
    const bridge::interpreter python;
    return check::run();
}
