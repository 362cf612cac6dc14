// SPDX-License-Identifier: Apache-2.0
// Reading and writing durations.
#include <bridge/protocol/duration.hpp>

#include <charconv>
#include <cmath>

namespace bridge::protocol {

namespace {

std::optional<double> unit_in_ms(std::string_view unit) noexcept {
    if (unit == "ms")
        return 1;
    if (unit.empty() || unit == "s")
        return 1000;
    if (unit == "m" || unit == "min")
        return 60'000;
    if (unit == "h")
        return 3'600'000;
    return std::nullopt;
}

// A year: longer deadlines would overflow the clock before they mean anything.
constexpr double longest_ms = 365.0 * 24 * 3'600'000;

// Rounded up; 0.07m is 4200 ms, though its product is a hair above that in floating point.
double round_up(double milliseconds) noexcept {
    const double nearest = std::round(milliseconds);
    const bool is_whole = nearest > 0 && std::abs(milliseconds - nearest) < nearest * 1e-12;
    return is_whole ? nearest : std::ceil(milliseconds);
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    double number = 0;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (parsed.ec != std::errc{})
        return std::nullopt;
    const auto unit = unit_in_ms({parsed.ptr, static_cast<std::size_t>(end - parsed.ptr)});
    if (!unit)
        return std::nullopt;
    const double milliseconds = round_up(number * *unit);
    if (!(milliseconds > 0) || milliseconds > longest_ms)
        return std::nullopt;
    return std::chrono::milliseconds(static_cast<long long>(milliseconds));
}

std::string format_duration(std::chrono::milliseconds value) {
    const auto count = value.count();
    return count % 1000 == 0 ? std::to_string(count / 1000) + "s" : std::to_string(count) + "ms";
}

} // namespace bridge::protocol
