// SPDX-License-Identifier: Apache-2.0
#include "report/stopped_commands.hpp"

#include <random>

#include <fmt/format.h>

#include "output/writer.hpp"

namespace bridge::cli {

stopped_commands::stopped_commands(int descriptor) : descriptor_(descriptor) {
    std::random_device random;
    token_ = fmt::format("bridge-test-{:08x}{:08x}", random(), random());
    console().write(descriptor_, "::stop-commands::" + token_ + "\n");
}

stopped_commands::~stopped_commands() {
    console().write(descriptor_, "::" + token_ + "::\n");
}

} // namespace bridge::cli
