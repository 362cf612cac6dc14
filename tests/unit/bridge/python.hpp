// SPDX-License-Identifier: Apache-2.0
// Python for plain test programs: one interpreter, source text, values out.
#pragma once

#include <bridge/bridge.hpp>

#include "check.hpp"

#include <pybind11/embed.h>

#include <string>

namespace check {

/// Runs source text in a namespace of its own, with `names` in it; gives the namespace.
inline bridge::py::dict execute(const std::string& source, bridge::py::dict names = {}) {
    names["__builtins__"] = bridge::py::module_::import("builtins");
    bridge::py::exec(source, names, names);
    return names;
}

} // namespace check
