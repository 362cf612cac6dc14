// SPDX-License-Identifier: Apache-2.0
// Virtual C++ coroutines that Python subclasses override.
#pragma once

#include <bridge/call.hpp>

#include <boost/asio/awaitable.hpp>

#include <pybind11/pybind11.h>

#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace bridge::detail {

/// Whether what pybind11 found under a method's name is Python's, and not the one of def_async.
bool is_python_method(const py::function& found);

[[noreturn]] void throw_not_overridden(const std::string& type, const char* name);
[[noreturn]] void throw_no_function(const std::string& type, const char* name);

/// Calls the Python override of a method; nothing was called if there is none.
template<class T, class Base, class... Kept>
class override_call final : public awaiting_of<T> {
public:
    override_call(const Base* self, const char* name, const std::tuple<Kept...>& arguments,
                  bool is_pure)
        : awaiting_of<T>(py_ref(), task_locals()), self_(self), name_(name), arguments_(arguments),
          is_pure_(is_pure) {}

    bool is_overridden() const noexcept { return overridden_; }

private:
    py::object make() override {
        const auto function = find();
        overridden_ = function && is_python_method(function);
        if (!overridden_ && is_pure_)
            throw_not_overridden(py::type_id<Base>(), name_);
        if (!overridden_)
            return py::none();
        return std::apply(
            [&](const Kept&... each) {
                return call_with_arguments(function,
                                           py::make_tuple(convert_argument<const Kept&>(each)...));
            },
            arguments_);
    }

    py::function find() const {
        try {
            return py::get_override(self_, name_);
        } catch (const py::type_error&) {
            throw_no_function(py::type_id<Base>(), name_);
        }
    }

    void convert(py::handle value) override {
        if (overridden_)
            awaiting_of<T>::convert(value);
    }

    const Base* self_;
    const char* name_;
    const std::tuple<Kept...>& arguments_;
    bool is_pure_;
    bool overridden_ = true;
};

template<class T, class Base, class Default, class... Kept>
boost::asio::awaitable<T> call_override(const Base* self, const char* name, Default otherwise,
                                        std::tuple<Kept...> arguments) {
    constexpr bool is_pure = std::is_same_v<Default, std::nullptr_t>;
    override_call<T, Base, Kept...> operation(self, name, arguments, is_pure);
    co_await suspend_to(operation);
    if constexpr (is_pure) {
        co_return operation.take();
    } else {
        if (operation.is_overridden())
            co_return operation.take();
        operation.rethrow(); // looking for it failed
        co_return co_await std::apply(otherwise, std::move(arguments));
    }
}

template<class T, class Base, class Default, class... A>
boost::asio::awaitable<T> begin_override(const Base* self, const char* name, Default otherwise,
                                         A&&... arguments) {
    return call_override<T>(self, name, std::move(otherwise),
                            std::tuple<kept_argument<A>...>(std::forward<A>(arguments)...));
}

} // namespace bridge::detail

/// The body of a trampoline class's virtual coroutine: calls the method of that name of the Python
/// subclass, with the arguments, on the loop thread, and awaits what it returns; else the base
/// class's own coroutine. The object must outlive the coroutine; def_async sees to that. If Python
/// calls super().method(), await it directly.
/// GIL: not needed.
/// `awaitable<int> get(int id) override { BRIDGE_OVERRIDE_CORO(int, store, get, id); }`
#define BRIDGE_OVERRIDE_CORO(result, base, function, ...)                                          \
    return ::bridge::detail::begin_override<result>(                                               \
        static_cast<const base*>(this), #function, [this](auto&&... each) {                        \
            return this->base::function(std::forward<decltype(each)>(each)...);                    \
        } __VA_OPT__(, ) __VA_ARGS__)

/// The same if the base class's method is pure virtual: without a Python method, awaiting it
/// throws a NotImplementedError as python_error.
#define BRIDGE_OVERRIDE_CORO_PURE(result, base, function, ...)                                     \
    return ::bridge::detail::begin_override<result>(static_cast<const base*>(this), #function,     \
                                                    nullptr __VA_OPT__(, ) __VA_ARGS__)
