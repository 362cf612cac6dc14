// SPDX-License-Identifier: Apache-2.0
// The tests of this program.
#pragma once

#include <bridge/harness/detail/definition.hpp>

#include <bridge/protocol/listing.hpp>

#include <stdexcept>
#include <vector>

namespace bridge::harness {

struct registered_test {
    const detail::definition* what;
    protocol::test_info info;
};

/// Two tests of one id.
class duplicate_test : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// All tests in the order of their definition in each file. Throws duplicate_test.
std::vector<registered_test> collect_tests();

} // namespace bridge::harness
