// SPDX-License-Identifier: Apache-2.0
// A test that runs again for each place at which its body waits, cancelled there.
#pragma once

#include "choose/tape.hpp"
#include "record/running_test.hpp"
#include "run/await_points.hpp"

#include <functional>
#include <string>

namespace bridge::harness {

/// One run of the test's body, with its fixture; `is_last` tears its suite down, if that is due.
/// False: it was interrupted, and there is to be no other.
using run_once = std::function<bool(const tape& choices, bool is_last)>;

/// Counts in a dry run, and then runs once for each choice that there is. The tape of the first run
/// that failed; empty: none has. Main thread.
tape sweep(running_test& run, await_points& points, const run_once& once);

/// The one run that the tape describes; it is a failure if the tape does not fit it.
void replay(running_test& run, await_points& points, const tape& choices, const run_once& once);

} // namespace bridge::harness
