// SPDX-License-Identifier: Apache-2.0
// The tests of this program.
#pragma once

#include <bridge/harness/detail/definition.hpp>

#include <bridge/protocol/listing.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bridge::harness {

/// One test: a definition with one of its values, under one of its loops.
struct registered_test {
    const detail::definition* what;
    protocol::test_info info;
    test_options options;
    std::shared_ptr<const void> value;     ///< null: it takes none
    std::optional<detail::loop_name> loop; ///< the id names it; else that of the run
};

/// Two tests of one id, or one that says of itself what cannot be.
class bad_test : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// All tests in the order of their definition in each file; under each of these loops, if there
/// are any, that the test is for. Throws bad_test.
std::vector<registered_test> collect_tests(detail::loop_set under = {});

/// The test of this id, which may name a loop that the list does not. Nothing if there is none.
std::optional<registered_test> find_test(const std::vector<registered_test>& tests,
                                         std::string_view id);

/// A value's text as a part of an id: what a shell, CTest or a filter might take apart is encoded
/// as %NN, and a long one is cut.
std::string encode_value(std::string_view text);

} // namespace bridge::harness
