// SPDX-License-Identifier: Apache-2.0
// boost::asio::awaitable<T> in the signatures of plain m.def functions.
#pragma once

#include <bridge/to_cpp.hpp>
#include <bridge/to_python.hpp>

#include <boost/asio/awaitable.hpp>

#include <pybind11/pybind11.h>

#include <type_traits>
#include <utility>

namespace pybind11::detail {

/// A function that returns awaitable<T> gives Python a coroutine, as to_python makes it; a
/// parameter of type awaitable<T> takes any Python awaitable, as to_cpp awaits it. Unlike with
/// def_async, Python does not see a coroutine function, and nothing keeps the arguments alive:
/// take them by value.
template<class T>
struct type_caster<boost::asio::awaitable<T>> {
    using value_name = make_caster<std::conditional_t<std::is_void_v<T>, void_type, T>>;

#if PYBIND11_VERSION_MAJOR >= 3
    static constexpr auto name = io_name("collections.abc.Awaitable[",
                                         "collections.abc.Coroutine[typing.Any, typing.Any, ") +
                                 value_name::name + const_name("]");
#else
    static constexpr auto name =
        const_name("collections.abc.Awaitable[") + value_name::name + const_name("]");
#endif

    template<class>
    using cast_op_type = boost::asio::awaitable<T>&&;

    bool load(handle source, bool) {
        if (!bridge::detail::can_be_awaited(source.ptr()))
            return false;
        value_ = bridge::to_cpp<T>(bridge::py_ref(reinterpret_borrow<object>(source)));
        return true;
    }

    operator boost::asio::awaitable<T>&&() noexcept {
        return std::move(value_);
    }

    static handle cast(boost::asio::awaitable<T>&& body, return_value_policy, handle) {
        return bridge::to_python(std::move(body)).release();
    }

private:
    boost::asio::awaitable<T> value_;
};

} // namespace pybind11::detail
