// SPDX-License-Identifier: Apache-2.0
#include "stopped_commands.hpp"

#include <random>

#include <fmt/format.h>

#include "write_whole.hpp"

namespace bridge::cli {

stopped_commands::stopped_commands(int descriptor) : descriptor_(descriptor) {
    std::random_device random;
    token_ = fmt::format("bridge-test-{:08x}{:08x}", random(), random());
    write_whole(descriptor_, "::stop-commands::" + token_ + "\n");
}

stopped_commands::~stopped_commands() {
    write_whole(descriptor_, "::" + token_ + "::\n");
}

} // namespace bridge::cli
