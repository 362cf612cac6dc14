// SPDX-License-Identifier: Apache-2.0
// The checks of plain test programs: what tests the harness must not rest on it.
#pragma once

#include <cstdio>
#include <exception>
#include <vector>

namespace check {

struct test {
    const char* sentence;
    void (*body)();
};

inline std::vector<test>& tests() {
    static std::vector<test> all;
    return all;
}

inline int failures = 0;

inline void that(bool holds, const char* expression, const char* file, int line) {
    if (holds)
        return;
    ++failures;
    std::fprintf(stderr, "%s:%d: not true: %s\n", file, line, expression);
}

struct registration {
    registration(const char* sentence, void (*body)()) { tests().push_back({sentence, body}); }
};

/// Runs all tests of the program; the exit code of its main.
inline int run() {
    for (const auto& one : tests()) {
        const int before = failures;
        try {
            one.body();
        } catch (const std::exception& error) {
            ++failures;
            std::fprintf(stderr, "threw: %s\n", error.what());
        }
        std::printf("%s: %s\n", failures == before ? "ok" : "FAILED", one.sentence);
        std::fflush(stdout);
    }
    return failures == 0 ? 0 : 1;
}

} // namespace check

#define CHECK_JOIN_2(left, right) left##right
#define CHECK_JOIN(left, right) CHECK_JOIN_2(left, right)

/// TEST("a sentence that is true") { ... }
#define TEST(sentence)                                                                             \
    static void CHECK_JOIN(test_body_, __LINE__)();                                                \
    static const check::registration CHECK_JOIN(test_entry_, __LINE__)(                            \
        sentence, &CHECK_JOIN(test_body_, __LINE__));                                              \
    static void CHECK_JOIN(test_body_, __LINE__)()

/// Records a failure if the expression is false; the test goes on.
#define CHECK(...) ::check::that(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

/// Records a failure if the expression does not throw the type.
#define CHECK_THROWS(type, ...)                                                                    \
    do {                                                                                           \
        bool check_threw = false;                                                                  \
        try {                                                                                      \
            (void)(__VA_ARGS__);                                                                   \
        } catch (const type&) {                                                                    \
            check_threw = true;                                                                    \
        }                                                                                          \
        ::check::that(check_threw, #__VA_ARGS__ " throws " #type, __FILE__, __LINE__);             \
    } while (false)
