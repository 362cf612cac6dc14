// SPDX-License-Identifier: Apache-2.0
// A cancellation that no coroutine catches is thrown once, by Asio into the coroutine that waits: a
// throw costs more than all else of it. The linker sends every throw through here.
#include "python.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

namespace {

std::atomic<int> throws{0};

} // namespace

// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
[[noreturn]] void __real___cxa_throw(void*, void*, void (*)(void*));
[[noreturn]] void __real___cxa_rethrow();
[[noreturn]] void __real__ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE(void*);

[[noreturn]] void __wrap___cxa_throw(void* object, void* type, void (*destroy)(void*)) {
    ++throws;
    __real___cxa_throw(object, type, destroy);
}

[[noreturn]] void __wrap___cxa_rethrow() {
    ++throws;
    __real___cxa_rethrow();
}

// std::rethrow_exception, whose argument is passed by its address.
[[noreturn]] void __wrap__ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE(void* of) {
    ++throws;
    __real__ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE(of);
}
}

// NOLINTEND(bugprone-reserved-identifier)

namespace {

struct on_scope_exit {
    std::atomic<int>& counted;

    ~on_scope_exit() { ++counted; }
};

std::atomic<int> unwound{0};

asio::awaitable<int> forever() {
    const on_scope_exit counts{unwound};
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::use_awaitable);
    co_return 0;
}

asio::awaitable<int> fail() {
    throw std::invalid_argument("wrong");
    co_return 0;
}

asio::awaitable<int> fail_outside() {
    co_return co_await fail();
}

py::dict names() {
    auto m = py::module_::import("types").attr("SimpleNamespace")();
    bridge::def_async(m, "forever", &forever);
    bridge::def_async(m, "fail", &fail);
    bridge::def_async(m, "fail_outside", &fail_outside);
    py::dict all;
    all["m"] = m;
    all["throws"] = py::cpp_function([] { return throws.load(); });
    return all;
}

} // namespace

TEST("a cancellation that nobody catches is thrown once for each coroutine, which unwinds") {
    const auto ran = check::execute(R"(
import asyncio
async def main():
    tasks = [asyncio.create_task(m.forever()) for _ in range(10)]
    await asyncio.sleep(0)
    before = throws()
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    return throws() - before, [type(one) for one in ended] == [asyncio.CancelledError] * 10
thrown, cancelled = asyncio.run(main())
)",
                                    names());
    CHECK(ran["thrown"].cast<int>() == 10);
    CHECK(ran["cancelled"].cast<bool>());
    CHECK(unwound == 10);
}

TEST("what a coroutine throws reaches Python, from inside of another one, too") {
    const auto ran = check::execute(R"(
import asyncio
async def said(awaitable):
    try:
        await awaitable
    except ValueError as error:
        return str(error)
one, two = asyncio.run(said(m.fail())), asyncio.run(said(m.fail_outside()))
)",
                                    names());
    CHECK(ran["one"].cast<std::string>() == "wrong");
    CHECK(ran["two"].cast<std::string>() == "wrong");
}

int main() {
    const py::scoped_interpreter python;
    return check::run();
}
