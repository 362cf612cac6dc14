// SPDX-License-Identifier: Apache-2.0
// Tests that end, or end the process, in a way that they should not.
#include "corpus.hpp"

#include <boost/asio/post.hpp>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include <sys/syscall.h>

using namespace corpus;

namespace {

volatile int zero = 0;

// Not optimised into a loop: every call has its frame.
[[gnu::noinline]] int recurse(int depth) {
    volatile char frame[4096];
    frame[0] = static_cast<char>(depth);
    return zero != 0 ? 0 : recurse(depth + 1) + frame[0];
}

[[gnu::noinline]] void throw_unexpectedly() {
    if (zero == 0)
        throw std::runtime_error("not expected");
}

void promise_not_to_throw() noexcept {
    throw_unexpectedly();
}

struct base {
    base() { call(); }

    virtual ~base() = default;

    void call() { pure(); }

    virtual void pure() = 0;
};

struct derived : base {
    void pure() override {}
};

} // namespace

BRIDGE_TEST(segfaults) {
    co_await turn();
    die_of(SIGSEGV);
}

BRIDGE_TEST(reads_null) {
    co_await turn();
    std::signal(SIGSEGV, SIG_DFL);
    volatile const int* nowhere = nullptr;
    BRIDGE_CHECK(*nowhere == 1);
}

BRIDGE_TEST(aborts) {
    co_await turn();
    std::abort();
}

BRIDGE_TEST(crashes_on_a_native_thread) {
    co_await turn();
    std::thread([] {
        const int* volatile nowhere = reinterpret_cast<const int*>(16);
        BRIDGE_CHECK(*nowhere == 1);
    }).join();
}

BRIDGE_TEST(traps) {
    co_await turn();
    die_of(SIGILL);
}

BRIDGE_TEST(kills_itself) {
    co_await turn();
    ::kill(::getpid(), SIGKILL);
}

BRIDGE_TEST(terminates_itself) {
    co_await turn();
    die_of(SIGTERM);
}

BRIDGE_TEST(overflows_the_stack) {
    co_await turn();
    std::signal(SIGSEGV, SIG_DFL);
    BRIDGE_CHECK(recurse(0) == 0);
}

BRIDGE_TEST_SYNC(overflows_the_stack_of_a_thread) {
    BRIDGE_CHECK(recurse(0) == 0);
}

BRIDGE_TEST(overflows_pythons_stack) {
    co_await await_python("def g(): g()\nasync def f(): g()");
}

BRIDGE_TEST(frees_twice) {
    co_await turn();
    void* volatile memory = std::malloc(16);
    std::free(memory);
    std::free(memory);
}

BRIDGE_TEST(terminates) {
    co_await turn();
    std::terminate();
}

BRIDGE_TEST(throws_from_noexcept) {
    co_await turn();
    promise_not_to_throw();
}

BRIDGE_TEST(throws_from_a_thread) {
    std::thread([] { throw std::runtime_error("nobody catches this"); }).join();
    co_return;
}

BRIDGE_TEST(throws_from_a_handler) {
    asio::post(co_await asio::this_coro::executor, [] { throw std::runtime_error("escaped"); });
    co_await turn();
}

BRIDGE_TEST(throws_a_number) {
    co_await turn();
    throw 42;
}

BRIDGE_TEST(calls_a_pure_function) {
    co_await turn();
    derived object;
    object.call();
}

BRIDGE_TEST(exits) {
    co_await turn();
    std::exit(0);
}

BRIDGE_TEST(exits_as_if_skipped) {
    co_await turn();
    std::exit(77);
}

BRIDGE_TEST(exits_at_once) {
    co_await turn();
    ::_exit(0);
}

BRIDGE_TEST(exits_at_once_as_if_skipped) {
    co_await turn();
    ::_exit(77);
}

BRIDGE_TEST(exits_by_the_standard) {
    co_await turn();
    std::_Exit(0);
}

BRIDGE_TEST(exits_quickly) {
    co_await turn();
    std::quick_exit(0);
}

BRIDGE_TEST(exits_with_3) {
    co_await turn();
    ::_exit(3);
}

BRIDGE_TEST(exits_from_a_thread) {
    std::thread([] { std::exit(0); }).join();
    co_return;
}

BRIDGE_TEST(exits_from_python) {
    co_await await_python("import os\nasync def f(): os._exit(0)");
}

BRIDGE_TEST_SYNC(exits_from_a_sync_test) {
    ::_exit(0);
}

BRIDGE_TEST(exits_past_the_library) {
    co_await turn();
    ::syscall(SYS_exit_group, 0);
}

BRIDGE_TEST(becomes_another_program) {
    co_await turn();
    ::execl("/bin/true", "true", nullptr);
}

BRIDGE_TEST(exits_by_sys_exit) {
    co_await await_python("import sys\nasync def f(): sys.exit(0)");
}

BRIDGE_TEST(is_interrupted) {
    co_await await_python("async def f(): raise KeyboardInterrupt");
}

BRIDGE_TEST(misses_a_module) {
    co_await await_python("import no_such_module\nasync def f(): pass");
}

BRIDGE_TEST(closes_the_loop) {
    co_await await_python("import asyncio\nasync def f(): asyncio.get_running_loop().close()");
}

BRIDGE_TEST(stops_the_loop) {
    co_await await_python("import asyncio\n"
                          "async def f():\n"
                          "    asyncio.get_running_loop().stop()\n"
                          "    await asyncio.sleep(0)\n");
}

BRIDGE_TEST(passes_then_segfaults) {
    co_await turn();
    std::atexit([] { die_of(SIGSEGV); });
}

BRIDGE_TEST(passes_then_hangs, timeout(300ms)) {
    co_await turn();
    std::atexit(block);
}

BRIDGE_TEST(passes_then_exits_with_3) {
    co_await turn();
    std::atexit([] { ::_exit(3); });
}

BRIDGE_TEST(fails_then_segfaults) {
    BRIDGE_CHECK(zero == 1);
    std::atexit([] { die_of(SIGSEGV); });
    co_return;
}

BRIDGE_TEST(fails_then_exits_with_0) {
    BRIDGE_CHECK(zero == 1);
    std::atexit([] { ::_exit(0); });
    co_return;
}

BRIDGE_TEST(throws_in_its_last_destructor) {
    struct object {
        ~object() noexcept(false) { throw std::runtime_error("thrown while it is torn down"); }
    };

    co_await turn();
    object here;
}
