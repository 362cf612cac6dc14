// SPDX-License-Identifier: Apache-2.0
// One condition on a test: `text`, `glob*` or `key:value`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <bridge/protocol/listing.hpp>

#include "base/remembered.hpp"

namespace bridge::cli {

/// What a filter may ask about.
struct candidate {
    const protocol::test_info& test;
    std::string_view binary;
    const remembered* last = nullptr; ///< how it ended when it last ran
};

class filter_term {
public:
    enum class key { id, name, suite, tag, host, binary, status };

    filter_term() = default;

    filter_term(key what, std::string value) : key_(what), value_(std::move(value)) {}

    /// `id` by its parts or as a glob; all else as a whole or as a glob.
    bool fits(const candidate& test) const;

private:
    bool fits_status(const remembered* last) const;

    key key_ = key::id;
    std::string value_;
};

/// The key of this name; nothing for another word.
std::optional<filter_term::key> find_key(std::string_view name);

const std::vector<std::string>& key_names();

/// What `status:` may be followed by; `failed` is all that is not green.
const std::vector<std::string>& status_names();

/// What to say of another value of `status:`; empty for one that is known.
std::string why_no_status(const std::string& value);

} // namespace bridge::cli
