// SPDX-License-Identifier: Apache-2.0
// Calls of what def_async has bound.
#include "bind/coroutine_function.hpp"
#include "crossing/coroutine.hpp"
#include "crossing/generator_object.hpp"

#include <bridge/detail/python_compat.hpp>

#include <algorithm>
#include <exception>

namespace bridge::detail {
namespace {

// What the coroutine may still use when the call has ended: the arguments, and the function with
// what it captures.
bool keep_arguments(crossing& of, PyObject* function, PyObject* const* args, Py_ssize_t count) {
    if (count == 0) {
        of.keep_alive(py_ref::steal(Py_NewRef(function)));
        return true;
    }
    auto* kept = PyTuple_New(count + 1);
    if (kept == nullptr)
        return false;
    PyTuple_SET_ITEM(kept, 0, Py_NewRef(function));
    for (Py_ssize_t i = 0; i < count; ++i)
        PyTuple_SET_ITEM(kept, i + 1, Py_NewRef(args[i]));
    of.keep_alive(py_ref::steal(kept));
    return true;
}

constexpr Py_ssize_t most_placed = 8;

// Where a keyword's parameter stands among all; -1 where the name is not one of them. Names of
// parameters and of keywords in source text are interned.
Py_ssize_t place_of(const coroutine_function* function, PyObject* keyword) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(function->keywords); ++i)
        if (PyTuple_GET_ITEM(function->keywords, i) == keyword)
            return i + (function->is_method ? 1 : 0);
    return -1;
}

// The arguments by position, if keywords fill the places behind the positional ones without a
// gap: pybind11 would put them into a dictionary first. False: let it.
bool place_keywords(const coroutine_function* function, PyObject* const* args,
                    Py_ssize_t positional, PyObject* keywords, PyObject** placed) {
    const auto named = PyTuple_GET_SIZE(keywords);
    if (positional + named > most_placed)
        return false;
    std::fill(placed, placed + positional + named, nullptr);
    std::copy(args, args + positional, placed);
    for (Py_ssize_t i = 0; i < named; ++i) {
        const auto place = place_of(function, PyTuple_GET_ITEM(keywords, i));
        if (place < positional || place >= positional + named || placed[place] != nullptr)
            return false;
        placed[place] = args[positional + i];
    }
    return true;
}

// Null without an error set if pybind11 has to be asked.
PyObject* call_direct(const coroutine_function* function, PyObject* const* args, Py_ssize_t count) {
    const auto& direct = function->direct;
    return direct.call != nullptr && count == direct.parameters ? direct.call(direct.function, args)
                                                                : nullptr;
}

PyObject* call_bound(const coroutine_function* function, PyObject* const* args,
                     Py_ssize_t positional, PyObject* keywords) {
    if (keywords == nullptr)
        if (auto* coroutine = call_direct(function, args, positional);
            coroutine != nullptr || PyErr_Occurred() != nullptr)
            return coroutine;
    return PyObject_Vectorcall(function->bound, args, static_cast<std::size_t>(positional),
                               keywords);
}

// Null if pybind11 said NotImplemented or the like.
crossing* crossing_behind(const coroutine_function* function, PyObject* made) {
    if (Py_TYPE(made) != function->makes)
        return nullptr;
    return function->kind == function_kind::coroutine ? as_coroutine(made)->op
                                                      : &op_of(as_generator_object(made));
}

// Nothing of ours works in a sub-interpreter, nor pybind11's exception of an error that is set.
bool is_main_interpreter() noexcept {
    return PyInterpreterState_Get() == PyInterpreterState_Main();
}

} // namespace

PyObject* call_coroutine_function(PyObject* self, PyObject* const* args, std::size_t flags,
                                  PyObject* keywords) {
    const auto* function = as_function(self);
    PyObject* placed[most_placed];
    const auto positional = PyVectorcall_NARGS(flags);
    const auto named = keywords != nullptr ? PyTuple_GET_SIZE(keywords) : 0;
    auto* coroutine = named > 0 && place_keywords(function, args, positional, keywords, placed)
                          ? call_bound(function, placed, positional + named, nullptr)
                          : call_bound(function, args, positional, named > 0 ? keywords : nullptr);
    auto* op = coroutine != nullptr ? crossing_behind(function, coroutine) : nullptr;
    if (op == nullptr)
        return coroutine; // pybind11 said NotImplemented or an error
    if (!keep_arguments(*op, function->bound, args, positional + named))
        Py_CLEAR(coroutine);
    return coroutine;
}

void set_current_exception() noexcept {
    if (is_main_interpreter())
        return set_exception(to_python_exception(std::current_exception()));
    try {
        throw;
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    } catch (...) {
        PyErr_SetString(PyExc_RuntimeError, "a C++ exception of unknown type");
    }
}

void set_call_error() noexcept {
    try {
        throw;
    } catch (const py::reference_cast_error&) {
        return; // no reference to nothing: pybind11 says which argument it was
    } catch (py::error_already_set& error) {
        error.restore();
    } catch (...) {
        set_current_exception();
    }
}

void throw_as_python() {
    if (!is_main_interpreter())
        throw;
    try {
        throw;
    } catch (const py::error_already_set&) {
        throw;
    } catch (...) {
        set_current_exception();
    }
    throw py::error_already_set();
}

} // namespace bridge::detail
