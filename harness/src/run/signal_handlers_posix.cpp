// SPDX-License-Identifier: Apache-2.0
#include "run/signal_handlers.hpp"

#include <signal.h>

namespace bridge::harness {

std::map<int, std::uintptr_t> signal_handlers() {
    std::map<int, std::uintptr_t> found;
    for (int number = 1; number < 32; ++number) { // those with names

        struct sigaction action {};

        if (::sigaction(number, nullptr, &action) == 0)
            found[number] = reinterpret_cast<std::uintptr_t>(action.sa_handler);
    }
    return found;
}

} // namespace bridge::harness
