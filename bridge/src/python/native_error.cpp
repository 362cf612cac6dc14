// SPDX-License-Identifier: Apache-2.0
#include "python/native_error.hpp"

#include <bridge/detail/python_source.hpp>

#include "native_error_source.hpp"

namespace bridge::detail {

py::object make_native_error() {
    return run_embedded("bridge_asyncio", "bridge/src/python/native_error.py",
                        native_error_source)["NativeError"];
}

} // namespace bridge::detail
