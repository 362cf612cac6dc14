// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/current.hpp>

#include "record/running_test.hpp"

#include <stdexcept>

namespace bridge::harness {

current_test current() {
    const auto* run = running_test::find();
    if (run == nullptr)
        throw std::logic_error("bridge::harness::current: no test runs");
    const auto& info = run->test().info;
    return {info.id, info.suite, info.name, run->timeout()};
}

} // namespace bridge::harness
