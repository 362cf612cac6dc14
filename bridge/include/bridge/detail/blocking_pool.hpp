// SPDX-License-Identifier: Apache-2.0
// The threads for functions that block.
#pragma once

#include <cstddef>
#include <memory>

namespace bridge::detail {

class blocking_job {
public:
    blocking_job() = default;
    blocking_job(const blocking_job&) = delete;
    blocking_job& operator=(const blocking_job&) = delete;
    virtual ~blocking_job() = default;

    /// On a thread of the pool, without the GIL, with the locals of whoever submitted it.
    virtual void run() noexcept = 0;
};

/// Queues a job. Any thread, no GIL.
void submit(std::shared_ptr<blocking_job> job);

/// How many are queued or run, of this module. Any thread, no GIL.
std::size_t count_blocking_jobs() noexcept;

/// Whether the calling thread runs one, of any module. No GIL.
bool runs_blocking_job() noexcept;

} // namespace bridge::detail
