// SPDX-License-Identifier: Apache-2.0
// What a test binary is asked to do.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace bridge::harness {

enum class loop_kind {
    asyncio,
    same_thread, ///< bridge::new_event_loop()
    uvloop,
};

struct command_line {
    bool help = false;
    bool list = false;
    bool json = false;
    loop_kind loop = loop_kind::asyncio;
    bool debug = false; ///< asyncio's debug mode
    std::optional<std::string> exact;
    std::vector<std::string> filters; ///< empty: all tests
    int event_fd = -1;
    std::optional<std::chrono::milliseconds> timeout; ///< in place of each test's own
};

/// A command line that says nothing we can do; exit code 4.
class usage_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Reads the arguments, with BRIDGE_TEST_LOOP and BRIDGE_TEST_DEBUG as defaults. Throws
/// usage_error.
command_line parse_command_line(int argc, const char* const* argv);

extern const char* const usage_text;

} // namespace bridge::harness
