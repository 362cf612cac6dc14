// SPDX-License-Identifier: Apache-2.0
// A Python reference that native threads may hold: moved and destroyed without the GIL.
#pragma once

#include <bridge/detail/attach.hpp>
#include <bridge/detail/python.hpp>
#include <bridge/detail/references.hpp>

#include <type_traits>
#include <utility>

namespace bridge {

class py_ref;

namespace detail {

template<class T>
concept converts_to_object =
    std::is_convertible_v<T, py::object> && !std::is_same_v<std::decay_t<T>, py_ref>;

} // namespace detail

/// Owns a Python object. Moving, storing and destroying need no GIL and are safe on any thread (a
/// reference dropped without the GIL is queued and dropped by the next holder). Reading needs the
/// GIL.
class py_ref {
public:
    py_ref() noexcept = default;

    /// Takes the reference.
    /// GIL: required, as for py::object.
    py_ref(py::object object, detail::source_place where = detail::source_place::here())
        : object_(object.release().ptr()) {
        detail::note_taken(object_, where);
        if (!detail::interpreter_gate().is_open())
            detail::attach_interpreter();
    }

    /// The same for what converts to one, as object.attr("name").
    template<detail::converts_to_object Object>
    py_ref(Object&& object, detail::source_place where = detail::source_place::here())
        : py_ref(py::object(std::forward<Object>(object)), where) {}

    py_ref(py_ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}

    py_ref& operator=(py_ref&& other) noexcept {
        py_ref(std::move(other)).swap(*this);
        return *this;
    }

    py_ref(const py_ref&) = delete;
    py_ref& operator=(const py_ref&) = delete;

    ~py_ref() {
        if (object_ == nullptr)
            return;
        detail::note_let_go(object_);
        detail::release_reference(object_);
    }

    void swap(py_ref& other) noexcept { std::swap(object_, other.object_); }

    explicit operator bool() const noexcept { return object_ != nullptr; }

    /// The object, borrowed.
    /// GIL: required to do anything with it.
    py::handle handle() const noexcept { return object_; }

    /// A new reference to the object.
    /// GIL: required.
    py::object get() const {
        detail::require_gil("py_ref::get");
        return py::reinterpret_borrow<py::object>(object_);
    }

    /// A second owner of the same object.
    /// GIL: required.
    py_ref clone(detail::source_place where = detail::source_place::here()) const {
        return py_ref(get(), where);
    }

    /// Gives the reference up to the caller, who must own the GIL to use it.
    PyObject* release() noexcept {
        detail::note_let_go(object_);
        return std::exchange(object_, nullptr);
    }

    /// Takes a new reference that C API calls return.
    static py_ref steal(PyObject* object,
                        detail::source_place where = detail::source_place::here()) noexcept {
        detail::note_taken(object, where);
        py_ref ref;
        ref.object_ = object;
        return ref;
    }

private:
    PyObject* object_ = nullptr;
};

} // namespace bridge

namespace pybind11::detail {

/// Any object, as itself.
template<>
struct type_caster<bridge::py_ref> {
    static constexpr auto name = const_name("object");

    template<class>
    using cast_op_type = bridge::py_ref&&;

    bool load(handle source, bool) {
        value_ = bridge::py_ref(reinterpret_borrow<object>(source));
        return true;
    }

    operator bridge::py_ref&&() noexcept { return std::move(value_); }

    static handle cast(bridge::py_ref&& value, return_value_policy, handle) {
        return value ? handle(value.release()) : none().release();
    }

private:
    bridge::py_ref value_;
};

} // namespace pybind11::detail
