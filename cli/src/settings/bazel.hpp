// SPDX-License-Identifier: Apache-2.0
// What Bazel asks of a test program, by its environment.
#pragma once

#include <string>

#include "settings/options.hpp"

namespace bridge::cli {

/// Whether Bazel runs us as a test; then its shards count, and not those of the CI system around
/// it.
bool is_bazel();

/// While it lives, the run keeps Bazel's contract, if BAZEL_TEST is 1; else it is nothing. What
/// the command line says counts more.
class bazel_contract {
public:
    /// Changes the settings, touches the shard's status file, and writes the file that is left
    /// behind by a test that does not end in order. Throws expected_error (usage,
    /// report_not_written).
    explicit bazel_contract(options& settings);
    ~bazel_contract();
    bazel_contract(const bazel_contract&) = delete;
    bazel_contract& operator=(const bazel_contract&) = delete;

private:
    std::string premature_exit_file_;
};

} // namespace bridge::cli
