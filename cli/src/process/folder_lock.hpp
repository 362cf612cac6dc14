// SPDX-License-Identifier: Apache-2.0
// Keeps runs that end at once from writing over each other.
#pragma once

#include <chrono>
#include <string>

#include "process/process.hpp"

namespace bridge::cli {

/// Holds the lock of a folder (flock) while it lives, for who reads a file in it and replaces it.
/// Nothing is written for that. Waits no longer than `patience`; then, and where there are no
/// locks, it goes without.
class folder_lock {
public:
    folder_lock(const std::string& folder, std::chrono::milliseconds patience);

private:
    unique_fd folder_;
};

} // namespace bridge::cli
