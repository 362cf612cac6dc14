// SPDX-License-Identifier: Apache-2.0
// Calling a Python function from a C++ coroutine that never touches the GIL.
#pragma once

#include <bridge/detail/awaiting.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace bridge {
namespace detail {

/// Awaits what make() gives on the loop thread: an awaitable, or the value itself.
template<class T, class Make>
class calling final : public awaiting_of<T> {
public:
    calling(task_locals locals, Make make)
        : awaiting_of<T>(py_ref(), std::move(locals)), make_(std::move(make)) {}

private:
    py::object make() override { return make_(); }

    Make make_;
};

// Views become owners: the call happens later.
template<class A>
using kept_argument =
    std::conditional_t<std::is_convertible_v<A, std::string_view>, std::string, std::decay_t<A>>;

template<class A>
constexpr bool check_call_argument() {
    static_assert(!needs_gil<A>,
                  "call: the calling coroutine does not hold the GIL, without which a pybind11 "
                  "object must not be touched: pass bridge::py_ref or the C++ value itself");
    static_assert(std::is_convertible_v<A, std::string_view> || !is_borrowed<A>,
                  "call: the argument is used later, when what it views may be gone: pass "
                  "std::string or std::vector");
    static_assert(!std::is_lvalue_reference_v<A> ||
                      std::is_copy_constructible_v<std::remove_cvref_t<A>> ||
                      std::is_convertible_v<A, std::string_view>,
                  "call: the argument is used later and cannot be copied: std::move it");
    return true;
}

inline py::handle handle_of(const py_ref& function) {
    return function.handle();
}

inline py::handle handle_of(const std::shared_ptr<const py_ref>& function) {
    return function ? function->handle() : py::handle();
}

/// What the function returns; throws TypeError if there is none.
py::object call_with_arguments(py::handle function, const py::tuple& arguments);

/// Throws the TypeError for an argument of that C++ type.
[[noreturn]] void throw_argument_error(const std::string& type);

template<class A>
py::object convert_argument(A&& argument) {
    try {
        if (auto object = call_python([&] { return py::cast(std::forward<A>(argument)); }))
            return object;
    } catch (const py::cast_error&) {
    }
    throw_argument_error(py::type_id<A>());
}

template<class T, class Function, class... Kept>
boost::asio::awaitable<T> call_and_await(task_locals locals, Function function,
                                         std::tuple<Kept...> arguments) {
    const auto make = [&function, &arguments] {
        return std::apply(
            [&](Kept&... each) {
                return call_with_arguments(
                    handle_of(function),
                    py::make_tuple(convert_argument<Kept>(std::move(each))...));
            },
            arguments);
    };
    calling<T, decltype(make)> operation(std::move(locals), make);
    co_await suspend_to(operation);
    co_return operation.take();
}

template<class F>
concept python_function =
    std::same_as<std::decay_t<F>, py_ref> || std::convertible_to<F, std::shared_ptr<const py_ref>>;

template<class F>
using kept_function = std::conditional_t<std::same_as<std::decay_t<F>, py_ref>, py_ref,
                                         std::shared_ptr<const py_ref>>;

} // namespace detail

namespace detail {

template<class T>
struct call_function {
    template<python_function F, class... A>
    boost::asio::awaitable<T> operator()(task_locals locals, F&& function, A&&... arguments) const {
        // Asserted, so that the check comes first: GCC 16 gives up at the tuple below.
        static_assert((check_call_argument<A>() && ...));
        return call_and_await<T>(std::move(locals), kept_function<F>(std::forward<F>(function)),
                                 std::tuple<kept_argument<A>...>(std::forward<A>(arguments)...));
    }

    template<python_function F, class... A>
    boost::asio::awaitable<T> operator()(F&& function, A&&... arguments) const {
        return (*this)(task_locals(), std::forward<F>(function), std::forward<A>(arguments)...);
    }
};

} // namespace detail

/// call<T>([locals,] function, arguments...): calls a Python function in the loop of the given
/// locals, or of current_locals(), and awaits what it returns if that is awaitable. The function is
/// a py_ref, or a std::shared_ptr<const py_ref> if many calls share it. Arguments are kept by
/// value, converted on the loop thread and passed by position. If the awaiting coroutine is itself
/// what a Python task awaits, that task makes the call.
/// Resumes: on the awaiting coroutine's own executor.
/// GIL: not needed, on any thread; never held when resumed.
/// Cancel: before the call it does not happen; a returned awaitable is cancelled and its end
/// awaited; a plain function is not interrupted.
/// Throws: as to_cpp.
/// `int n = co_await bridge::call<int>(f, "text", 3);`
template<class T = py_ref>
inline constexpr detail::call_function<T> call{};

} // namespace bridge
