// SPDX-License-Identifier: Apache-2.0
// What a test may say about itself beside its name.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace bridge::harness {

/// How long the test may take; 10 s where it does not say.
struct timeout {
    template<class Rep, class Period>
    constexpr timeout(std::chrono::duration<Rep, Period> limit)
        : value(std::chrono::ceil<std::chrono::milliseconds>(limit)) {}

    std::chrono::milliseconds value;
};

/// Words to select the test by. String literals: they are not copied.
struct tags {
    static constexpr std::size_t most = 8;

    template<class... Names>
    constexpr explicit tags(const Names&... all)
        : names{std::string_view(all)...}, count(sizeof...(all)) {
        static_assert(sizeof...(all) <= most, "a test has at most eight tags");
    }

    std::array<std::string_view, most> names;
    std::size_t count;
};

/// All that one test says.
struct test_options {
    std::chrono::milliseconds timeout{10'000};
    tags words{};
};

namespace detail {

constexpr void apply(test_options& to, const timeout& option) {
    to.timeout = option.value;
}

constexpr void apply(test_options& to, const tags& option) {
    to.words = option;
}

/// The options in any order; of two of a kind the later counts.
template<class... Options>
constexpr test_options make_options(const Options&... options) {
    test_options made;
    (apply(made, options), ...);
    return made;
}

} // namespace detail
} // namespace bridge::harness
