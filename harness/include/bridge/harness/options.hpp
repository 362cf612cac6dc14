// SPDX-License-Identifier: Apache-2.0
// What a test may say about itself beside its name.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace bridge::harness {

/// How long the test may take; 10 s if it does not say.
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

/// serial("port"): not at the same time as another test of that group, in any binary of the run;
/// serial(): with no other test beside it. A string literal: it is not copied.
struct serial {
    constexpr serial() = default;

    constexpr explicit serial(std::string_view name) : group(name) {}

    std::string_view group;
};

/// How many times bridge-test tries a failed test again; one that passes then is marked flaky.
struct retries {
    constexpr explicit retries(unsigned times) : count(times) {}

    unsigned count;
};

/// All that one test says.
struct test_options {
    std::chrono::milliseconds timeout{10'000};
    tags words{};
    std::string_view group{}; ///< of serial tests
    bool is_serial = false;   ///< alone, whatever its group
    unsigned retries = 0;
};

namespace detail {

constexpr void apply(test_options& to, const timeout& option) {
    to.timeout = option.value;
}

constexpr void apply(test_options& to, const tags& option) {
    to.words = option;
}

constexpr void apply(test_options& to, const serial& option) {
    to.group = option.group;
    to.is_serial = option.group.empty();
}

constexpr void apply(test_options& to, const retries& option) {
    to.retries = option.count;
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
