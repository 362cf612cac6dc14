// SPDX-License-Identifier: Apache-2.0
// A thousand tests, to measure how long they take to list.
#include <bridge/harness/harness.hpp>

#include <deque>
#include <string>

namespace {

boost::asio::awaitable<void> pass() {
    co_return;
}

bridge::harness::test_options options() {
    return {std::chrono::seconds(5), bridge::harness::tags("many")};
}

struct thousand {
    thousand() {
        for (int i = 0; i < 1000; ++i) {
            names.push_back("test_" + std::to_string(i));
            tests.emplace_back(names.back().c_str(), __FILE__, i + 1, &pass, &options);
        }
    }

    std::deque<std::string> names;
    std::deque<bridge::harness::detail::definition> tests;
};

const thousand all;

} // namespace
