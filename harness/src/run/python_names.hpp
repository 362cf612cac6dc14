// SPDX-License-Identifier: Apache-2.0
// What tests written in Python see of the harness.
#pragma once

#include <bridge/gil.hpp>

#include "record/running_test.hpp"

namespace bridge::harness {

/// Names that every such test may take as parameters: functions of no argument that make the
/// value, called for those it takes. Requires the GIL.
py::dict common_names(running_test& run);

} // namespace bridge::harness
