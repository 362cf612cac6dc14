// SPDX-License-Identifier: Apache-2.0
// What a test binary is asked to do.
#pragma once

#include <bridge/harness/detail/loop_name.hpp>

#include "choose/tape.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace bridge::harness {

/// How tests are run that come one by one over the control socket.
enum class serving {
    batch, ///< in this process
    fork,  ///< each in a fork of it
};

struct command_line {
    std::string program = "tests"; ///< as it was called
    bool help = false;
    bool list = false;
    bool json = false;
    detail::loop_name loop = detail::loop_name::asyncio; ///< of tests whose id names none
    detail::loop_set loops;      ///< each test runs under each of these that it is for
    bool requires_loops = false; ///< one that is not installed is a failure
    std::optional<std::uint64_t> seed;
    bool shuffled = false;          ///< in an order that the seed decides
    std::optional<unsigned> repeat; ///< how many times all of it; else once, or without end:
    bool until_fail = false;        ///< up to the first failure
    unsigned concurrent = 1;        ///< so many tests at once in one loop, of those that can
    bool cancel_sweep = false;      ///< each test as if it said cancel_sweep()
    tape choices;                   ///< of one run of one test; empty: there is none
    std::vector<std::string> ignored_leaks; ///< of every test
    std::string artifacts;                  ///< a folder; empty: the default
    bool debug = false;                     ///< asyncio's debug mode
    std::optional<unsigned> threads;        ///< of the default runtime; as it is without it
    std::vector<std::string> exact;
    std::vector<std::string> filters; ///< empty: all tests
    std::optional<serving> serve;
    int event_fd = -1;
    int control_fd = -1;
    std::optional<std::chrono::milliseconds> timeout; ///< in place of each test's own
};

/// A command line that says nothing we can do; exit code 4.
class usage_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Reads the arguments, with BRIDGE_TEST_LOOP, BRIDGE_TEST_THREADS and BRIDGE_TEST_DEBUG as
/// defaults. Throws usage_error.
command_line parse_command_line(int argc, const char* const* argv);

extern const char* const usage_text;

} // namespace bridge::harness
