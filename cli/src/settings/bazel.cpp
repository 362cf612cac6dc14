// SPDX-License-Identifier: Apache-2.0
// Variable by variable.
#include "settings/bazel.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "filter/filter_word.hpp"
#include "output/append_file.hpp"

namespace bridge::cli {

namespace {

using std::chrono::seconds;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

unsigned number(const char* name, unsigned fallback) {
    const auto text = variable(name);
    if (text.empty())
        return fallback;
    unsigned value = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
        throw expected_error(exit_code::usage,
                             fmt::format("{} is '{}', which is not a number", name, text));
    return value;
}

void touch(const std::string& path) {
    append_file(path, append_file::old_content::kept);
}

void take_shard(options& settings) {
    const auto count = number("TEST_TOTAL_SHARDS", 0);
    if (count == 0)
        return;
    const auto index = number("TEST_SHARD_INDEX", 0);
    if (index >= count)
        throw expected_error(exit_code::usage,
                             fmt::format("TEST_SHARD_INDEX is {} and TEST_TOTAL_SHARDS is {}; the "
                                         "first shard is 0",
                                         index, count));
    if (!settings.part)
        settings.part = shard{index + 1, count};
    if (const auto status = variable("TEST_SHARD_STATUS_FILE"); !status.empty())
        touch(status); // Bazel: this program knows of shards
}

// Both have to fit; several of the command line widen each other.
void take_filter(options& settings) {
    const auto only = variable("TESTBRIDGE_TEST_ONLY");
    if (only.empty())
        return;
    parse_expression("TESTBRIDGE_TEST_ONLY (--test_filter)", only);
    auto text = "(" + only + ")";
    if (!settings.expressions.empty())
        text += fmt::format(" and (({}))", fmt::join(settings.expressions, ") or ("));
    settings.expressions = {text};
}

// Early enough that the reports are there when Bazel would kill us.
void take_timeout(options& settings) {
    const auto limit = seconds(number("TEST_TIMEOUT", 0));
    if (limit.count() == 0 || settings.run_timeout)
        return;
    const auto reserve = std::clamp(limit / 10, seconds(2), seconds(15));
    settings.run_timeout = std::max(seconds(1), limit - reserve);
}

void take_places(options& settings) {
    if (const auto path = variable("XML_OUTPUT_FILE"); !path.empty())
        settings.further_junit = path;
    if (const auto folder = variable("TEST_UNDECLARED_OUTPUTS_DIR");
        !folder.empty() && settings.report_log.empty())
        settings.report_log = folder + "/bridge-test.ndjson";
    if (const auto folder = variable("TEST_TMPDIR"); !folder.empty())
        ::setenv("TMPDIR", folder.c_str(), 1);
    if (settings.state.empty())
        settings.state =
            "/dev/null"; // its folder is not for writing, and the next run's is another
}

} // namespace

bool is_bazel() {
    return variable("BAZEL_TEST") == "1";
}

bazel_contract::bazel_contract(options& settings) {
    if (!is_bazel())
        return;
    if (settings.isolation == isolation_mode::none)
        throw expected_error(exit_code::usage,
                             "--isolation none: Bazel (BAZEL_TEST is 1) waits for a report, which "
                             "needs bridge-test to watch the tests; leave it out, or run the "
                             "program without Bazel");
    premature_exit_file_ = variable("TEST_PREMATURE_EXIT_FILE");
    if (!premature_exit_file_.empty())
        append_file(premature_exit_file_, append_file::old_content::replaced).write("0");
    take_shard(settings);
    take_filter(settings);
    take_timeout(settings);
    take_places(settings);
    if (variable("TESTBRIDGE_TEST_RUNNER_FAIL_FAST") == "1" && settings.max_fail == 0)
        settings.max_fail = 1;
}

bazel_contract::~bazel_contract() {
    if (!premature_exit_file_.empty())
        std::remove(premature_exit_file_.c_str());
}

} // namespace bridge::cli
