// SPDX-License-Identifier: Apache-2.0
// The only place that includes Python: its header must come before the standard ones.
#pragma once

#include <pybind11/pybind11.h>

namespace bridge {
namespace py = pybind11;
}
