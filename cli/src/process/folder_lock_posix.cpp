// SPDX-License-Identifier: Apache-2.0
#include "process/folder_lock.hpp"

#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>

namespace bridge::cli {

namespace {

constexpr std::chrono::milliseconds pause{10};

} // namespace

folder_lock::folder_lock(const std::string& folder, std::chrono::milliseconds patience)
    : folder_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (folder_.get() >= 0 && ::flock(folder_.get(), LOCK_EX | LOCK_NB) != 0 &&
           (errno == EWOULDBLOCK || errno == EINTR) && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(pause);
}

} // namespace bridge::cli
