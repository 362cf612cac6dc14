// SPDX-License-Identifier: Apache-2.0
// Telling every reporter.
#include "reporter.hpp"

#include <cstdio>

#include <fmt/format.h>

namespace bridge::cli {

void report_set::emit(const run_event& event) {
    for (const auto& one : reporters_) {
        try {
            one->on(event);
        } catch (const report_error& error) {
            has_failed_ = true;
            std::fputs(fmt::format("bridge-test: {}\n", error.what()).c_str(), stderr);
        }
    }
}

} // namespace bridge::cli
