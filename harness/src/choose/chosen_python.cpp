// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/python.hpp>

#include "choose/chosen_python.hpp"

#include "choose/command_line.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace bridge::harness {
namespace {

namespace fs = std::filesystem;

const std::string our_version =
    std::to_string(PY_MAJOR_VERSION) + "." + std::to_string(PY_MINOR_VERSION);

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

// "3.11", of an environment; empty if the folder is none.
std::string version_of_environment(const fs::path& folder) {
    std::ifstream settings(folder / "pyvenv.cfg");
    for (std::string line; std::getline(settings, line);) {
        const auto value = line.find_first_of("0123456789");
        if (line.starts_with("version") && value != line.npos)
            return line.substr(value, line.find('.', line.find('.') + 1) - value);
    }
    return {};
}

// Modules of another Python's environment cannot be imported: said here, rather than by each
// import.
void require_our_version(const fs::path& environment, std::string_view source) {
    const auto theirs = version_of_environment(environment);
    if (!theirs.empty() && theirs != our_version)
        throw usage_error(
            std::string(source) + " names " + environment.string() + ", an environment of Python " +
            theirs + ", but this program embeds Python " + our_version + "; name one that python" +
            our_version + " has made, or unset " + std::string(source));
}

bool has_our_library(const fs::path& python) {
    std::error_code error;
    const auto real = fs::canonical(python, error);
    for (auto folder = real.parent_path(); folder.has_relative_path();
         folder = folder.parent_path())
        for (const char* lib : {"lib", "lib64"})
            if (fs::exists(folder / lib / ("python" + our_version) / "os.py", error))
                return true;
    return false;
}

} // namespace

std::string chosen_python() {
    constexpr auto name = "BRIDGE_TEST_PYTHON";
    const fs::path asked = variable(name);
    if (asked.empty()) {
        require_our_version(variable("VIRTUAL_ENV"), "VIRTUAL_ENV");
        return {};
    }
    std::error_code error;
    const auto python = fs::is_directory(asked, error) ? asked / "bin" / "python3" : asked;
    if (!fs::exists(python, error))
        throw usage_error(std::string(name) + ": there is no " + python.string());
    const auto environment = python.parent_path().parent_path();
    require_our_version(environment, name);
    if (version_of_environment(environment).empty() && !has_our_library(python))
        throw usage_error(std::string(name) + " names " + python.string() +
                          ", beside which there is no lib/python" + our_version +
                          ", but this program embeds Python " + our_version + "; name a python" +
                          our_version + " itself, not a script that starts it");
    return fs::absolute(python, error).string();
}

} // namespace bridge::harness
