// SPDX-License-Identifier: Apache-2.0
// The event loops that tests run under, by name.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace bridge::harness::detail {

/// Each names a loop and the host: Asio runs inside `same-thread`, and beside the others.
inline constexpr std::array<std::string_view, 4> loop_names{"asyncio", "asyncio+debug",
                                                            "same-thread", "uvloop"};

/// A place in loop_names.
enum class loop_name : unsigned char { asyncio, asyncio_debug, same_thread, uvloop };

constexpr std::string_view to_string(loop_name loop) noexcept {
    return loop_names[static_cast<std::size_t>(loop)];
}

constexpr std::optional<loop_name> parse_loop(std::string_view name) noexcept {
    for (std::size_t i = 0; i < loop_names.size(); ++i)
        if (loop_names[i] == name)
            return static_cast<loop_name>(i);
    return std::nullopt;
}

/// Some of the loops.
class loop_set {
public:
    constexpr loop_set() noexcept = default;

    template<class... Rest>
    constexpr explicit loop_set(loop_name first, Rest... rest) noexcept
        : bits_((bit(first) | ... | bit(rest))) {}

    constexpr bool empty() const noexcept { return bits_ == 0; }

    constexpr bool has(loop_name loop) const noexcept { return (bits_ & bit(loop)) != 0; }

    constexpr void add(loop_name loop) noexcept { bits_ |= bit(loop); }

private:
    static constexpr unsigned bit(loop_name loop) noexcept {
        return 1U << static_cast<unsigned>(loop);
    }

    unsigned bits_ = 0;
};

} // namespace bridge::harness::detail
