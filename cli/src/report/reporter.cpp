// SPDX-License-Identifier: Apache-2.0
// Telling every reporter.
#include "report/reporter.hpp"

#include <cstdio>
#include <system_error>

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
    tell_lost_output();
}

// A reader who went away wanted no more; a full device is nobody's wish.
void report_set::tell_lost_output() {
    const auto error = console().error();
    if (!error || error == std::errc::broken_pipe || error == std::errc::io_error)
        return;
    has_failed_ = true;
    std::fputs(
        fmt::format("bridge-test: the output could not be written: {}\n", error.message()).c_str(),
        stderr);
}

} // namespace bridge::cli
