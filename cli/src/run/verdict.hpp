// SPDX-License-Identifier: Apache-2.0
// The one place that decides how a test ended.
#pragma once

#include <string>

#include "children/worker.hpp"
#include "run/record.hpp"

namespace bridge::cli {

struct verdict {
    protocol::outcome result = protocol::outcome::not_run;
    std::string message;
};

/// Weighs what the test said against how its process ended. `allowed` is the time it had.
verdict judge(const record& said, const worker_end& end, std::chrono::milliseconds allowed);

/// What is to be added in a note, as far as it is known: how the process of a failed test ended, or
/// why it is not known where one that crashed was. Empty: nothing. The command runs the test in its
/// own program.
std::string explain_end(const record& said, const worker_end& end, const std::string& command);

} // namespace bridge::cli
