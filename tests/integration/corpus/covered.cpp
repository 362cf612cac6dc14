// SPDX-License-Identifier: Apache-2.0
// Built with --coverage: the counters of tests are written, whichever way their process ends.
#include "corpus.hpp"

BRIDGE_TEST(passes) {
    co_await corpus::turn();
}

BRIDGE_TEST(times_out, timeout(200ms)) {
    co_await corpus::sleep(std::chrono::hours(1));
}

BRIDGE_TEST(blocks_the_loop, timeout(200ms)) {
    co_await corpus::await_python("import time\nasync def f(): time.sleep(3600)");
}
