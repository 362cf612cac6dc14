// SPDX-License-Identifier: Apache-2.0
// A helper process that ends whatever our tests started and left, also when we are killed.
#pragma once

#include <string>

#include "process/process.hpp"

namespace bridge::cli {

/// Started before anything else. When the runner ends, however it does, the helper sees the end of
/// its pipe. It kills every group that was added and not removed, on any POSIX system, and every
/// process that has run_mark() in its environment, if /proc tells.
/// "BRIDGE_TEST_RUN=...", another one in each runner: what tests start inherits it.
const std::string& run_mark();

class guardian {
public:
    guardian();
    ~guardian();
    guardian(const guardian&) = delete;
    guardian& operator=(const guardian&) = delete;

    void add(int group) noexcept { tell(group); }

    void remove(int group) noexcept { tell(-group); }

private:
    void tell(int message) noexcept;

    unique_fd pipe_;
    int pid_ = -1;
};

} // namespace bridge::cli
