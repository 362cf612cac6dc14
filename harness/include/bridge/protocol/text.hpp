// SPDX-License-Identifier: Apache-2.0
// Bytes of unknown origin as text: every message of the protocol is valid UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bridge::protocol {

/// Length (1 to 4) of the well-formed UTF-8 sequence that `bytes` begins with, 0 if none.
std::size_t utf8_sequence_length(std::string_view bytes) noexcept;

/// The same text with every byte that is not valid UTF-8 written as `\xNN`.
std::string to_valid_utf8(std::string_view bytes);

/// One byte as `\xNN`.
std::string escape_byte(unsigned char byte);

} // namespace bridge::protocol
