// SPDX-License-Identifier: Apache-2.0
// A parameter that refers to the Python object's own value.
#pragma once

#include <bridge/detail/python.hpp>

#include <pybind11/pybind11.h>

#include <optional>
#include <type_traits>
#include <typeinfo>

namespace bridge::detail {

/// The value of the object that was passed, which the coroutine keeps alive: not what an implicit
/// conversion would make for the length of the call.
template<class T, bool MayBeNone = true>
struct own_value {
    T* pointer;

    operator T*() const noexcept { return pointer; }

    operator T&() const noexcept requires(!MayBeNone) { return *pointer; }
};

template<class Argument>
inline constexpr bool is_own_value = false;
template<class T, bool MayBeNone>
inline constexpr bool is_own_value<own_value<T, MayBeNone>> = true;

/// The value of an object whose bound class is T and nothing else; null if pybind11 has to look,
/// which hashes T's name.
template<class T>
T* value_of_own_type(py::handle object) {
    auto* const type = Py_TYPE(object.ptr());
    if (Py_TYPE(type) != py::detail::get_internals().default_metaclass)
        return nullptr;
    const auto& bound = py::detail::all_type_info(type);
    if (bound.size() != 1 || !py::detail::same_type(*bound.front()->cpptype, typeid(T)))
        return nullptr;
    const auto* instance = reinterpret_cast<const py::detail::instance*>(object.ptr());
    return instance->simple_layout ? static_cast<T*>(instance->simple_value_holder[0]) : nullptr;
}

/// How a parameter is taken from Python.
template<class Argument>
using taken_argument = std::conditional_t<std::is_pointer_v<Argument> &&
                                              std::is_class_v<std::remove_pointer_t<Argument>>,
                                          own_value<std::remove_pointer_t<Argument>>, Argument>;

} // namespace bridge::detail

namespace pybind11::detail {

template<class T, bool MayBeNone>
struct type_caster<bridge::detail::own_value<T, MayBeNone>> {
    static constexpr auto name = make_caster<T>::name;

    template<class>
    using cast_op_type = bridge::detail::own_value<T, MayBeNone>;

    bool load(handle source, bool convert) {
        own_ = bridge::detail::value_of_own_type<T>(source);
        if (own_ != nullptr)
            return true;
        is_none_ = source.is_none();
        return is_none_ ? MayBeNone && convert : value_.emplace().load(source, false);
    }

    operator bridge::detail::own_value<T, MayBeNone>() {
        return {own_ != nullptr || is_none_ ? own_ : cast_op<T*>(*value_)};
    }

private:
    T* own_ = nullptr;
    std::optional<make_caster<T>> value_;
    bool is_none_ = false;
};

} // namespace pybind11::detail
