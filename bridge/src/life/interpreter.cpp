// SPDX-License-Identifier: Apache-2.0
// Starting and ending an embedded interpreter.
#include <bridge/interpreter.hpp>

#include <bridge/detail/attach.hpp>

#include <pybind11/embed.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace bridge {
namespace {

class python_config {
public:
    python_config() { PyConfig_InitPythonConfig(&config_); }

    python_config(const python_config&) = delete;
    python_config& operator=(const python_config&) = delete;

    ~python_config() { PyConfig_Clear(&config_); }

    PyConfig* operator->() noexcept { return &config_; }

    PyConfig* get() noexcept { return &config_; }

private:
    PyConfig config_;
};

void check(const PyStatus& status) {
    if (PyStatus_Exception(status) == 0)
        return;
    const std::string why = status.err_msg != nullptr ? status.err_msg : "unknown reason";
    throw std::runtime_error("bridge: Python could not be started: " + why);
}

// As if the environment's own python had been called: it finds pyvenv.cfg beside itself.
void use_virtual_environment(python_config& config) {
    const char* folder = std::getenv("VIRTUAL_ENV");
    if (folder == nullptr || *folder == '\0')
        return;
    const auto python = std::filesystem::path(folder) / "bin" / "python3";
    std::error_code ignored;
    if (!std::filesystem::exists(python, ignored))
        throw std::runtime_error("bridge: VIRTUAL_ENV names " + std::string(folder) +
                                 ", which has no bin/python3; activate an existing environment or "
                                 "unset VIRTUAL_ENV");
    check(PyConfig_SetBytesString(config.get(), &config->executable, python.c_str()));
}

} // namespace

interpreter::interpreter(int argc, const char* const* argv) {
    if (Py_IsInitialized() != 0)
        throw std::runtime_error("bridge: Python is running already; make one bridge::interpreter");
    python_config config;
    config->parse_argv = 0;
    config->install_signal_handlers = 1;
    if (argc > 0)
        check(PyConfig_SetBytesArgv(config.get(), argc, const_cast<char* const*>(argv)));
    use_virtual_environment(config);
    check(Py_InitializeFromConfig(config.get()));
    detail::leave_stale_asyncio();
}

interpreter::~interpreter() {
    // As Python's own main does: what was printed must not be lost, whatever comes after.
    py::finalize_interpreter();
}

} // namespace bridge
