// SPDX-License-Identifier: Apache-2.0
// Ends that nothing may delay.
#pragma once

namespace bridge::harness {

/// _exit(), after the counters of --coverage have been written: they are of the tests before, too.
[[noreturn]] void exit_now(int code) noexcept;

} // namespace bridge::harness
