// SPDX-License-Identifier: Apache-2.0
// Holding and releasing the GIL by callables, which cannot span a co_await.
#pragma once

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/interpreter_entry.hpp>
#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/ownership.hpp>
#include <bridge/detail/references.hpp>
#include <bridge/py_ref.hpp>
#include <bridge/python_error.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace bridge {
namespace detail {

/// Who wants the GIL: user code, or the library on its own account, which it never does.
enum class gil_user { user, library };

/// Holds the GIL for a scope; throws interpreter_gone. A native thread keeps its thread state for
/// its next time.
class gil_hold {
public:
    explicit gil_hold(gil_user who = gil_user::library);
    gil_hold(const gil_hold&) = delete;
    gil_hold& operator=(const gil_hold&) = delete;
    ~gil_hold();

    /// Raises the exception in all other threads inside; whether there are any.
    /// GIL: required.
    static bool raise_in_others(PyObject* exception) noexcept;

    /// The calling thread stays inside for ever: it is not waited for.
    /// GIL: required.
    static void forget_this_thread() noexcept;

    /// The other threads' stays are not waited for: in a forked child, which has not got these
    /// threads, and at the end of Python.
    /// GIL: required.
    static void forget_others(shared_state& in) noexcept;

private:
    static gate& usable_gate();
    void take(gil_user who);
    void enter_list() noexcept;
    void leave_list() noexcept;
    static void forget(shared_state& in, bool mine) noexcept;

    gate_guard inside_{usable_gate()};
    interpreter_entry entry_;
    bool taken_ = false;
    const unsigned long thread_ = PyThread_get_thread_ident();
    list_link<gil_hold> link_;
};

/// Releases the GIL for a scope if this thread holds it.
class gil_pause {
public:
    struct known_held {};

    gil_pause() noexcept : saved_(holds_gil() ? PyEval_SaveThread() : nullptr) {}

    /// If the caller knows that this thread holds it.
    explicit gil_pause(known_held) noexcept : saved_(PyEval_SaveThread()) {}

    gil_pause(const gil_pause&) = delete;
    gil_pause& operator=(const gil_pause&) = delete;

    ~gil_pause() {
        if (saved_ != nullptr)
            restore_thread(saved_, life_);
    }

private:
    std::uint32_t life_ = shared().interpreter_life.load(std::memory_order_relaxed);
    PyThreadState* saved_;
};

/// The same of a thread that holds it, for less, if the end of Python is to wait for that scope.
class short_gil_pause {
public:
    short_gil_pause() noexcept
        : entered_(interpreter_gate()), inside_(!free_threaded && entered_.enter_guarded()),
          saved_(PyEval_SaveThread()) {}

    short_gil_pause(const short_gil_pause&) = delete;
    short_gil_pause& operator=(const short_gil_pause&) = delete;

    ~short_gil_pause() {
        if (inside_)
            restore_thread(saved_, life_, entered_);
        else
            restore_thread(saved_, life_);
    }

private:
    std::uint32_t life_ = shared().interpreter_life.load(std::memory_order_relaxed);
    gate& entered_;
    const bool inside_;
    PyThreadState* saved_;
};

template<class R>
inline constexpr bool may_leave_the_gil = !needs_gil<R>;

} // namespace detail

/// Runs f holding the GIL and returns its result.
/// GIL: taken unless this thread holds it; blocks until it is free.
/// Cancel: not a suspension point.
/// Throws: what f throws (a Python error as python_error), interpreter_gone when Python is not
/// running.
template<class F>
auto with_gil(F&& f) -> std::invoke_result_t<F> {
    using result = std::invoke_result_t<F>;
    static_assert(detail::may_leave_the_gil<result>,
                  "a pybind11 object must not leave with_gil: return bridge::py_ref instead");
    detail::gil_hold hold(detail::gil_user::user);
    try {
        return detail::call_python(std::forward<F>(f));
    } catch (py::error_already_set& error) {
        throw python_error(error);
    }
}

/// Runs f without the GIL and returns its result.
/// GIL: released for f if this thread holds it, then taken back.
/// Throws: what f throws.
template<class F>
auto without_gil(F&& f) -> std::invoke_result_t<F> {
    detail::gil_pause pause;
    return std::forward<F>(f)();
}

/// How often the library took the GIL without being asked to (by with_gil, with_python or
/// current_locals), on any thread, since the program began. The library never needs it, so this
/// stays 0.
/// GIL: not needed, on any thread.
std::uint64_t unasked_gil_takes() noexcept;

} // namespace bridge
