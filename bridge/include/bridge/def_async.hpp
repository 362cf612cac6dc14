// SPDX-License-Identifier: Apache-2.0
// Binding C++ coroutine functions to Python in one word.
#pragma once

#include <bridge/to_python.hpp>

#include <pybind11/pybind11.h>

#include <functional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace bridge {
namespace detail {

/// What a bound coroutine function gives to pybind11: the Python object, typed for the signature.
template<class T>
struct bound_coroutine {
    py_ref object;
};

template<class T>
inline constexpr bool is_awaitable = false;
template<class T>
inline constexpr bool is_awaitable<boost::asio::awaitable<T>> = true;

template<class T>
struct awaited;

template<class T>
struct awaited<boost::asio::awaitable<T>> {
    using type = T;
};

template<class T>
inline constexpr bool is_view = false;
template<class C, class Traits>
inline constexpr bool is_view<std::basic_string_view<C, Traits>> = true;
template<class T, std::size_t N>
inline constexpr bool is_view<std::span<T, N>> = true;

template<class Argument>
constexpr void check_argument() {
    static_assert(
        !std::is_reference_v<Argument>,
        "def_async: a coroutine's parameter must not be a reference: the coroutine runs "
        "after the call has ended. Take it by value, or a bound class by std::shared_ptr");
    static_assert(
        !is_view<std::remove_cvref_t<Argument>>,
        "def_async: a coroutine's parameter must not be a view: what it views is gone when "
        "the coroutine runs. Take std::string or std::vector by value");
    static_assert(!std::is_same_v<std::remove_cvref_t<Argument>, const char*>,
                  "def_async: a coroutine's parameter must not be a const char*: take std::string");
    static_assert(
        !std::is_base_of_v<py::handle, std::remove_cvref_t<Argument>>,
        "def_async: a coroutine does not hold the GIL, without which a pybind11 object must "
        "not be touched: take bridge::py_ref");
}

/// The callable that pybind11 binds: calls the function and wraps its awaitable.
template<class F, class Result, class... Arguments>
struct bound_function {
    static_assert(
        is_awaitable<Result>,
        "def_async: the function must return boost::asio::awaitable<T>; use m.def for others");
    using value_type = typename awaited<Result>::type;

    F function;
    py_ref name;

    bound_coroutine<value_type> operator()(Arguments... arguments) const {
        return {
            make_lazy(make_crossing(nullptr, task_locals(),
                                    std::invoke(function, std::forward<Arguments>(arguments)...),
                                    current_slot()),
                      name.handle())};
    }
};

template<class F, class R, class... A>
auto bind_plain(F&& function, py_ref name, R (*)(A...)) {
    (check_argument<A>(), ...);
    return bound_function<std::decay_t<F>, R, A...>{std::forward<F>(function), std::move(name)};
}

template<class R, class... A>
auto bind_coroutine(R (*function)(A...), py_ref name) {
    return bind_plain(function, std::move(name), function);
}

// The object itself by reference: the coroutine keeps the Python one alive.
template<class R, class C, class... A>
auto bind_coroutine(R (C::*function)(A...), py_ref name) {
    (check_argument<A>(), ...);
    return bound_function<R (C::*)(A...), R, C&, A...>{function, std::move(name)};
}

template<class R, class C, class... A>
auto bind_coroutine(R (C::*function)(A...) const, py_ref name) {
    (check_argument<A>(), ...);
    return bound_function<R (C::*)(A...) const, R, const C&, A...>{function, std::move(name)};
}

template<class F>
concept function_object = py::detail::is_lambda<F>::value;

template<function_object F>
auto bind_coroutine(F&& function, py_ref name) {
    using signature = py::detail::function_signature_t<F>;
    return bind_plain(std::forward<F>(function), std::move(name), static_cast<signature*>(nullptr));
}

/// Puts the bound function into the scope as an object of our own type, which is marked as a
/// coroutine function and keeps the arguments of each call alive. `existing` overloads are
/// extended.
py::object overloads_of(py::handle scope, const char* name);
py::object qualified_name(py::handle scope, const char* name);
void add_function(py::handle scope, const char* name, py::object bound, bool is_static,
                  py::tuple keywords);

template<class T>
inline constexpr bool is_plain_extra =
    !std::is_same_v<T, py::kw_only> && !std::is_same_v<T, py::pos_only>;

/// The names that the parameters may be given by, in their order; empty where it is not that
/// simple.
template<class... Extra>
py::tuple keyword_names(const Extra&... extra) {
    py::list names;
    bool all_named = (is_plain_extra<Extra> && ...);
    [[maybe_unused]] const auto add = [&](const auto& one) {
        if constexpr (std::is_base_of_v<py::arg, std::decay_t<decltype(one)>>) {
            if (one.name == nullptr)
                all_named = false;
            else
                names.append(
                    py::reinterpret_steal<py::object>(PyUnicode_InternFromString(one.name)));
        }
    };
    (add(extra), ...);
    return all_named ? py::tuple(names) : py::tuple();
}

template<class F, class... Extra>
void bind_to(py::handle scope, const char* name, bool is_static, F&& function,
             const Extra&... extra) {
    const auto overloads = overloads_of(scope, name);
    py::cpp_function bound(bind_coroutine(std::forward<F>(function), qualified_name(scope, name)),
                           py::name(name), py::scope(scope), py::sibling(overloads), extra...);
    add_function(scope, name, std::move(bound), is_static,
                 overloads.is_none() ? keyword_names(extra...) : py::tuple());
}

} // namespace detail

/// Binds a coroutine function (free, lambda or member of a class_) as m.def does, with its extras
/// (py::arg, docs). Calling it from Python gives a coroutine object as to_python makes it;
/// inspect.iscoroutinefunction is true. `self`, the arguments and the function itself stay alive
/// while the coroutine does. Requires the GIL.
template<class Scope, class F, class... Extra>
Scope& def_async(Scope& scope, const char* name, F&& function, const Extra&... extra) {
    if constexpr (std::is_base_of_v<py::detail::generic_type, Scope>)
        detail::bind_to(scope, name, false, std::forward<F>(function), py::is_method(scope),
                        extra...);
    else
        detail::bind_to(scope, name, false, std::forward<F>(function), extra...);
    return scope;
}

/// The same as a static method of a class.
template<class Scope, class F, class... Extra>
Scope& def_async_static(Scope& scope, const char* name, F&& function, const Extra&... extra) {
    detail::bind_to(scope, name, true, std::forward<F>(function), extra...);
    return scope;
}

} // namespace bridge

namespace pybind11::detail {

template<class T>
struct type_caster<bridge::detail::bound_coroutine<T>> {
    static constexpr auto name =
        const_name("collections.abc.Coroutine[typing.Any, typing.Any, ") +
        make_caster<std::conditional_t<std::is_void_v<T>, void_type, T>>::name + const_name("]");

    static handle cast(bridge::detail::bound_coroutine<T>&& bound, return_value_policy, handle) {
        return bound.object.release();
    }
};

} // namespace pybind11::detail
