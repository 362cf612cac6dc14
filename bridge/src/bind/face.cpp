// SPDX-License-Identifier: Apache-2.0
#include "bind/face.hpp"

#include "bind/annotation.hpp"

#include <bridge/detail/steal_or_throw.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace bridge::detail {
namespace {

enum class passed { by_position, either_way, by_keyword };

struct parameter {
    std::string name;
    passed how;
    py::handle otherwise;
    const type_text* type; ///< null for `self`
};

// What has no name is passed by position, as all that stands before it.
passed how_passed(const function_signature& signature, std::size_t index) {
    const auto& named = signature.named;
    if (index >= signature.keywords_from)
        return passed::by_keyword;
    const bool all_named =
        !named.empty() &&
        std::all_of(named.begin() + static_cast<std::ptrdiff_t>(index), named.end(),
                    [](const auto& one) { return !one.name.empty(); });
    return all_named && index >= signature.positional_until ? passed::either_way
                                                            : passed::by_position;
}

std::vector<parameter> parameters_of(const face_parts& of) {
    const auto& signature = *of.signature;
    const std::size_t first = of.has_self ? 1 : 0;
    std::vector<parameter> all;
    for (std::size_t i = 0; first + i < signature.parameters.size(); ++i) {
        const bool has_name = i < signature.named.size() && !signature.named[i].name.empty();
        all.push_back(
            {has_name ? signature.named[i].name : "arg" + std::to_string(i),
             how_passed(signature, i),
             i < signature.named.size() ? signature.named[i].otherwise.handle() : py::handle(),
             &signature.parameters[first + i]});
    }
    const bool by_position = !all.empty() && all.front().how == passed::by_position;
    if (of.has_self)
        all.insert(all.begin(),
                   {"self", by_position ? passed::by_position : passed::either_way, {}, nullptr});
    return all;
}

// "a, b=None, /, c=None, *, d"; the defaults themselves come later.
std::string list_of(const std::vector<parameter>& all) {
    std::string list;
    passed before = passed::by_position;
    bool any = false;
    for (const auto& one : all) {
        if (one.how != before && before == passed::by_position && any)
            list += "/, ";
        if (one.how != before && one.how == passed::by_keyword)
            list += "*, ";
        list += one.name + (one.otherwise ? "=None, " : ", ");
        before = one.how;
        any = true;
    }
    return list + (any && before == passed::by_position ? "/" : "");
}

bool are_names(const std::vector<parameter>& all) {
    return std::all_of(all.begin(), all.end(), [](const parameter& one) {
        return PyUnicode_IsIdentifier(py::str(one.name).ptr()) == 1;
    });
}

// Null if Python has no such list: a name is a keyword, or a default stands before none.
py::object compile(const std::string& list, bool yields) {
    py::dict scope;
    scope["__builtins__"] = py::module_::import("builtins");
    const auto source = "async def _(" + list + (yields ? "): yield" : "): pass");
    const auto done = py::reinterpret_steal<py::object>(
        PyRun_String(source.c_str(), Py_file_input, scope.ptr(), scope.ptr()));
    if (done)
        return scope["_"].attr("__code__");
    if (PyErr_ExceptionMatches(PyExc_SyntaxError) == 0)
        throw py::error_already_set();
    PyErr_Clear();
    return {};
}

py::object globals_of(py::handle module) {
    const py::dict loaded = py::module_::import("sys").attr("modules");
    if (loaded.contains(module))
        return loaded[module].attr("__dict__");
    return py::dict(py::arg("__name__") = module);
}

py::object function_of(const face_parts& of, py::object code) {
    const auto name = of.bound.attr("__name__");
    const auto replace = code.attr("replace");
    code = PY_VERSION_HEX >= 0x030B0000
               ? replace(py::arg("co_name") = name, py::arg("co_qualname") = of.qualname)
               : replace(py::arg("co_name") = name);
    const auto globals = globals_of(of.module);
    auto face = steal_or_throw(PyFunction_New(code.ptr(), globals.ptr()));
    face.attr("__qualname__") = of.qualname;
    face.attr("__module__") = of.module;
    face.attr("__doc__") = of.bound.attr("__doc__");
    return face;
}

void set_defaults(const py::object& face, const std::vector<parameter>& all) {
    py::list positional;
    py::dict keyword;
    for (const auto& one : all) {
        if (!one.otherwise)
            continue;
        if (one.how == passed::by_keyword)
            keyword[one.name.c_str()] = one.otherwise;
        else
            positional.append(one.otherwise);
    }
    if (!positional.empty())
        face.attr("__defaults__") = py::tuple(positional);
    if (!keyword.empty())
        face.attr("__kwdefaults__") = keyword;
}

void set_annotations(const py::object& face, const std::vector<parameter>& all,
                     const function_signature& signature) {
    const annotation_reader reader(signature);
    py::dict annotations;
    for (const auto& one : all)
        if (one.type != nullptr)
            annotations[one.name.c_str()] = one.otherwise && one.otherwise.is_none()
                                                ? reader.read_optional(*one.type)
                                                : reader.read(*one.type, false);
    annotations["return"] = reader.read(signature.result, true);
    face.attr("__annotations__") = annotations;
}

} // namespace

py::object make_face(const face_parts& of) {
    if (of.signature != nullptr) {
        const auto all = parameters_of(of);
        if (const auto code = are_names(all) ? compile(list_of(all), of.yields) : py::object()) {
            auto face = function_of(of, code);
            set_defaults(face, all);
            set_annotations(face, all, *of.signature);
            return face;
        }
    }
    return function_of(of, compile("*args, **kwargs", of.yields));
}

} // namespace bridge::detail
