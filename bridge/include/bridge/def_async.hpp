// SPDX-License-Identifier: Apache-2.0
// Binding C++ coroutine functions to Python in one word.
#pragma once

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/direct_call.hpp>
#include <bridge/detail/ownership.hpp>
#include <bridge/detail/signature.hpp>
#include <bridge/generator.hpp>
#include <bridge/to_python.hpp>

#include <pybind11/pybind11.h>

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace bridge {
namespace detail {

/// What a bound coroutine function gives to pybind11: the Python object, typed for the signature.
template<class T>
struct bound_coroutine {
    py_ref object;
};

/// The same of a bound generator function.
template<class T, class S>
struct bound_generator {
    py_ref object;
};

/// What Python gets for what a bound function returns.
template<class Result>
struct binding_of {
    static constexpr bool is_coroutine = false;
    static constexpr bool is_generator = false;
};

template<class T>
struct binding_of<boost::asio::awaitable<T>> {
    static constexpr bool is_coroutine = true;
    static constexpr bool is_generator = false;
    using type = bound_coroutine<T>;
    using hint = T; ///< what the call gives, as a signature says it

    static py::object make(boost::asio::awaitable<T> body, py::handle name) {
        return make_lazy(make_crossing(nullptr, task_locals(), std::move(body), current_slot()),
                         name);
    }
};

template<class T, class S>
struct binding_of<generator<T, S>> {
    static constexpr bool is_coroutine = false;
    static constexpr bool is_generator = true;
    using type = bound_generator<T, S>;
    using hint = bound_generator<T, S>;

    static py::object make(generator<T, S> body, py::handle name) {
        return make_generator(
            make_generator_crossing(nullptr, task_locals(), std::move(body), current_slot()), name);
    }
};

template<class Argument>
constexpr void check_argument() {
    using type = std::remove_cvref_t<Argument>;
    static_assert(
        !std::is_reference_v<Argument>,
        "def_async: a coroutine's parameter must not be a reference: the coroutine runs "
        "after the call has ended. Take it by value, or a bound class by std::shared_ptr");
    static_assert(!is_text_pointer<type>,
                  "def_async: a coroutine's parameter must not be a const char* or the like: take "
                  "std::string");
    static_assert(
        is_text_pointer<type> || !is_borrowed<type>,
        "def_async: a coroutine's parameter must not be a view, nor hold one: what it views is "
        "gone when the coroutine runs. Take std::string or std::vector by value");
    static_assert(std::is_pointer_v<type> || is_borrowed<type> || !is_borrowed_or_pointer<type>,
                  "def_async: a coroutine's parameter must not hold pointers: what they point to "
                  "may be gone when the coroutine runs. Hold std::shared_ptr or values");
    static_assert(
        !needs_gil<type>,
        "def_async: a coroutine does not hold the GIL, without which a pybind11 object must "
        "not be touched: take bridge::py_ref");
}

template<class T>
inline constexpr bool is_call_guard = false;
template<class... T>
inline constexpr bool is_call_guard<py::call_guard<T...>> = true;

template<class Extra>
constexpr void check_extra() {
    static_assert(!is_call_guard<Extra>,
                  "def_async: a call_guard would hold for the call that makes the coroutine, not "
                  "for the coroutine, which runs without the GIL anyway");
    static_assert(!std::is_same_v<Extra, py::return_value_policy>,
                  "def_async: a return_value_policy says nothing of a coroutine's result, which is "
                  "moved into Python: return a value or a std::shared_ptr");
}

/// The current exception as a Python one, as everywhere in the library.
[[noreturn]] void throw_as_python();

/// Calls the function and wraps its awaitable.
template<class F, class Result, class... Arguments>
struct bound_function {
    using binding = binding_of<Result>;
    static_assert(binding::is_coroutine || binding::is_generator,
                  "def_async: the function must return boost::asio::awaitable<T> or "
                  "bridge::generator<T>; use m.def for others");
    using bound_type = typename binding::type;

    mutable F function; ///< a lambda may be mutable
    py_ref name;

    bound_type operator()(Arguments... arguments) const {
        try {
            auto begun = call_python(
                [&] { return std::invoke(function, std::forward<Arguments>(arguments)...); });
            return {binding::make(std::move(begun), name.handle())};
        } catch (...) {
            throw_as_python();
        }
    }

    static constexpr bool is_generator = binding::is_generator;
    static constexpr auto parameters = static_cast<Py_ssize_t>(sizeof...(Arguments));
    static constexpr direct_call call = &call_directly<bound_function, Arguments...>;

    template<class... Extra>
    static function_signature signature(const Extra&... extra) {
        return make_signature<typename binding::hint, Arguments...>(extra...);
    }

    /// The callable that pybind11 binds.
    struct entry {
        std::shared_ptr<const bound_function> owner;

        bound_type operator()(Arguments... arguments) const {
            return (*owner)(std::forward<Arguments>(arguments)...);
        }
    };
};

template<class R, class... A, class F>
auto make_bound(F&& function, py_ref name) {
    using made = bound_function<std::decay_t<F>, R, A...>;
    return std::make_shared<const made>(made{std::forward<F>(function), std::move(name)});
}

template<class F, class R, class... A>
auto bind_plain(F&& function, py_ref name, R (*)(A...)) {
    (check_argument<A>(), ...);
    return make_bound<R, taken_argument<A>...>(std::forward<F>(function), std::move(name));
}

/// What Self is called with, whose class may inherit the member.
template<class Self, class Member, class R, class... A>
auto bind_member(Member function, py_ref name) {
    (check_argument<A>(), ...);
    return make_bound<R, own_value<Self, false>, taken_argument<A>...>(
        [function](Self& self, A... arguments) {
            return (self.*function)(std::forward<A>(arguments)...);
        },
        std::move(name));
}

template<class Class, class Declaring>
using self_of = std::conditional_t<std::is_void_v<Class>, Declaring, Class>;

template<class, class R, class... A>
auto bind_coroutine(R (*function)(A...), py_ref name) {
    return bind_plain(function, std::move(name), function);
}

template<class Class, class R, class C, class... A>
auto bind_coroutine(R (C::*function)(A...), py_ref name) {
    return bind_member<self_of<Class, C>, R (C::*)(A...), R, A...>(function, std::move(name));
}

template<class Class, class R, class C, class... A>
auto bind_coroutine(R (C::*function)(A...) &, py_ref name) {
    return bind_member<self_of<Class, C>, R (C::*)(A...)&, R, A...>(function, std::move(name));
}

template<class Class, class R, class C, class... A>
auto bind_coroutine(R (C::*function)(A...) const, py_ref name) {
    return bind_member<self_of<Class, C>, R (C::*)(A...) const, R, A...>(function, std::move(name));
}

template<class Class, class R, class C, class... A>
auto bind_coroutine(R (C::*function)(A...) const&, py_ref name) {
    return bind_member<self_of<Class, C>, R (C::*)(A...) const&, R, A...>(function,
                                                                          std::move(name));
}

template<class Member>
struct signature_of;

template<class R, class C, class... A, bool N>
struct signature_of<R (C::*)(A...) noexcept(N)> {
    using type = R(A...);
};

template<class R, class C, class... A, bool N>
struct signature_of<R (C::*)(A...) const noexcept(N)> {
    using type = R(A...);
};

template<class F>
concept function_object = requires {
    typename signature_of<decltype(&std::remove_reference_t<F>::operator())>::type;
};

template<class, function_object F>
auto bind_coroutine(F&& function, py_ref name) {
    using signature =
        typename signature_of<decltype(&std::remove_reference_t<F>::operator())>::type;
    return bind_plain(std::forward<F>(function), std::move(name), static_cast<signature*>(nullptr));
}

/// Puts the bound function into the scope as an object of our own type, which is marked as a
/// coroutine function and keeps the arguments of each call alive. `existing` overloads are
/// extended.
py::object overloads_of(py::handle scope, const char* name);
py::object qualified_name(py::handle scope, const char* name);

/// How it is called past pybind11; no call if that is not possible.
struct call_target {
    const void* function = nullptr; ///< lives as long as what pybind11 bound
    direct_call call = nullptr;
    Py_ssize_t parameters = 0;
};

enum class function_kind : unsigned char { coroutine, generator };

/// The signature is null for an overload.
void add_function(py::handle scope, const char* name, py::object bound, bool is_static,
                  function_kind kind, std::unique_ptr<function_signature> signature,
                  call_target direct);

/// Nothing but names, defaults and documentation: no policy that pybind11 would have to follow.
template<class T>
inline constexpr bool only_describes =
    std::is_base_of_v<py::arg, T> || std::is_same_v<T, py::is_method> ||
    std::is_convertible_v<const T&, const char*>;

template<class Class, class F, class... Extra>
void bind_to(py::handle scope, const char* name, bool is_static, F&& function,
             const Extra&... extra) {
    (check_extra<Extra>(), ...);
    const auto overloads = overloads_of(scope, name);
    const bool alone = overloads.is_none();
    const auto target =
        bind_coroutine<Class>(std::forward<F>(function), qualified_name(scope, name));
    using target_type = typename std::decay_t<decltype(target)>::element_type;
    py::cpp_function bound(typename target_type::entry{target}, py::name(name), py::scope(scope),
                           py::sibling(overloads), extra...);
    call_target direct;
    if (alone && (only_describes<Extra> && ...))
        direct = {target.get(), target_type::call, target_type::parameters};
    std::unique_ptr<function_signature> signature;
    if (alone)
        signature = std::make_unique<function_signature>(target_type::signature(extra...));
    add_function(scope, name, std::move(bound), is_static,
                 target_type::is_generator ? function_kind::generator : function_kind::coroutine,
                 std::move(signature), direct);
}

template<class Scope>
inline constexpr bool is_class_scope = std::is_base_of_v<py::detail::generic_type, Scope>;

} // namespace detail

/// Binds a coroutine function (free, lambda or member of a class_) as m.def does, with py::arg and
/// docs. Calling it from Python gives a coroutine object as to_python makes it. What looks at
/// functions (inspect, typing, help(), unittest.mock, pydantic, FastAPI) takes it for an async
/// function of that signature; overloads of one name have the signature (*args, **kwargs). `self`,
/// the arguments and the function itself stay alive while the coroutine does. Overloads of one name
/// are all bound by def_async: throws std::runtime_error if the name is something else already.
/// A function that returns generator<T> becomes an async generator function, which gives what
/// to_python makes of it.
/// GIL: required.
template<class Scope, class F, class... Extra>
Scope&& def_async(Scope&& scope, const char* name, F&& function, const Extra&... extra) {
    using plain_scope = std::remove_cvref_t<Scope>;
    if constexpr (detail::is_class_scope<plain_scope>)
        detail::bind_to<typename plain_scope::type>(scope, name, false, std::forward<F>(function),
                                                    py::is_method(scope), extra...);
    else
        detail::bind_to<void>(scope, name, false, std::forward<F>(function), extra...);
    return std::forward<Scope>(scope);
}

/// The same as a static method of a class.
template<class Scope, class F, class... Extra>
Scope&& def_async_static(Scope&& scope, const char* name, F&& function, const Extra&... extra) {
    detail::bind_to<void>(scope, name, true, std::forward<F>(function), extra...);
    return std::forward<Scope>(scope);
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

template<class T, class S>
struct type_caster<bridge::detail::bound_generator<T, S>> {
    static constexpr auto name =
        const_name("collections.abc.AsyncGenerator[") + make_caster<T>::name + const_name(", ") +
        make_caster<std::conditional_t<std::is_void_v<S>, void_type, S>>::name + const_name("]");

    static handle cast(bridge::detail::bound_generator<T, S>&& bound, return_value_policy, handle) {
        return bound.object.release();
    }
};

} // namespace pybind11::detail
