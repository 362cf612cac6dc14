// SPDX-License-Identifier: Apache-2.0
// A thousand tests, to measure how long they take to list.
#include <bridge/harness/harness.hpp>

#include <deque>
#include <string>

namespace {

struct passing {
    boost::asio::awaitable<void> bridge_body() { co_return; }
};

void say_options(bridge::harness::test_options& to) {
    using namespace bridge::harness;
    detail::apply_all(to, timeout(std::chrono::seconds(5)), tags("many"));
}

struct thousand {
    thousand() {
        for (int i = 0; i < 1000; ++i) {
            names.push_back("test_" + std::to_string(i));
            tests.emplace_back(names.back().c_str(), __FILE__, i + 1,
                               bridge::harness::detail::on_loop<passing>,
                               bridge::harness::detail::fixture_of<passing>, false, &say_options);
        }
    }

    std::deque<std::string> names;
    std::deque<bridge::harness::detail::definition> tests;
};

const thousand all;

} // namespace
