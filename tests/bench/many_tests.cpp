// SPDX-License-Identifier: Apache-2.0
// As many tests as $BENCH_TESTS says; each suspends once.
#include <bridge/harness/harness.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdlib>
#include <deque>
#include <string>

namespace {

struct suspending {
    boost::asio::awaitable<void> bridge_body() {
        co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                                   boost::asio::use_awaitable);
    }
};

void say_options(bridge::harness::test_options& to) {
    using namespace bridge::harness;
    detail::apply_all(to, timeout(std::chrono::seconds(60)), tags("bench"));
}

struct many {
    many() {
        const char* count = std::getenv("BENCH_TESTS");
        const int wanted = count != nullptr ? std::atoi(count) : 1000;
        for (int i = 0; i < wanted; ++i) {
            names.push_back("test_" + std::to_string(i));
            tests.emplace_back(
                names.back().c_str(), __FILE__, i + 1, bridge::harness::detail::on_loop<suspending>,
                bridge::harness::detail::fixture_of<suspending>, false, &say_options);
        }
    }

    std::deque<std::string> names;
    std::deque<bridge::harness::detail::definition> tests;
};

const many all;

} // namespace
