// SPDX-License-Identifier: Apache-2.0
// What a part of a test ended with, told to its run.
#pragma once

#include "record/running_test.hpp"

#include <exception>

namespace bridge::harness {

/// Tells the run what a body, a part of it or its fixture ended with, unless that is known
/// already: a test_stop, or the cancellation that is the harness's own. Takes the GIL for errors of
/// Python.
void record_error(running_test& run, const std::exception_ptr& error);

/// Whether it is the end of a body that a sweep has cancelled.
bool ends_swept_body(const running_test& run, const std::exception_ptr& error);

} // namespace bridge::harness
