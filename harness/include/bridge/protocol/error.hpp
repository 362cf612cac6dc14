// SPDX-License-Identifier: Apache-2.0
// What reading the protocol throws: text that says which part of which message is wrong.
#pragma once

#include <stdexcept>

namespace bridge::protocol {

/// A message (listing, event or manifest) that does not follow the protocol.
class protocol_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

} // namespace bridge::protocol
