// SPDX-License-Identifier: Apache-2.0
#include "output/write_whole.hpp"

#include <cerrno>

#include <poll.h>
#include <unistd.h>

namespace bridge::cli {

namespace {

// A pipe or terminal that somebody has set to not blocking takes the rest when there is room.
bool is_passing(int fd) noexcept {
    if (errno == EINTR)
        return true;
    pollfd one{fd, POLLOUT, 0};
    return errno == EAGAIN && (::poll(&one, 1, -1) > 0 || errno == EINTR);
}

} // namespace

bool write_whole(int fd, std::string_view text) noexcept {
    while (!text.empty()) {
        const auto size = ::write(fd, text.data(), text.size());
        if (size >= 0)
            text.remove_prefix(static_cast<std::size_t>(size));
        else if (!is_passing(fd))
            return false;
    }
    return true;
}

} // namespace bridge::cli
