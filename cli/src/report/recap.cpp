// SPDX-License-Identifier: Apache-2.0
#include "report/recap.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bridge::cli {

namespace {

std::string list(std::string_view head, const std::vector<std::string>& lines, const style& look) {
    if (lines.empty())
        return {};
    auto text = "\n" + look.paint(color::bold, head) + "\n";
    for (const auto& line : lines)
        text += "          " + line + "\n";
    return text;
}

} // namespace

void recap::add(const case_result& result, const std::string& title) {
    for (const auto& one : result.failures)
        if (one.kind == "leak") {
            const auto message = printable(one.message, false);
            leaks_.push_back(title + ": " + message.substr(0, message.find('\n')));
        }
    if (result.is_flaky())
        flaky_.push_back(fmt::format("{}: passed at attempt {}", title, result.earlier.size() + 1));
    if (most_ == 0 || result.result == protocol::outcome::not_run)
        return;
    const auto is_slower = [&](const auto& other) { return result.duration > other.first; };
    slowest_.insert(std::find_if(slowest_.begin(), slowest_.end(), is_slower),
                    {result.duration, title});
    slowest_.resize(std::min(slowest_.size(), most_));
}

std::string recap::text(const style& look) const {
    std::string text;
    if (!slowest_.empty())
        text += "\n" + look.paint(color::bold, "Slowest:") + "\n";
    for (const auto& [duration, title] : slowest_)
        text += fmt::format("          [{:8.3f}s] {}\n",
                            std::chrono::duration<double>(duration).count(), title);
    return text + list("Flaky:", flaky_, look) + list("Leaks:", leaks_, look);
}

} // namespace bridge::cli
