// SPDX-License-Identifier: Apache-2.0
// A file that grows while the run goes on: each text is written whole, at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "output/writer.hpp"
#include "process/process.hpp"

namespace bridge::cli {

class append_file {
public:
    enum class old_content { replaced, kept };

    /// Opens or creates it; a pipe, /dev/stdout and /dev/fd/N are written to as they are. Throws
    /// expected_error (report_not_written) when that fails.
    append_file(std::string path, old_content old);

    /// Throws report_error at the first failure; after it, everything is ignored.
    void write(std::string_view text);

    /// Waits until a reader has taken everything; throws as write().
    void finish();

private:
    void throw_at_first_failure();

    std::string path_;
    unique_fd file_;
    std::unique_ptr<writer> writer_ = std::make_unique<writer>();
    bool has_failed_ = false;
};

} // namespace bridge::cli
