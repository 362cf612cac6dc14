// SPDX-License-Identifier: Apache-2.0
// Tests that start processes and leave them, or change what the process stands on.
#include "corpus.hpp"

#include <cstdlib>

#include <sys/resource.h>
#include <sys/wait.h>

using namespace corpus;

namespace {

// Runs `body` in a forked process, which then ends by _exit.
template<class Body>
pid_t in_a_child(Body body) {
    const auto child = ::fork();
    if (child == 0) {
        body();
        ::_exit(0);
    }
    return child;
}

int end_of(pid_t child) {
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
}

} // namespace

// Longer than the test may take, and short enough for a runner that waits for whoever holds the
// output.
BRIDGE_TEST_SYNC(leaves_a_child_with_its_output) {
    in_a_child([] { ::sleep(3); });
}

BRIDGE_TEST_SYNC(leaves_a_child_in_another_session) {
    in_a_child([] {
        ::setsid();
        ::sleep(3);
    });
}

BRIDGE_TEST_SYNC(leaves_zombies) {
    for (int i = 0; i < 20; ++i)
        in_a_child([] {});
}

BRIDGE_TEST_SYNC(leaves_a_stopped_child) {
    const auto child = in_a_child([] { ::raise(SIGSTOP); });
    int status = 0;
    ::waitpid(child, &status, WUNTRACED);
    BRIDGE_CHECK(WIFSTOPPED(status));
    std::thread([child] { // for a runner that would wait for it
        std::this_thread::sleep_for(100ms);
        ::kill(child, SIGCONT);
    })
        .join();
}

BRIDGE_TEST_SYNC(has_a_child_that_calls_exit) {
    BRIDGE_CHECK(end_of(in_a_child([] { std::exit(0); })) == 0);
}

BRIDGE_TEST_SYNC(has_a_child_that_calls_quick_exit) {
    BRIDGE_CHECK(end_of(in_a_child([] { std::quick_exit(0); })) == 0);
}

BRIDGE_TEST_SYNC(has_a_child_that_crashes) {
    BRIDGE_CHECK(WTERMSIG(end_of(in_a_child([] { die_of(SIGSEGV); }))) == SIGSEGV);
}

BRIDGE_TEST(has_a_python_child) {
    co_await await_python("import os\n"
                          "async def f():\n"
                          "    if (pid := os.fork()) == 0: os._exit(0)\n"
                          "    assert os.waitpid(pid, 0)[1] == 0\n");
}

BRIDGE_TEST_SYNC(removes_its_folder) {
    char folder[] = "/tmp/bridge-corpus-XXXXXX";
    BRIDGE_REQUIRE(::mkdtemp(folder) != nullptr);
    BRIDGE_REQUIRE(::chdir(folder) == 0);
    BRIDGE_CHECK(::rmdir(folder) == 0);
}

BRIDGE_TEST_SYNC(has_no_environment) {
    ::clearenv();
}

BRIDGE_TEST(has_no_descriptors_left) {
    const rlimit none{3, 3};
    BRIDGE_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    co_await await_python("import asyncio\n"
                          "async def f(): await asyncio.open_connection('127.0.0.1', 9)\n");
}

BRIDGE_TEST_SYNC(kills_its_group) {
    ::kill(0, SIGKILL);
}
