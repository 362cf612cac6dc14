// SPDX-License-Identifier: Apache-2.0
#include "life/choose_python.hpp"

#include <bridge/detail/python.hpp>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <dlfcn.h>

namespace bridge::detail {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

fs::path without_links(const fs::path& path) {
    std::error_code error;
    auto real = fs::canonical(path, error);
    return error ? path : real;
}

std::string_view variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

// Empty if VIRTUAL_ENV is not set.
fs::path of_active_environment() {
    const fs::path folder(variable("VIRTUAL_ENV"));
    if (folder.empty())
        return {};
    const auto python = folder / "bin" / "python3";
    if (!is_there(python))
        throw std::runtime_error("bridge: VIRTUAL_ENV names " + folder.string() +
                                 ", which has no bin/python3; activate an existing environment or "
                                 "unset VIRTUAL_ENV");
    return python;
}

// A function that is defined where the types are. The address of an exported one may be that of the
// program's own jump to it.
void* inside_of_library() {
    return reinterpret_cast<void*>(PyType_Type.tp_repr);
}

// A folder in the installation that we are linked to. A static library is a part of the program,
// wherever that is: then it is known from the build.
fs::path library_folder() {
    Dl_info info{};
    if (::dladdr(inside_of_library(), &info) != 0 && info.dli_fname != nullptr) {
        const auto file = without_links(info.dli_fname);
        if (file.filename().string().starts_with("libpython"))
            return file.parent_path();
    }
    return without_links(BRIDGE_PYTHON_LIBRARY_FOLDER);
}

fs::path of_linked_library() {
    const auto name =
        "python" + std::to_string(PY_MAJOR_VERSION) + "." + std::to_string(PY_MINOR_VERSION);
    for (auto folder = library_folder(); folder.has_relative_path(); folder = folder.parent_path())
        if (is_there(folder / "bin" / name))
            return folder / "bin" / name;
    return {};
}

fs::path first_on_path() {
    auto folders = variable("PATH");
    while (!folders.empty()) {
        const auto end = folders.find(':');
        const auto python = fs::path(folders.substr(0, end)) / "python3";
        if (is_there(python))
            return python;
        folders.remove_prefix(end == folders.npos ? folders.size() : end + 1);
    }
    return {};
}

// The folder of the python that has made the environment in which this one is; empty in none.
fs::path home_of(const fs::path& python) {
    constexpr std::string_view key = "home = ";
    std::ifstream settings(python.parent_path().parent_path() / "pyvenv.cfg");
    for (std::string line; std::getline(settings, line);)
        if (line.starts_with(key))
            return line.substr(key.size());
    return {};
}

} // namespace

fs::path choose_python() {
    if (auto python = of_active_environment(); !python.empty())
        return python;
    auto linked = of_linked_library();
    auto first = first_on_path();
    const auto home = home_of(first);
    const bool is_made_by_linked =
        !home.empty() && without_links(home) == without_links(linked.parent_path());
    return is_made_by_linked ? first : linked;
}

} // namespace bridge::detail
