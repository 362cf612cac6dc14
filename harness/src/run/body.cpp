// SPDX-License-Identifier: Apache-2.0
#include <bridge/bridge.hpp>

#include "record/record_error.hpp"
#include "run/alternate_stack.hpp"
#include "run/await_points.hpp"
#include "run/body.hpp"
#include "run/python_names.hpp"
#include "run/stacks.hpp"

#include <bridge/detail/for_harness.hpp>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

namespace bridge::harness {
namespace {

using boost::asio::awaitable;
using boost::asio::use_awaitable;
using protocol::failure_kind;

namespace this_coro = boost::asio::this_coro;

// Who ends with the GIL held, stops Python for good.
void give_gil_back(std::exception_ptr& error) {
    if (PyGILState_Check() == 0)
        return;
    PyEval_SaveThread();
    if (!error)
        error = std::make_exception_ptr(std::logic_error(
            "the body returned with the GIL held; release what PyGILState_Ensure() took, or write "
            "bridge::with_gil"));
}

std::exception_ptr call_in(bridge::detail::turn_elsewhere& turn,
                           const std::function<void()>& body) {
    std::exception_ptr error;
    turn.run([&] {
        try {
            body();
        } catch (...) {
            error = std::current_exception();
        }
        give_gil_back(error);
    });
    return error;
}

// On a thread of its own: a body that hangs must not take one of the runtime's from later tests.
awaitable<void> run_on_thread(running_test& run, std::function<void()> body) {
    auto start = [turn = bridge::detail::turn_elsewhere(), body = std::move(body),
                  &run](auto handler) {
        std::thread([turn, body, handler = std::move(handler), &run]() mutable {
            const alternate_stack for_reports;
            run.set_body_thread(this_thread());
            auto error = call_in(turn, body);
            const auto on = boost::asio::get_associated_executor(handler);
            boost::asio::post(
                on, [handler = std::move(handler), error]() mutable { std::move(handler)(error); });
        }).detach();
    };
    co_await boost::asio::async_initiate<decltype(use_awaitable), void(std::exception_ptr)>(
        std::move(start), use_awaitable);
}

// The object whose member the body is.
class test_object {
public:
    explicit test_object(const detail::fixture_type& type)
        : object_(type.make(), type.destroy), type_(type) {}

    awaitable<void> set_up(running_test& run) {
        if (type_.set_up == nullptr)
            co_return;
        run.enter("set_up");
        co_await type_.set_up(object_.get());
    }

    awaitable<void> tear_down(running_test& run) {
        run.enter("tear_down");
        if (type_.tear_down != nullptr)
            co_await type_.tear_down(object_.get());
    }

    void provide(const py::dict& names) {
        if (type_.provide != nullptr)
            type_.provide(object_.get(), names);
    }

    void* get() const noexcept { return object_.get(); }

private:
    std::unique_ptr<void, void (*)(void*)> object_;
    const detail::fixture_type& type_;
};

awaitable<void> run_python(running_test& run, test_object& object, py_ref call_text) {
    auto coroutine = with_python([&] {
        py::dict names;
        object.provide(names);
        const auto& info = run.test().info;
        return py_ref(call_text.get()(run.test().what->body.python, info.file, info.line, names,
                                      common_names(run)));
    });
    co_await to_cpp<void>(std::move(coroutine));
}

awaitable<void> run_alone(running_test& run, test_object& object, py_ref call_text) {
    run.enter("");
    const auto& test = run.test();
    const auto& body = test.what->body;
    if (test.what->takes_values && !test.value) {
        run.fail(failure_kind::check,
                 "it has no values: values{...} is missing among its options, or is empty",
                 test.info.file, test.info.line);
    } else if (body.on_loop != nullptr) {
        co_await body.on_loop(object.get(), test.value.get());
    } else if (body.on_thread != nullptr) {
        co_await run_on_thread(run, [&] { body.on_thread(object.get(), test.value.get()); });
    } else {
        co_await run_python(run, object, std::move(call_text));
    }
}

auto listen_anew() {
    return this_coro::reset_cancellation_state(boost::asio::enable_total_cancellation());
}

// Whether it has all succeeded.
awaitable<bool> is_up(running_test& run, test_object& object) {
    std::exception_ptr error;
    try {
        co_await object.set_up(run);
    } catch (...) {
        error = std::current_exception();
    }
    if (error)
        record_error(run, error);
    co_return !error;
}

awaitable<void> run_and_tear_down(running_test& run, test_object& object, py_ref call_text,
                                  await_points* points) {
    std::exception_ptr error;
    if (points != nullptr)
        points->enter();
    try {
        co_await run_alone(run, object, std::move(call_text));
    } catch (...) {
        error = std::current_exception();
    }
    if (points != nullptr)
        points->leave(error != nullptr);
    if (error)
        record_error(run, std::exchange(error, nullptr));
    // What has ended the body is not to end this, too; nor is a request that is on its way.
    co_await listen_anew();
    if (points != nullptr && points->is_cancelled()) {
        co_await boost::asio::post(co_await this_coro::executor, use_awaitable);
        co_await listen_anew();
    }
    try {
        co_await object.tear_down(run);
    } catch (...) {
        error = std::current_exception();
    }
    if (error)
        record_error(run, error);
}

} // namespace

awaitable<void> run_body(running_test& run, py_ref call_text, await_points* points) {
    std::optional<test_object> object;
    std::exception_ptr error;
    try {
        object.emplace(run.test().what->fixture);
        if (co_await is_up(run, *object))
            co_await run_and_tear_down(run, *object, std::move(call_text), points);
    } catch (...) {
        error = std::current_exception();
    }
    if (error)
        record_error(run, error);
    object.reset();
    if (points != nullptr)
        points->set_ended();
}

awaitable<void> run_suite_part(running_test& run, const char* phase, awaitable<void> (*part)(),
                               bool& has_failed) {
    run.enter(phase);
    std::exception_ptr error;
    try {
        if (part != nullptr)
            co_await part();
    } catch (...) {
        error = std::current_exception();
    }
    if (error) {
        has_failed = true;
        record_error(run, error);
    }
    run.enter("");
}

// Who ends without it, cannot go on in Python.
void take_gil_back(running_test& run, PyThreadState* thread) {
    if (bridge::detail::holds_gil())
        return;
    PyEval_RestoreThread(thread);
    run.fail(failure_kind::exception,
             "the body returned without the GIL, with which it began; take back what "
             "PyEval_SaveThread() released, or write bridge::without_gil",
             run.test().info.file, run.test().info.line);
}

void run_on_main_thread(running_test& run) {
    const auto& test = run.test();
    try {
        const test_object object(test.what->fixture);
        auto* thread = PyThreadState_Get();
        std::exception_ptr error;
        try {
            test.what->body.on_main_thread(object.get(), test.value.get());
        } catch (...) {
            error = std::current_exception();
        }
        take_gil_back(run, thread);
        if (error)
            std::rethrow_exception(std::exchange(error, nullptr));
    } catch (const py::error_already_set& error) {
        if (error.matches(PyExc_KeyboardInterrupt))
            throw;
        record_error(run, std::current_exception());
    } catch (...) {
        record_error(run, std::current_exception());
    }
}

} // namespace bridge::harness
