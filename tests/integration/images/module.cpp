// SPDX-License-Identifier: Apache-2.0
// One source, many modules: built as their users build them (CMakeLists.txt).
#include "work.hpp"

PYBIND11_MODULE(IMAGE, module) {
    work::bind(module);
}
