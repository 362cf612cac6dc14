// SPDX-License-Identifier: Apache-2.0
// What a configuration file says about some of the tests.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "filter/filter_expression.hpp"

namespace bridge::cli {

struct override_rule {
    std::string filter_text;
    filter_expression filter;
    std::string place; ///< "bridge-test.toml:12"
    std::optional<std::chrono::milliseconds> timeout{};
    std::optional<unsigned> retries{};
    std::optional<bool> is_serial{};
    std::optional<std::string> group{};
    std::optional<unsigned> slots{};
};

} // namespace bridge::cli
