// SPDX-License-Identifier: Apache-2.0
// A helper process that kills our children's groups when we die without being able to.
#pragma once

#include "process.hpp"

namespace bridge::cli {

/// Started before anything else. When the runner is killed, the helper sees the end of its pipe
/// and kills every group that was added and not removed: grandchildren too, on any POSIX system.
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
