// SPDX-License-Identifier: Apache-2.0
// What must not compile. check_refused.py compiles this file and wants each `refused:` text, which
// the compiler has to say of the line that it stands above.
#include <bridge/bridge.hpp>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace py = pybind11;

asio::awaitable<void> by_reference(std::string&);
asio::awaitable<void> by_constant_reference(const std::string&);
asio::awaitable<void> by_rvalue_reference(std::string&&);
asio::awaitable<void> by_view(std::string_view);
asio::awaitable<void> by_span(std::span<int>);
asio::awaitable<void> by_characters(const char*);
asio::awaitable<void> by_wide_characters(const wchar_t*);
asio::awaitable<void> by_optional_view(std::optional<std::string_view>);
asio::awaitable<void> by_reference_wrapper(std::reference_wrapper<int>);
asio::awaitable<void> by_pointers(std::vector<std::string*>);
asio::awaitable<void> by_pair_of_pointers(std::pair<std::string*, int>);
asio::awaitable<void> by_objects(std::vector<py::object>);
asio::awaitable<std::vector<py::object>> gives_objects();
asio::awaitable<std::string_view> gives_view();
asio::awaitable<std::wstring_view> gives_wide_view();
asio::awaitable<const char*> gives_characters();
asio::awaitable<std::string*> gives_pointer();
asio::awaitable<void> by_object(py::object);
asio::awaitable<py::object> gives_object();
asio::awaitable<void> by_value(std::string);
int no_coroutine(int);

void allowed(py::module_& m, bridge::py_ref f) {
    bridge::def_async(m, "g", [count = 0](int) mutable noexcept -> asio::awaitable<void> {
        ++count;
        co_return;
    });
    bridge::def_async(m.def_submodule("s"), "f", &by_value);
    bridge::def_async(m, "f",
                      [](std::string, bridge::py_ref) -> asio::awaitable<void> { co_return; });
    bridge::with_gil([&] { return bridge::py_ref(f.get()); });
    (void)bridge::call<int>(std::move(f), 1, "text", std::string_view("view"));
}

#ifndef ONLY_ALLOWED

struct only_moved {
    only_moved() = default;
    only_moved(only_moved&&) = default;
};

void refused(py::module_& m, bridge::py_ref f, py::object object, only_moved moved) {
    // refused: a coroutine's parameter must not be a reference
    bridge::def_async(m, "f", &by_reference);
    // refused: Take it by value, or a bound class by std::shared_ptr
    bridge::def_async(m, "f", &by_constant_reference);
    // refused: a coroutine's parameter must not be a reference
    bridge::def_async(m, "f", &by_rvalue_reference);
    // refused: a coroutine's parameter must not be a view
    bridge::def_async(m, "f", &by_view);
    // refused: Take std::string or std::vector by value
    bridge::def_async(m, "f", &by_span);
    // refused: must not be a const char* or the like: take std::string
    bridge::def_async(m, "f", &by_characters);
    // refused: a coroutine does not hold the GIL
    bridge::def_async(m, "f", &by_object);
    // refused: must not be a const char* or the like
    bridge::def_async(m, "f", &by_wide_characters);
    // refused: must not be a view, nor hold one
    bridge::def_async(m, "f", &by_optional_view);
    // refused: must not be a view, nor hold one
    bridge::def_async(m, "f", &by_reference_wrapper);
    // refused: must not hold pointers
    bridge::def_async(m, "f", &by_pointers);
    // refused: must not hold pointers
    bridge::def_async(m, "f", &by_pair_of_pointers);
    // refused: a coroutine does not hold the GIL
    bridge::def_async(m, "f", &by_objects);
    // refused: return bridge::py_ref instead
    bridge::def_async(m, "f", &gives_objects);
    // refused: return a value or a std::shared_ptr
    bridge::def_async(m, "f", &gives_view);
    // refused: return a value or a std::shared_ptr
    bridge::def_async(m, "f", &gives_characters);
    // refused: return a value or a std::shared_ptr
    bridge::def_async(m, "f", &gives_pointer);
    // refused: return a value or a std::shared_ptr
    m.def("f", &gives_wide_view);
    // refused: a call_guard would hold for the call that makes the coroutine
    bridge::def_async(m, "f", &by_value, py::call_guard<py::gil_scoped_release>());
    // refused: return a value or a std::shared_ptr
    bridge::def_async(m, "f", &by_value, py::return_value_policy::take_ownership);
    // refused: the function must return boost::asio::awaitable<T> or bridge::generator<T>; use m.def for others
    bridge::def_async(m, "f", &no_coroutine);
    // refused: where a pybind11 object may not live: return bridge::py_ref instead
    bridge::def_async(m, "f", &gives_object);
    // refused: a pybind11 object must not leave with_gil: return bridge::py_ref instead
    bridge::with_gil([&] { return object; });
    // refused: a pybind11 object must not leave with_gil
    bridge::with_gil([&] { return std::vector<py::object>(); });
    // refused: a pybind11 object must not leave with_gil
    bridge::with_gil([&] { return object.ptr(); });
    // refused: use std::string or std::vector
    (void)bridge::to_cpp<std::string_view>(std::move(f));
    // refused: pass std::string or std::vector
    (void)bridge::call<int>(std::move(f), std::optional<std::string_view>());
    // refused: pass bridge::py_ref or the C++ value itself
    (void)bridge::call<int>(std::move(f), std::vector<py::object>());
    // refused: a pybind11 object must not leave a function that runs without the GIL
    (void)bridge::to_thread([&]() -> py::object { return object; });
    // refused: use to_cpp<bridge::py_ref>
    (void)bridge::to_cpp<py::object>(std::move(f));
    // refused: pass bridge::py_ref or the C++ value itself
    (void)bridge::call<int>(std::move(f), object);
    // refused: the argument is used later and cannot be copied: std::move it
    (void)bridge::call<int>(std::move(f), moved);
    // refused: the function must not return a reference: return by value
    (void)bridge::to_thread([&]() -> only_moved& { return moved; });
}

#endif
