// SPDX-License-Identifier: Apache-2.0
#include "bind/annotation.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace bridge::detail {
namespace {

// The names that pybind11's casters use.
py::dict names_of_types() {
    py::dict names = py::module_::import("typing").attr("__dict__").attr("copy")();
    names["__builtins__"] = py::module_::import("builtins");
    py::module_::import("collections.abc");
    for (const auto* module : {"collections", "datetime", "os", "pathlib", "types", "typing"})
        names[module] = py::module_::import(module);
    const py::dict loaded = py::module_::import("sys").attr("modules");
    for (const auto* module : {"numpy", "scipy"})
        if (loaded.contains(module))
            names[module] = loaded[module];
    // "Annotated[List[int], FixedSize(3)]", in older versions.
    names["FixedSize"] = py::cpp_function([](const py::args& sizes) { return sizes; });
    return names;
}

std::string name_of_class(std::size_t index) {
    return "_class_" + std::to_string(index);
}

// pybind11's text is for signatures: % is a class, @one@other@ what differs between a parameter and
// a result, and ! stands before one of these that means itself.
class wording {
public:
    wording(std::string_view text, bool is_result) : rest_(text), is_result_{is_result} {
        while (!rest_.empty())
            read_one();
    }

    std::string take() { return std::move(worded_); }

private:
    char next() {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    std::string_view next_until_at() {
        const auto end = rest_.find('@');
        const auto part = rest_.substr(0, end);
        rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
        return part;
    }

    void read_one() {
        const char c = next();
        if (c == '!' && !rest_.empty() &&
            std::string_view("!@%{}").find(rest_.front()) != rest_.npos)
            worded_ += next();
        else if (c == '%')
            worded_ += name_of_class(classes_++);
        else if (c == '@')
            read_alternatives();
        else
            worded_ += c;
    }

    // Which of the two counts from here on, until @! ends that: for a parameter, a result, or (from
    // pybind11 3.1 on) the other one than around it.
    void turn(char to) {
        if (to != '!')
            is_result_.push_back(to == '~' ? !is_result_.back() : to == '$');
        else if (is_result_.size() > 1)
            is_result_.pop_back();
    }

    void read_alternatives() {
        if (!rest_.empty() && std::string_view("^$~!").find(rest_.front()) != rest_.npos)
            return turn(next());
        const auto as_parameter = next_until_at();
        const auto as_result = next_until_at();
        // Whatever converts to a number is no type that a validator could read.
        const bool is_number = as_parameter.substr(0, 15) == "typing.Supports";
        worded_ += is_result_.back() || is_number ? as_result : as_parameter;
    }

    std::string_view rest_;
    std::vector<bool> is_result_;
    std::string worded_;
    std::size_t classes_ = 0;
};

} // namespace

annotation_reader::annotation_reader(const function_signature& signature)
    : signature_(signature), names_(names_of_types()) {}

py::object annotation_reader::read(const type_text& type, bool is_result) const {
    const py::object any = names_["Any"];
    py::dict names = names_.attr("copy")();
    for (std::size_t i = 0; i < type.classes.size(); ++i) {
        auto* found = signature_.class_of(*type.classes[i]);
        names[name_of_class(i).c_str()] = found != nullptr ? py::handle(found) : py::handle(any);
    }
    const auto text = wording(type.text, is_result).take();
    auto value = py::reinterpret_steal<py::object>(
        PyRun_String(text.c_str(), Py_eval_input, names.ptr(), names.ptr()));
    if (value)
        return value;
    PyErr_Clear();
    return any;
}

py::object annotation_reader::read_optional(const type_text& type) const {
    const auto plain = read(type, false);
    const py::object any = names_["Any"];
    const py::object optional = names_["Optional"];
    return plain.is(any) ? plain : py::object(optional[plain]);
}

} // namespace bridge::detail
