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

/// What a fixture may name: in a class derived from both, a name that the fixture has is ambiguous.
struct member_names {
    char set_up, tear_down, provide, set_up_suite, tear_down_suite, SetUp, TearDown;
};

template<class F>
struct with_member_names : F, member_names {};

#define BRIDGE_HARNESS_NAMES(fixture, member) (!requires { &with_member_names<fixture>::member; })

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

/// A member of one of these names that the harness would pass over without a word does not compile.
template<class T, class F>
constexpr bool check_members() {
    static_assert(std::is_default_constructible_v<T>,
                  "a fixture has a constructor without parameters");
    static_assert(!BRIDGE_HARNESS_NAMES(F, set_up) || has_set_up<T>,
                  "set_up of a fixture is public and has no parameters");
    static_assert(!BRIDGE_HARNESS_NAMES(F, tear_down) || has_tear_down<T>,
                  "tear_down of a fixture is public and has no parameters");
    static_assert(!BRIDGE_HARNESS_NAMES(F, provide) || has_provide<T>,
                  "provide of a fixture is public and takes a pybind11::dict");
    static_assert(!BRIDGE_HARNESS_NAMES(F, set_up_suite) || has_set_up_suite<F>,
                  "set_up_suite of a fixture is public and static, and has no parameters");
    static_assert(!BRIDGE_HARNESS_NAMES(F, tear_down_suite) || has_tear_down_suite<F>,
                  "tear_down_suite of a fixture is public and static, and has no parameters");
    static_assert(!BRIDGE_HARNESS_NAMES(F, SetUp) || has_set_up<T>,
                  "what runs before a test is called set_up here, not SetUp");
    static_assert(!BRIDGE_HARNESS_NAMES(F, TearDown) || has_tear_down<T>,
                  "what runs after a test is called tear_down here, not TearDown");
    return true;
}

#undef BRIDGE_HARNESS_NAMES

template<class T, class F>
void* make_fixture() {
    static_assert(check_members<T, F>());
    return new T();
}

/// A test's class and the fixture that it is derived from.
template<class T, class F = T>
inline constexpr fixture_type fixture_of{
    &make_fixture<T, F>, [](void* object) { delete static_cast<T*>(object); },
    set_up_of<T>(),      tear_down_of<T>(),
    provide_of<T>(),     find_suite<F>(),
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
