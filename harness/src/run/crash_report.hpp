// SPDX-License-Identifier: Apache-2.0
// What a process says of itself when it crashes.
#pragma once

namespace bridge::harness {

/// From now on a fatal signal (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) writes to stderr which one
/// it is, its address, and the C++ stacks of all threads. What handled it before comes next, as
/// Python's faulthandler, which writes the stacks of Python's threads. Nothing in a program that is
/// built with a sanitizer, which says more by itself.
void report_crashes();

} // namespace bridge::harness
