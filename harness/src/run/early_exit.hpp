// SPDX-License-Identifier: Apache-2.0
// Exits that main has not ordered: a test that calls exit(0) or _exit(0) must not look like a
// program whose tests have passed. exit, quick_exit, _exit and _Exit are watched, in this process
// only and not in its forks; a system call past the C library is not.
#pragma once

namespace bridge::harness {

/// From now on, an exit with 0 or 77 ends with 1 instead, and says so.
void watch_exits();

/// All tests have ended: `code` is what an exit with 0 or 77 becomes.
void order_exit(int code) noexcept;

} // namespace bridge::harness
