// SPDX-License-Identifier: Apache-2.0
#include "report/progress.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "output/style.hpp"

namespace bridge::cli {

namespace {

constexpr std::size_t narrow = 60;
constexpr std::size_t widest_bar = 30;
constexpr std::chrono::seconds soon{2}; // before that, an estimate only flickers

std::string bar(const progress& now, std::size_t columns) {
    if (columns < narrow || now.all == 0)
        return "";
    const auto width = std::min(widest_bar, columns / 5);
    const auto full = std::min(width, width * now.done / now.all);
    return fmt::format("[{:#>{}}{:->{}}] ", "", full, "", width - full);
}

std::string to_text(std::chrono::seconds left) {
    const auto count = left.count();
    if (count < 60)
        return fmt::format("{}s", count);
    if (count < 3600)
        return fmt::format("{}m{:02}s", count / 60, count % 60);
    return fmt::format("{}h{:02}m", count / 3600, count / 60 % 60);
}

} // namespace

std::chrono::seconds time_left(const progress& now) {
    if (now.elapsed < soon || now.done == 0 || now.done >= now.all)
        return std::chrono::seconds(0);
    const auto each = std::chrono::duration<double>(now.elapsed) / static_cast<double>(now.done);
    return std::chrono::ceil<std::chrono::seconds>(each * static_cast<double>(now.all - now.done));
}

std::string progress_line(const progress& now, std::size_t columns) {
    const auto left = time_left(now);
    const auto text = fmt::format(
        "  {}{}{}/{}{}, running: {}", bar(now, columns),
        left.count() > 0 && columns >= narrow ? to_text(left) + " left  " : "", now.done, now.all,
        now.bad > 0 ? fmt::format(", {} bad", now.bad) : "", fmt::join(now.running, ", "));
    return shorten(text, columns);
}

} // namespace bridge::cli
