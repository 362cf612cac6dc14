// SPDX-License-Identifier: Apache-2.0
// A main of one's own; with OWN_RUNTIME=1 it makes the default runtime before the harness does.
#include <bridge/harness/harness.hpp>

#include <bridge/runtime.hpp>

#include <boost/asio/post.hpp>

#include <cstdlib>
#include <latch>
#include <memory>

// The handlers wait for each other, which takes a thread for each.
BRIDGE_TEST(three_threads, timeout(20s)) {
    const auto all = std::make_shared<std::latch>(4);
    for (int i = 0; i < 3; ++i)
        boost::asio::post(bridge::default_runtime().io_context(),
                          [all] { all->arrive_and_wait(); });
    all->arrive_and_wait();
    co_return;
}

int main(int argc, char** argv) {
    if (std::getenv("OWN_RUNTIME") != nullptr)
        bridge::init_default_runtime(std::make_unique<bridge::runtime>(bridge::current_thread));
    return bridge::harness::main(argc, argv);
}
