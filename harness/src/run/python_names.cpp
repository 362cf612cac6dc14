// SPDX-License-Identifier: Apache-2.0
#include <bridge/bridge.hpp>

#include "run/python_names.hpp"

#include <string>

namespace bridge::harness {
namespace {

py::object path_of(const std::filesystem::path& path) {
    return py::module_::import("pathlib").attr("Path")(path.string());
}

} // namespace

py::dict common_names(running_test& run) {
    py::dict names;
    names["temporary_folder"] =
        py::cpp_function([&run] { return path_of(run.own().temporary_folder()); });
    names["free_port"] = py::cpp_function(&find_free_port);
    names["random"] = py::cpp_function(
        [&run] { return py::module_::import("random").attr("Random")(run.own().random()()); });
    names["artifact"] = py::cpp_function([&run] {
        return py::cpp_function(
            [&run](const std::string& name) { return path_of(run.own().artifact(name)); });
    });
    for (const char* method : {"settle", "advance"})
        names[method] = py::cpp_function([&run, method] {
            require_virtual_time(run, method);
            return py::module_::import("asyncio").attr("get_running_loop")().attr(method);
        });
    return names;
}

} // namespace bridge::harness
