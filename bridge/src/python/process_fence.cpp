// SPDX-License-Identifier: Apache-2.0
// A fence that costs those nothing who pass often: the one who passes once pays for all.
#include <bridge/detail/gate.hpp>

#ifdef __linux__
#    include <linux/membarrier.h>
#    include <sys/syscall.h>
#    include <unistd.h>
#endif

namespace bridge::detail {

#ifdef __linux__

namespace {

bool membarrier(int command) noexcept {
    return ::syscall(SYS_membarrier, command, 0, 0) == 0;
}

// When the image is loaded: with more than one thread it takes milliseconds. Containers may refuse.
const bool works = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);

} // namespace

bool has_process_fence() noexcept {
    return works;
}

void process_fence() noexcept {
    if (works)
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

#else

bool has_process_fence() noexcept {
    return false;
}

void process_fence() noexcept {}

#endif

} // namespace bridge::detail
