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

} // namespace bridge::cli
