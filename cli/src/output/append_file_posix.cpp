// SPDX-License-Identifier: Apache-2.0
#include "output/append_file.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>

#include <fmt/format.h>

#include "base/error.hpp"

namespace bridge::cli {

namespace {

std::string reason() {
    return std::error_code(errno, std::generic_category()).message();
}

} // namespace

append_file::append_file(std::string path, old_content old) : path_(std::move(path)) {
    // What is a terminal's or a pipe's has no end to cut it at; /dev/stdout may be a file that
    // others write to, too.
    const bool is_cut = old == old_content::replaced && !path_.starts_with("/dev/");
    const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (is_cut ? O_TRUNC : 0);
    file_ = unique_fd(::open(path_.c_str(), flags, 0666));
    if (file_.get() < 0)
        throw expected_error(exit_code::report_not_written,
                             fmt::format("cannot write the report {}: {}", path_, reason()));
}

void append_file::write(std::string_view text) {
    writer_->write(file_.get(), text);
    throw_at_first_failure();
}

void append_file::finish() {
    writer_->finish();
    throw_at_first_failure();
}

void append_file::throw_at_first_failure() {
    const auto error = writer_->error();
    if (!error || std::exchange(has_failed_, true))
        return;
    throw report_error(fmt::format("cannot write the report {}: {}", path_, error.message()));
}

} // namespace bridge::cli
