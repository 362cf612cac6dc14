// SPDX-License-Identifier: Apache-2.0
// What a test may say about itself beside its name.
#pragma once

#include <bridge/harness/detail/loop_name.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bridge::harness {

/// How long the test may take, its fixture's set-up and tear-down included; 10 s if it does not
/// say.
struct timeout {
    template<class Rep, class Period>
    constexpr timeout(std::chrono::duration<Rep, Period> limit)
        : value(std::chrono::ceil<std::chrono::milliseconds>(limit)) {}

    std::chrono::milliseconds value;
};

/// Words to select the test by, beside those of its file. String literals: they are not copied.
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

/// The test is known to fail: its failures are told as notes, and it counts as skipped. One that
/// passes fails, so that the option is removed when the fault is. A time-out and a crash are never
/// expected. A string literal: it is not copied.
struct xfail {
    constexpr explicit xfail(std::string_view why) : reason(why) {}

    std::string_view reason;
};

/// The same for a test that fails now and then: one that passes has passed.
struct may_fail {
    constexpr explicit may_fail(std::string_view why) : reason(why) {}

    std::string_view reason;
};

/// Skips the test if the condition holds: a bool, or a function that is called before the test
/// runs, on the main thread, with the GIL. A function that throws fails the test.
struct skip_if {
    skip_if(bool holds, std::string_view why) : skip_if([holds] { return holds; }, why) {}

    template<std::predicate F>
    skip_if(F function, std::string_view why) : condition(std::move(function)), reason(why) {}

    std::function<bool()> condition;
    std::string_view reason;
};

/// The loops that the test is for: it runs once under each, as `suite.name@uvloop`. Of "asyncio",
/// "asyncio+debug", "same-thread", "uvloop"; with another name no test of the program runs.
struct loops {
    template<class... Names>
    constexpr explicit loops(const Names&... names) {
        static_assert(sizeof...(names) > 0, "name at least one loop");
        (add(names), ...);
    }

    detail::loop_set allowed;
    std::string_view unknown; ///< a name that is no loop's

private:
    constexpr void add(std::string_view name) {
        if (const auto loop = detail::parse_loop(name))
            allowed.add(*loop);
        else
            unknown = name;
    }
};

/// The test's time is its own: while nothing can run it jumps to the next timer, of Python's or
/// Asio's, so that an hour takes no time. Under the loop "same-thread" only, and without loops()
/// there by itself.
struct virtual_time {};

/// What the test may leave behind without failing, each as `kind:pattern` with `*` for any text:
/// "task:poll-*", "generator:*", "native". What is ignored is counted in a note.
struct ignore_leaks {
    template<class... Patterns>
    explicit ignore_leaks(const Patterns&... all) : patterns{std::string(all)...} {}

    std::vector<std::string> patterns;
};

/// The test runs again for each place at which it waits, on either side, cancelled there: by its
/// task, by the cancellation signal of its C++ coroutine, and by dropping what awaits that. Each of
/// these runs has a loop and a fixture of its own, and fails if the body does not end, if it ends
/// as if nobody had cancelled it, or if something is left. The function, if there is one, is called
/// after each run, on the main thread, with the GIL, and may hold checks. The time-out is for all
/// of the runs. Only for bodies that the loop runs.
struct cancel_sweep {
    cancel_sweep() = default;

    template<std::invocable F>
    explicit cancel_sweep(F holds_after_each) : invariant(std::move(holds_after_each)) {}

    std::function<void()> invariant;
};

namespace detail {

/// One set of arguments of a test with values; null value: the test takes none.
struct test_value {
    std::string text; ///< for the id
    std::shared_ptr<const void> value;
};

} // namespace detail

/// All that one test says.
struct test_options {
    std::chrono::milliseconds timeout{10'000};
    std::vector<std::string> words{};
    std::string_view group{}; ///< of serial tests
    bool is_serial = false;   ///< alone, whatever its group
    unsigned retries = 0;
    std::string_view known_fault{}; ///< empty: it is to pass
    bool must_fail = false;         ///< a known fault that has gone is a failure
    std::vector<skip_if> skips{};
    detail::loop_set loops{}; ///< empty: any, and not in the id
    std::string_view unknown_loop{};
    bool is_in_virtual_time = false;
    bool is_swept = false;
    std::function<void()> invariant{}; ///< of a sweep; empty: it has none
    std::vector<std::string> ignored_leaks{};
    std::vector<detail::test_value> values{};
};

namespace detail {

inline void apply(test_options& to, const timeout& option) {
    to.timeout = option.value;
}

inline void apply(test_options& to, const tags& option) {
    to.words.insert(to.words.end(), option.names.begin(), option.names.begin() + option.count);
}

inline void apply(test_options& to, const serial& option) {
    to.group = option.group;
    to.is_serial = option.group.empty();
}

inline void apply(test_options& to, const retries& option) {
    to.retries = option.count;
}

inline void apply(test_options& to, const xfail& option) {
    to.known_fault = option.reason;
    to.must_fail = true;
}

inline void apply(test_options& to, const may_fail& option) {
    to.known_fault = option.reason;
    to.must_fail = false;
}

inline void apply(test_options& to, const skip_if& option) {
    to.skips.push_back(option);
}

inline void apply(test_options& to, const loops& option) {
    to.loops = option.allowed;
    to.unknown_loop = option.unknown;
}

inline void apply(test_options& to, const virtual_time&) {
    to.is_in_virtual_time = true;
}

inline void apply(test_options& to, const cancel_sweep& option) {
    to.is_swept = true;
    to.invariant = option.invariant;
}

inline void apply(test_options& to, const ignore_leaks& option) {
    to.ignored_leaks.insert(to.ignored_leaks.end(), option.patterns.begin(), option.patterns.end());
}

/// The options in any order, over what the file says. Of two of a kind the later counts; tags,
/// conditions and ignored leaks add up.
template<class... Options>
void apply_all(test_options& to, const Options&... options) {
    (apply(to, options), ...);
}

} // namespace detail
} // namespace bridge::harness
