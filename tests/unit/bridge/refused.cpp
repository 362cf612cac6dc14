// SPDX-License-Identifier: Apache-2.0
// What must not compile. check_refused.py compiles this file and wants each `refused:` text, which
// the compiler has to say of the line that it stands above.
#include <bridge/bridge.hpp>

#include <span>
#include <string>
#include <string_view>

namespace asio = boost::asio;
namespace py = pybind11;

asio::awaitable<void> by_reference(std::string&);
asio::awaitable<void> by_constant_reference(const std::string&);
asio::awaitable<void> by_rvalue_reference(std::string&&);
asio::awaitable<void> by_view(std::string_view);
asio::awaitable<void> by_span(std::span<int>);
asio::awaitable<void> by_characters(const char*);
asio::awaitable<void> by_object(py::object);
asio::awaitable<py::object> gives_object();
int no_coroutine(int);

void allowed(py::module_& m, bridge::py_ref f) {
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
    // refused: a coroutine's parameter must not be a const char*: take std::string
    bridge::def_async(m, "f", &by_characters);
    // refused: a coroutine does not hold the GIL
    bridge::def_async(m, "f", &by_object);
    // refused: the function must return boost::asio::awaitable<T>; use m.def for others
    bridge::def_async(m, "f", &no_coroutine);
    // refused: where a pybind11 object may not live: return bridge::py_ref instead
    bridge::def_async(m, "f", &gives_object);
    // refused: a pybind11 object must not leave with_gil: return bridge::py_ref instead
    bridge::with_gil([&] { return object; });
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
