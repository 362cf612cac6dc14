// SPDX-License-Identifier: Apache-2.0
// What the system does at each signal.
#pragma once

#include <cstdint>
#include <map>

namespace bridge::harness {

/// The address of each signal's handler, or of what stands for the default and for none.
std::map<int, std::uintptr_t> signal_handlers();

} // namespace bridge::harness
