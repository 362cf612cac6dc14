// SPDX-License-Identifier: Apache-2.0
// Calling a bound function past pybind11's dispatcher, which costs more than a coroutine that does
// not wait.
#pragma once

#include <bridge/detail/own_value.hpp>
#include <bridge/detail/python.hpp>

#include <pybind11/pybind11.h>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace bridge::detail {

/// A call with one argument for each parameter, in their order; a new reference. Null without an
/// error set if an argument is not of the parameter's own type: pybind11 knows what to do.
using direct_call = PyObject* (*)(const void* function, PyObject* const* arguments);

/// Sets the Python error for the current exception, unless it says that an argument does not fit.
void set_call_error() noexcept;

/// What pybind11's casters may need while a call lasts.
struct no_life_support {};

template<class Argument>
inline constexpr bool is_plain_argument = is_own_value<Argument> || std::is_arithmetic_v<Argument>;

template<class... Arguments>
using life_support = std::conditional_t<(is_plain_argument<Arguments> && ...), no_life_support,
                                        py::detail::loader_life_support>;

template<class Function, class... Arguments, std::size_t... Is>
PyObject* call_with(const Function& function, [[maybe_unused]] PyObject* const* arguments,
                    std::index_sequence<Is...>) {
    [[maybe_unused]] const life_support<Arguments...> support{};
    std::tuple<py::detail::make_caster<Arguments>...> casters;
    // None is for pybind11, since a parameter may refuse it.
    if (!((arguments[Is] != Py_None && std::get<Is>(casters).load(arguments[Is], false)) && ...))
        return nullptr;
    return function(py::detail::cast_op<Arguments>(std::move(std::get<Is>(casters)))...)
        .object.release();
}

template<class Function, class... Arguments>
PyObject* call_directly(const void* function, PyObject* const* arguments) noexcept {
    try {
        return call_with<Function, Arguments...>(*static_cast<const Function*>(function), arguments,
                                                 std::index_sequence_for<Arguments...>());
    } catch (...) {
        set_call_error();
        return nullptr;
    }
}

} // namespace bridge::detail
