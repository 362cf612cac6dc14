// SPDX-License-Identifier: Apache-2.0
// Conditions on tests.
#include "filter/filter_term.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/near_name.hpp"
#include "filter/glob.hpp"
#include "output/style.hpp"

namespace bridge::cli {

namespace {

bool fits_whole(std::string_view pattern, std::string_view text) {
    return is_glob(pattern) ? glob_fits(pattern, text) : pattern == text;
}

// By convention the id of a test that runs under several hosts ends in `@host`.
std::string_view host_of(std::string_view id) {
    const auto at = id.rfind('@');
    return at == std::string_view::npos ? std::string_view() : id.substr(at + 1);
}

} // namespace

bool filter_term::fits_status(const remembered* last) const {
    if (value_ == "new")
        return last == nullptr;
    if (last == nullptr)
        return false;
    if (value_ == "flaky")
        return last->is_flaky;
    if (value_ == "failed")
        return !protocol::is_success(last->result);
    return value_ == to_string(last->result);
}

bool filter_term::fits(const candidate& test) const {
    const auto& info = test.test;
    switch (key_) {
    case key::name:
        return fits_whole(value_, info.name);
    case key::suite:
        return fits_whole(value_, info.suite);
    case key::tag:
        return std::any_of(info.tags.begin(), info.tags.end(),
                           [this](const auto& tag) { return fits_whole(value_, tag); });
    case key::host:
        return fits_whole(value_, host_of(info.id));
    case key::binary:
        return fits_whole(value_, test.binary);
    case key::status:
        return fits_status(test.last);
    case key::id:
        break;
    }
    return is_glob(value_) ? glob_fits(value_, info.id) : info.id.find(value_) != std::string::npos;
}

const std::vector<std::string>& key_names() {
    static const std::vector<std::string> names{"name", "suite", "tag", "host", "binary", "status"};
    return names;
}

std::optional<filter_term::key> find_key(std::string_view name) {
    using key = filter_term::key;
    constexpr key keys[] = {key::name, key::suite, key::tag, key::host, key::binary, key::status};
    const auto found = std::find(key_names().begin(), key_names().end(), name);
    if (found == key_names().end())
        return std::nullopt;
    return keys[found - key_names().begin()];
}

const std::vector<std::string>& status_names() {
    static const std::vector<std::string> names{"passed",  "failed", "timed_out", "crashed",
                                                "skipped", "flaky",  "new"};
    return names;
}

std::string why_no_status(const std::string& value) {
    const auto& known = status_names();
    if (std::find(known.begin(), known.end(), value) != known.end())
        return {};
    return fmt::format("there is no status '{}'{}; one is {}", printable(value, false),
                       suggest(value, known), fmt::join(known, ", "));
}

} // namespace bridge::cli
