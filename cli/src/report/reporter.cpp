// SPDX-License-Identifier: Apache-2.0
// Telling every reporter.
#include "report/reporter.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "output/writer.hpp"

namespace bridge::cli {

template<class Tell>
void report_set::for_each(const Tell& tell) {
    for (const auto& one : reporters_) {
        try {
            tell(*one);
        } catch (const report_error& error) {
            has_failed_ = true;
            console().write(STDERR_FILENO, fmt::format("bridge-test: {}\n", error.what()));
        }
    }
}

void report_set::emit(const run_event& event) {
    for_each([&](reporter& one) { one.on(event); });
}

void report_set::finish() {
    for_each([](reporter& one) { one.finish(); });
    console().finish();
}

} // namespace bridge::cli
