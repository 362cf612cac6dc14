// SPDX-License-Identifier: Apache-2.0
// bridge-test: parse, call, map to an exit code.
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>

#include <boost/system/system_error.hpp>

#include "base/error.hpp"
#include "process/standard_streams.hpp"
#include "settings/bazel.hpp"
#include "settings/command_line.hpp"
#include "verbs/commands.hpp"

namespace {

using bridge::cli::exit_code;

exit_code call(int argc, char** argv) {
    auto settings = bridge::cli::parse_command_line(argc, argv);
    switch (settings.what) {
    case bridge::cli::verb::list:
        return bridge::cli::list_tests(settings);
    case bridge::cli::verb::show_config:
        return bridge::cli::show_config(settings);
    case bridge::cli::verb::merge:
        return bridge::cli::merge_logs(settings);
    case bridge::cli::verb::show_text:
        std::fputs(settings.text.c_str(), stdout);
        return exit_code::passed;
    case bridge::cli::verb::run:
        break;
    }
    const bridge::cli::bazel_contract bazel(settings);
    return bridge::cli::run_tests(settings);
}

void say(const std::string& text) {
    std::fputs(("bridge-test: " + text + "\n").c_str(), stderr);
}

} // namespace

int main(int argc, char** argv) {
    bridge::cli::open_standard_streams(); // before anything is opened
    // A reader that goes away and a file that may not grow are errors of one write, not our end.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    try {
        return static_cast<int>(call(argc, argv));
    } catch (const bridge::cli::expected_error& error) {
        say(error.what());
        return static_cast<int>(error.code());
    } catch (const boost::system::system_error& error) {
        say(std::string("could not get a system resource needed to run tests: ") + error.what());
        return static_cast<int>(exit_code::internal);
    } catch (const std::system_error& error) {
        say(std::string("the system refused what it takes to run tests: ") + error.what());
        return static_cast<int>(exit_code::internal);
    } catch (const std::exception& error) {
        say(std::string("internal error: ") + error.what() + "; please report it");
        return static_cast<int>(exit_code::internal);
    }
}
