// SPDX-License-Identifier: Apache-2.0
// A C++ coroutine that awaits a Python object: how it waits, is cancelled and resumed.
#pragma once

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/launch.hpp>
#include <bridge/detail/port.hpp>
#include <bridge/error.hpp>
#include <bridge/gil.hpp>
#include <bridge/py_ref.hpp>
#include <bridge/python_error.hpp>
#include <bridge/task_locals.hpp>

#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace bridge::detail {

class crossing;
struct coroutine_object;
struct task_body;

/// Whether `await` takes it. Requires the GIL.
bool can_be_awaited(PyObject* object);

/// Lives in the frame of the awaiting coroutine, which is resumed exactly once: when the Python
/// side has really ended, also after a cancellation.
class awaiting {
public:
    awaiting(py_ref object, task_locals locals) noexcept;
    awaiting(const awaiting&) = delete;
    awaiting& operator=(const awaiting&) = delete;

    /// The coroutine is suspended. As a handler of its executor, without the GIL.
    void operator()(suspended coroutine) noexcept;

    enum class prepared {
        awaitable, ///< object() is to be awaited
        value,     ///< object() is the result itself
        failed,    ///< a Python error is set
    };

    /// Makes the object, if a call has to make it. Once, loop thread, GIL held.
    prepared prepare() noexcept;

    /// For the awaiting task, which runs the object itself. Loop thread, GIL held.
    py_ref take_object() noexcept { return std::move(object_); }

    void set_runner(coroutine_object* runner) noexcept { runner_ = runner; }

    /// The Python side ended: with a value, or null and the error set. True: resume() is the
    /// caller's to call; false: the coroutine is resumed elsewhere. Loop thread, GIL held.
    bool settle(PyObject* value) noexcept;

    /// Continues the coroutine here; as a handler of its executor.
    void resume();

    /// The same in the executor's own turn.
    void resume_later() noexcept;

    /// Ends it with an error of the bridge. Any thread; if its task has begun, the loop's.
    void fail(errc error) noexcept;

    /// The same if nothing of the object has run yet.
    void refuse(errc error) noexcept;

    /// For the garbage collector: visits what is awaited. GIL held.
    int traverse_object(visitproc visit, void* arg) const noexcept;

    /// Runs the object in a Task of its own. Loop thread, GIL held.
    void run_as_task() noexcept;

    /// That has taken its last step, which gave this value, or null if it raised. Loop thread.
    void on_last_step(PyObject* value) noexcept;

    /// The same once it is done.
    void on_done(PyObject* task) noexcept;

    /// The loop was closed with the Task unfinished: nobody will tell.
    void on_body_gone() noexcept;

protected:
    ~awaiting() = default;

    /// Stores the value; throws if it cannot be converted. GIL held.
    virtual void convert(py::handle value) = 0;

    /// Calls what gives the object, awaitable or not, if there is none. GIL held.
    virtual py::object make();

    std::exception_ptr error_;

private:
    struct node : port_node {
        awaiting* owner = nullptr;
    };

    struct resume_task : strand_task {
        awaiting* owner = nullptr;
    };

    struct member : in_flight_member {
        awaiting* owner = nullptr;
    };

    static constexpr unsigned ended = 1;
    static constexpr unsigned cancelling = 2;

    void connect_cancellation();
    port& its_port() const noexcept;
    void request_cancel() noexcept;
    void cancel_in_python() noexcept;
    void start();
    py::object start_task(const py::object& body) const;
    py::object wrap_in_future() const;
    void tell_when_done() noexcept;
    bool task_keeps_value() const noexcept;
    bool is_cancelling() const noexcept;
    static void deliver_start(port_node* self, bool alive) noexcept;
    static void deliver_cancel(port_node* self, bool alive) noexcept;
    static void abandon(in_flight_member* self, errc why) noexcept;
    static int traverse(const in_flight_member* self, visitproc visit, void* arg) noexcept;
    static void silence(const in_flight_member* self) noexcept;
    static const in_flight_kind task_in_loop;

    py_ref object_;
    task_locals locals_;
    node start_;
    node cancel_;
    resume_task resume_;
    std::optional<suspended> coroutine_;
    intrusive_ptr<strand> strand_; // null unless its executor is ours
    std::atomic<unsigned> state_{0};
    py_ref task_;
    task_body* body_ = nullptr; // what the task runs or calls, while that is to tell
    member membership_;
    coroutine_object* runner_ = nullptr;
    bool asked_python_ = false;
};

/// Throws the TypeError for a Python value that is not a T. GIL held.
[[noreturn]] void throw_conversion_error(py::handle value, const std::string& wanted);

template<class T>
class awaiting_of : public awaiting {
    static_assert(may_leave_the_gil<T>,
                  "the awaiting coroutine does not hold the GIL, without which a pybind11 object "
                  "must not be touched: use to_cpp<bridge::py_ref>");
    static_assert(!is_borrowed<T>, "the result would be a view of a Python object that is gone "
                                   "when the coroutine resumes: use std::string or std::vector");

public:
    using awaiting::awaiting;

    void rethrow() {
        if (error_)
            std::rethrow_exception(std::exchange(error_, nullptr));
    }

    T take() {
        rethrow();
        if constexpr (!std::is_void_v<T>)
            return std::move(*value_);
    }

private:
    using value_type = std::conditional_t<std::is_void_v<T>, bool, T>;

protected:
    void convert(py::handle value) override {
        if constexpr (std::is_same_v<T, py_ref>)
            value_.emplace(py::reinterpret_borrow<py::object>(value));
        else if constexpr (!std::is_void_v<T>)
            value_.emplace(cast_result<T>(value));
    }

private:
    template<class U>
    static U cast_result(py::handle value) {
        try {
            // By pointer: pybind11's types are hidden, which the lambda need not be.
            return call_python([object = value.ptr()] { return py::handle(object).cast<U>(); });
        } catch (const py::cast_error&) {
            throw_conversion_error(value, py::type_id<U>());
        }
    }

    std::optional<value_type> value_;
};

} // namespace bridge::detail
