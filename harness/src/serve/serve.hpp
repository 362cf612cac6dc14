// SPDX-License-Identifier: Apache-2.0
// Running tests as they come over the control socket.
#pragma once

#include "choose/command_line.hpp"
#include "choose/registry.hpp"

#include <vector>

namespace bridge::harness {

/// Serves until the runner closes the socket, and returns the program's exit code. Throws as
/// run_tests, and protocol_error.
int serve_tests(const std::vector<registered_test>& tests, const command_line& options);

} // namespace bridge::harness
