// SPDX-License-Identifier: Apache-2.0
// Tests that do not end by themselves.
#include "corpus.hpp"

#include <boost/asio/post.hpp>

#include <atomic>
#include <future>
#include <mutex>

using namespace corpus;

namespace {

std::mutex native_lock;

} // namespace

BRIDGE_TEST(awaits_for_ever, timeout(300ms)) {
    co_await corpus::sleep(1h);
}

BRIDGE_TEST(awaits_python_for_ever, timeout(300ms)) {
    co_await await_python("import asyncio\n"
                          "async def f(): await asyncio.get_running_loop().create_future()");
}

BRIDGE_TEST(ignores_cancellation, timeout(300ms)) {
    co_await await_python("import asyncio\n"
                          "async def f():\n"
                          "    while True:\n"
                          "        try: await asyncio.get_running_loop().create_future()\n"
                          "        except asyncio.CancelledError: pass\n");
}

BRIDGE_TEST(swallows_cancellation, timeout(300ms)) {
    co_await await_python("import asyncio\n"
                          "async def f():\n"
                          "    try: await asyncio.get_running_loop().create_future()\n"
                          "    except asyncio.CancelledError: pass\n");
}

BRIDGE_TEST(holds_the_gil, timeout(300ms)) {
    co_await turn();
    bridge::with_gil(block);
}

BRIDGE_TEST(locks_a_mutex_and_the_gil, timeout(300ms)) {
    std::promise<void> locked;
    std::thread([&] {
        const std::lock_guard lock(native_lock);
        locked.set_value();
        std::this_thread::sleep_for(50ms); // until the test has the GIL
        bridge::with_gil([] {});
    }).detach();
    locked.get_future().get();
    bridge::with_gil([] {
        const std::lock_guard lock(native_lock); // NOLINT: this is the deadlock
    });
    co_return;
}

BRIDGE_TEST_SYNC(blocks, timeout(300ms)) {
    block();
}

BRIDGE_TEST_SYNC(spins, timeout(300ms)) {
    for (std::atomic<int> turns{0};; ++turns) {
    }
}

BRIDGE_TEST(blocks_the_loop, timeout(300ms)) {
    co_await await_python("import time\nasync def f(): time.sleep(3600)");
}

BRIDGE_TEST(spins_in_python, timeout(300ms)) {
    co_await await_python("async def f():\n    while True: pass");
}

BRIDGE_TEST(blocks_the_runtime, timeout(300ms)) {
    const auto here = co_await asio::this_coro::executor;
    for (int i = 0; i < 64; ++i)
        asio::post(here, block);
    co_await corpus::sleep(1ms);
}

BRIDGE_TEST(joins_a_thread_that_stays, timeout(300ms)) {
    co_await await_python("import threading\n"
                          "async def f():\n"
                          "    t = threading.Thread(target=threading.Event().wait)\n"
                          "    t.start()\n"
                          "    t.join()\n");
}

BRIDGE_TEST_SYNC(stops_itself, timeout(300ms)) {
    ::raise(SIGSTOP);
}

BRIDGE_TEST_SYNC(blocks_every_signal, timeout(300ms)) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    block();
}

BRIDGE_TEST(ignores_the_request_to_end, timeout(300ms)) {
    std::signal(SIGTERM, SIG_IGN);
    co_await turn();
    bridge::with_gil(block);
}

BRIDGE_TEST(hangs_while_a_thread_is_left, timeout(300ms)) {
    std::thread(block).detach();
    co_await corpus::sleep(1h);
}
