// SPDX-License-Identifier: Apache-2.0
#include "run/python_side.hpp"

#include "choose/reproduction.hpp"
#include "choose/selection.hpp"
#include "run/leave_terminal.hpp"
#include "run/run_all.hpp"
#include "serve/serve.hpp"

#include <bridge/harness/main.hpp>
#include <bridge/protocol/exit_code.hpp>

#include <cstdio>
#include <utility>

namespace bridge::harness {
namespace {

int print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return std::fflush(stdout) == 0 ? 0 : protocol::internal_exit;
}

int complain(const char* what, int code) {
    std::fprintf(stderr, "error: %s\n", what);
    return code;
}

int complain_of_nothing(const command_line& options) {
    std::string text =
        options.filters.empty() ? "this program has no tests" : "no test matches the filter";
    if (const auto loops = loops_option(options);
        !loops.empty() && !select_tests(collect_tests(), options).empty())
        text += ";" + loops + " leaves out the tests that are for other loops";
    return complain(text.c_str(), protocol::no_tests_exit);
}

int answer(const command_line& options) {
    if (options.help)
        return print(usage_text);
    if (options.serve)
        return serve_tests(collect_tests(), options);
    auto tests = select_tests(collect_tests(options.loops), options);
    if (options.list)
        return print(list_tests(std::move(tests), options, options.program.c_str()));
    if (tests.empty())
        return complain_of_nothing(options);
    leave_terminal();
    return run_tests(tests, options);
}

} // namespace

int main(int argc, char** argv) {
    try {
        return answer(parse_command_line(argc, argv));
    } catch (const usage_error& error) {
        return complain(error.what(), protocol::usage_exit);
    } catch (const bad_test& error) {
        return complain(error.what(), protocol::usage_exit);
    } catch (const std::exception& error) {
        return complain(error.what(), protocol::internal_exit);
    }
}

} // namespace bridge::harness
