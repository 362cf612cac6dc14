// SPDX-License-Identifier: Apache-2.0
// What earlier runs left to know: every test's last verdict and how long it took.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/remembered.hpp"

namespace bridge::cli {

inline constexpr std::string_view history_name = "bridge-test-state.json";

/// As a history's path: nothing is read, and nothing remembered.
inline constexpr std::string_view no_history = "/dev/null";

/// Where the history is kept.
struct history_place {
    std::string path;       ///< empty: nowhere
    bool is_shared = false; ///< of every binary that no manifest knows
};

/// `chosen`: as the user said it, or empty. `folder`: of the manifest that was used, or empty; then
/// it is in $XDG_CACHE_HOME, or ~/.cache: no folder of the user's is littered.
history_place place_of_history(const std::string& chosen, const std::string& folder);

/// Why this can be no history's file, as a folder and a device cannot; empty for one that can, or
/// is not there yet.
std::string why_no_history(const std::string& path);

class history {
public:
    /// Reads the file; one that is not there is an empty history. Throws protocol_error for one
    /// that cannot be read or is not what save() wrote.
    static history load(const std::string& path);

    /// By the binary's absolute path and the test's id; null if no run is remembered.
    const remembered* find(std::string_view binary, std::string_view id) const;

    void put(const std::string& binary, const std::string& id, remembered what);

    /// Forgets what this binary no longer has.
    void keep_only(const std::string& binary, const std::set<std::string_view>& ids);

    /// Forgets binaries that are not there any more.
    void keep_existing();

    /// Replaces the file, whole or not at all; throws std::system_error.
    void save(const std::string& path) const;

private:
    std::map<std::string, std::map<std::string, remembered, std::less<>>, std::less<>> binaries_;
};

} // namespace bridge::cli
