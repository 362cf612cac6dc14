// SPDX-License-Identifier: Apache-2.0
#include "append_file.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include "../error.hpp"
#include "reporter.hpp"

namespace bridge::cli {

namespace {

std::string reason() {
    return std::error_code(errno, std::generic_category()).message();
}

// A pipe that somebody has set to not blocking takes the rest when its reader has made room.
bool waits_for_room(int fd) {
    pollfd one{fd, POLLOUT, 0};
    return errno == EINTR || (errno == EAGAIN && ::poll(&one, 1, -1) > 0);
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
    while (!text.empty() && !has_failed_) {
        const auto size = ::write(file_.get(), text.data(), text.size());
        if (size >= 0) {
            text.remove_prefix(static_cast<std::size_t>(size));
        } else if (!waits_for_room(file_.get())) {
            has_failed_ = true;
            throw report_error(fmt::format("cannot write the report {}: {}", path_, reason()));
        }
    }
}

} // namespace bridge::cli
