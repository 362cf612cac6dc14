// SPDX-License-Identifier: Apache-2.0
// A test's class, derived from its fixture, as the functions that the harness calls.
#pragma once

#include <bridge/harness/detail/definition.hpp>
#include <bridge/harness/values.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <tuple>
#include <type_traits>

namespace bridge::harness::detail {

/// Of tests that name no fixture.
struct no_fixture {};

using awaited = boost::asio::awaitable<void>;

template<class T>
concept has_set_up = requires(T& object) {
    object.set_up();
};

template<class T>
concept has_tear_down = requires(T& object) {
    object.tear_down();
};

template<class T>
concept has_provide = requires(T& object, py::dict names) {
    object.provide(names);
};

/// Calls a member that is a coroutine or a plain function.
template<class F>
awaited await_plain(F function) {
    function();
    co_return;
}

template<class F>
awaited await_member(F function) {
    using result = decltype(function());
    static_assert(std::same_as<result, void> || std::same_as<result, awaited>,
                  "set_up and tear_down return asio::awaitable<void> or void");
    if constexpr (std::same_as<result, void>)
        return await_plain(function);
    else
        return function();
}

template<class T>
constexpr auto set_up_of() -> awaited (*)(void*) {
    if constexpr (has_set_up<T>)
        return [](void* object) {
            return await_member([object] { return static_cast<T*>(object)->set_up(); });
        };
    else
        return nullptr;
}

template<class T>
constexpr auto tear_down_of() -> awaited (*)(void*) {
    if constexpr (has_tear_down<T>)
        return [](void* object) {
            return await_member([object] { return static_cast<T*>(object)->tear_down(); });
        };
    else
        return nullptr;
}

template<class F>
concept has_set_up_suite = requires {
    F::set_up_suite();
};

template<class F>
concept has_tear_down_suite = requires {
    F::tear_down_suite();
};

template<class F>
constexpr suite_type make_suite() {
    suite_type made{};
    if constexpr (has_set_up_suite<F>)
        made.set_up = [] { return await_member([] { return F::set_up_suite(); }); };
    if constexpr (has_tear_down_suite<F>)
        made.tear_down = [] { return await_member([] { return F::tear_down_suite(); }); };
    return made;
}

template<class F>
inline constexpr suite_type suite_of = make_suite<F>();

template<class F>
constexpr const suite_type* find_suite() {
    return has_set_up_suite<F> || has_tear_down_suite<F> ? &suite_of<F> : nullptr;
}

template<class T>
constexpr auto provide_of() -> void (*)(void*, py::dict) {
    if constexpr (has_provide<T>)
        return [](void* object, py::dict names) { static_cast<T*>(object)->provide(names); };
    else
        return nullptr;
}

/// A test's class and the fixture that it is derived from.
template<class T, class F = T>
inline constexpr fixture_type fixture_of{
    [] { return static_cast<void*>(new T()); },
    [](void* object) { delete static_cast<T*>(object); },
    set_up_of<T>(),
    tear_down_of<T>(),
    provide_of<T>(),
    find_suite<F>(),
};

/// Takes the parameters of a body apart.
template<class Member>
struct body_traits;

template<class Class, class Result, class... P>
struct body_traits<Result (Class::*)(P...)> {
    using values = parameter_values<std::decay_t<P>...>;
    static constexpr bool has_parameters = sizeof...(P) > 0;

    template<class T>
    static Result call(void* object, const void* value) {
        auto& test = *static_cast<T*>(object);
        if constexpr (has_parameters)
            return std::apply([&](const auto&... each) { return test.bridge_body(each...); },
                              *static_cast<const std::tuple<std::decay_t<P>...>*>(value));
        else
            return test.bridge_body();
    }
};

template<class T>
using traits_of = body_traits<decltype(&T::bridge_body)>;

template<class T>
inline constexpr test_body on_loop{.on_loop = &traits_of<T>::template call<T>};

template<class T>
inline constexpr test_body on_thread{.on_thread = &traits_of<T>::template call<T>};

template<class T>
inline constexpr test_body on_main_thread{.on_main_thread = &traits_of<T>::template call<T>};

} // namespace bridge::harness::detail
