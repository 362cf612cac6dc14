// SPDX-License-Identifier: Apache-2.0
#include "run/leave_terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace bridge::harness {

void leave_terminal() {
    // If the leader of a session left it, all of the session would lose it.
    if (std::getenv("BRIDGE_TEST_ID") == nullptr || ::getsid(0) == ::getpid())
        return;
    const int terminal = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0)
        return;
    ::ioctl(terminal, TIOCNOTTY);
    ::close(terminal);
}

} // namespace bridge::harness
