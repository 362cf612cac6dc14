// SPDX-License-Identifier: Apache-2.0
// Starting and ending an embedded interpreter.
#include <bridge/interpreter.hpp>

#include "life/choose_python.hpp"

#include <bridge/detail/attach.hpp>

#include <pybind11/embed.h>

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

// As if that python had been called, which finds its modules from where it is.
void start_as(python_config& config, const char* python) {
    const auto chosen = python != nullptr ? python : detail::choose_python().string();
    if (!chosen.empty())
        check(PyConfig_SetBytesString(config.get(), &config->executable, chosen.c_str()));
}

} // namespace

interpreter::interpreter(int argc, const char* const* argv, const char* python) {
    if (Py_IsInitialized() != 0)
        throw std::runtime_error("bridge: Python is running already; make one bridge::interpreter");
    python_config config;
    config->parse_argv = 0;
    config->install_signal_handlers = 1;
    if (argc > 0)
        check(PyConfig_SetBytesArgv(config.get(), argc, const_cast<char* const*>(argv)));
    start_as(config, python);
    check(Py_InitializeFromConfig(config.get()));
    detail::leave_stale_asyncio();
}

interpreter::~interpreter() {
    // As Python's own main does: what was printed must not be lost, whatever comes after.
    py::finalize_interpreter();
}

} // namespace bridge
