// SPDX-License-Identifier: Apache-2.0
// What a bound function's parameters and its result are to Python.
#pragma once

#include <bridge/py_ref.hpp>

#include <pybind11/pybind11.h>

#include <cstddef>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace bridge::detail {

/// A type as pybind11 words it, and the classes that each % in the text stands for. The text is a
/// constant of the program.
struct type_text {
    const char* text = nullptr;
    std::vector<const std::type_info*> classes;
};

template<class T>
type_text text_of() {
    using caster =
        py::detail::make_caster<std::conditional_t<std::is_void_v<T>, py::detail::void_type, T>>;
    const auto classes = caster::name.types(); // ends with null
    return {caster::name.text, {classes.begin(), classes.end() - 1}};
}

struct named_parameter {
    std::string name; ///< empty: py::arg() without one
    py_ref otherwise; ///< the default, or empty
};

/// Of one overload.
struct function_signature {
    static constexpr auto nowhere = static_cast<std::size_t>(-1);

    std::vector<type_text> parameters; ///< with `self`
    type_text result;
    std::vector<named_parameter> named;  ///< without `self`; empty if none has a name
    std::size_t positional_until = 0;    ///< how many of them stand before a py::pos_only
    std::size_t keywords_from = nowhere; ///< how many of them stand before a py::kw_only

    /// The Python class of a bound C++ one, or null; of the module that made this, which may have
    /// local ones.
    PyObject* (*class_of)(const std::type_info& type) = nullptr;
};

template<class Extra>
void note_extra(function_signature& to, const Extra& extra) {
    if constexpr (std::is_base_of_v<py::arg_v, Extra>)
        to.named.push_back({extra.name != nullptr ? extra.name : "", py_ref(extra.value)});
    else if constexpr (std::is_base_of_v<py::arg, Extra>)
        to.named.push_back({extra.name != nullptr ? extra.name : "", py_ref()});
    else if constexpr (std::is_same_v<Extra, py::pos_only>)
        to.positional_until = to.named.size();
    else if constexpr (std::is_same_v<Extra, py::kw_only>)
        to.keywords_from = to.named.size();
}

template<class Result, class... Parameters, class... Extra>
function_signature make_signature(const Extra&... extra) {
    function_signature made;
    made.parameters = {text_of<Parameters>()...};
    made.result = text_of<Result>();
    made.class_of = [](const std::type_info& type) {
        return py::detail::get_type_handle(type, false).ptr();
    };
    (note_extra(made, extra), ...);
    return made;
}

} // namespace bridge::detail
