// SPDX-License-Identifier: Apache-2.0
#include "life/join.hpp"

#include "crossing/coroutine.hpp"
#include "python/imports.hpp"

#include <bridge/detail/awaiting.hpp>
#include <bridge/detail/crossing.hpp>
#include <bridge/detail/fork.hpp>
#include <bridge/detail/port.hpp>
#include <bridge/detail/python.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/shared.hpp>
#include <bridge/detail/strand.hpp>
#include <bridge/python_error.hpp>
#include <bridge/version.hpp>

#include <boost/version.hpp>

#include <exception>
#include <string>

namespace bridge::detail {
namespace {

constexpr const char* table_key = "bridge.modules";
constexpr const char* capsule_name = "bridge.shared_state";

// Two builds may share only if they agree on the layout of everything in it, Asio's included.
std::string build_name() {
    std::string name = "bridge " BRIDGE_VERSION " (ABI ";
    name += std::to_string(BRIDGE_ABI_VERSION) + ", Boost " + std::to_string(BOOST_VERSION);
    name += ", pybind11 " PYBIND11_TOSTRING(PYBIND11_VERSION_MAJOR);
    name += ", C++ ABI " + std::to_string(__GXX_ABI_VERSION);
    name += ", layout";
    for (const auto size : {sizeof(shared_state), sizeof(thread_slots), sizeof(port),
                            sizeof(strand), sizeof(crossing), sizeof(awaiting), sizeof(scheduler),
                            sizeof(imports), sizeof(coroutine_object)})
        name += " " + std::to_string(size);
#ifdef BOOST_ASIO_ENABLE_HANDLER_TRACKING
    name += ", handler tracking";
#endif
#ifdef BOOST_ASIO_HAS_IO_URING_AS_DEFAULT
    name += ", io_uring";
#endif
    return name + ")";
}

// Name of a build -> capsule of what its modules share; one table an interpreter.
py::dict module_table() {
    auto interpreter =
        py::reinterpret_borrow<py::dict>(PyInterpreterState_GetDict(PyInterpreterState_Get()));
    if (!interpreter.contains(table_key))
        interpreter[table_key] = py::dict();
    return interpreter[table_key];
}

void warn_of_another_build(const std::string& mine, const py::dict& table) {
    for (const auto& [name, capsule] : table) {
        const std::string text = "this module was built with " + mine +
                                 " and another one in this process with " +
                                 name.cast<std::string>() +
                                 ": each keeps to itself, with locals and awaitable types of its "
                                 "own; build both with the "
                                 "same versions to let them share";
        if (PyErr_WarnEx(PyExc_RuntimeWarning, text.c_str(), 1) < 0)
            throw py::error_already_set();
        return;
    }
}

// Options that this image was given before it knew of the others.
void hand_over_options(shared_state& to) {
    if (const unsigned threads = own_state.runtime_threads; threads != 0)
        to.runtime_threads = threads;
    const shared_state fresh{nullptr, nullptr};
    if (own_state.exit_deadline_milliseconds != fresh.exit_deadline_milliseconds)
        to.exit_deadline_milliseconds = own_state.exit_deadline_milliseconds.load();
}

// Once, with the GIL held.
void enter_images() noexcept {
    own_image.next = shared().images.load();
    shared().images = &own_image;
}

// What plain functions bound with pybind11 throw that call run(), blocking() or with_gil().
void translate_own_exceptions(std::exception_ptr error) {
    try {
        if (error)
            std::rethrow_exception(error);
    } catch (const python_error& e) {
        e.restore();
    } catch (const boost::system::system_error&) {
        set_exception(to_python_exception(error));
    }
}

} // namespace

void join_shared_state() {
    watch_for_fork();
    const auto mine = build_name();
    auto table = module_table();
    const py::str key(mine);
    if (!table.contains(key)) {
        warn_of_another_build(mine, table);
        table[key] = py::capsule(&shared(), capsule_name);
    } else if (!has_joined()) {
        // One that served another interpreter of this process before stays with what it had then.
        auto* theirs = table[key].cast<py::capsule>().get_pointer<shared_state>();
        if (theirs != &own_state)
            hand_over_options(*theirs);
        joined_state.store(theirs, std::memory_order_release);
    }
    if (end_joining())
        enter_images();
    // Of this module only: another one's exceptions are of its own types.
    py::register_local_exception_translator(&translate_own_exceptions);
}

} // namespace bridge::detail
