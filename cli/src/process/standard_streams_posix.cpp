// SPDX-License-Identifier: Apache-2.0
#include "process/standard_streams.hpp"

#include <initializer_list>

#include <fcntl.h>
#include <unistd.h>

namespace bridge::cli {

void open_standard_streams() {
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(fd, F_GETFD) < 0)
            ::open("/dev/null", O_RDWR); // gets the lowest number that is free, which is this one
}

} // namespace bridge::cli
