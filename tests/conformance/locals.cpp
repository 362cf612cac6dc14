// SPDX-License-Identifier: Apache-2.0
// task_locals: who inherits them, who chooses them, what Python sees of them.
#include "script.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace asio = boost::asio;
namespace py = pybind11;

using namespace std::chrono_literals;

namespace {

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

// What the function says, called plainly under the handler's own locals.
asio::awaitable<int> ask(bridge::py_ref function, bool hops) {
    if (hops)
        co_await hop();
    co_return bridge::with_python([&] { return function.get()().cast<int>(); });
}

asio::awaitable<int> ask_in_a_child(bridge::py_ref function) {
    co_await hop();
    co_return co_await asio::co_spawn(co_await asio::this_coro::executor,
                                      ask(std::move(function), true), asio::use_awaitable);
}

asio::awaitable<int> set_and_ask(bridge::py_ref set, bridge::py_ref get) {
    co_await hop();
    bridge::with_python([&] { set.get()(7); });
    co_await hop();
    const int plain = bridge::with_python([&] { return get.get()().cast<int>(); });
    const int awaited = co_await bridge::call<int>(std::move(get));
    co_return plain * 100 + awaited;
}

// A context in which the variable has the value.
bridge::task_locals with_value(const bridge::py_ref& variable, int value) {
    return bridge::with_gil([&] {
        auto context = py::module_::import("contextvars").attr("copy_context")();
        context.attr("run")(variable.get().attr("set"), value);
        return bridge::task_locals(bridge::current_locals().event_loop(), context);
    });
}

bridge::py_ref get_of(const bridge::py_ref& variable) {
    return bridge::with_gil([&] { return bridge::py_ref(variable.get().attr("get")); });
}

bridge::py_ref make_variable() {
    return script::value("import contextvars\n"
                         "result = contextvars.ContextVar('v', default=0)\n");
}

void bind(py::object m) {
    bridge::def_async(m, "ask", &ask);
    bridge::def_async(m, "ask_in_a_child", &ask_in_a_child);
    bridge::def_async(m, "set_and_ask", &set_and_ask);
}

} // namespace

BRIDGE_TEST(python_called_plainly_or_awaited_sees_the_callers_context) {
    co_await script::run(R"py(
import contextvars
v = contextvars.ContextVar("v", default=0)
async def one(value):
    v.set(value)
    assert await m.ask(v.get, False) == value
    assert await m.ask(v.get, True) == value
    assert await m.ask_in_a_child(v.get) == value
async def main():
    await asyncio.gather(*(asyncio.create_task(one(n)) for n in range(1, 20)))
    assert v.get() == 0
)py",
                         bind);
}

BRIDGE_TEST(what_with_python_sets_is_seen_by_what_follows_in_the_coroutine) {
    co_await script::run(R"py(
import contextvars
v = contextvars.ContextVar("v", default=0)
async def main():
    # Plainly called: the coroutine's own copy; awaited: the awaiting task's context.
    assert await m.set_and_ask(v.set, v.get) == 700
    assert v.get() == 0
)py",
                         bind);
}

BRIDGE_TEST(with_python_nests_and_throws_through) {
    co_await hop();
    const int value = bridge::with_python([] { return bridge::with_python([] { return 4; }); });
    BRIDGE_CHECK(value == 4);
    bool thrown = false;
    try {
        bridge::with_python([] { py::module_::import("no_such_module_here"); });
    } catch (const bridge::python_error&) {
        thrown = true;
    }
    BRIDGE_CHECK(thrown);
}

BRIDGE_TEST_SYNC(with_python_without_locals_is_with_gil) {
    auto answer = std::async(std::launch::async, [] {
        return bridge::with_python(
            [] { return py::module_::import("math").attr("sqrt")(9.0).cast<double>(); });
    });
    BRIDGE_CHECK(answer.get() == 3.0);
}

BRIDGE_TEST(scope_runs_a_coroutine_with_other_locals) {
    auto variable = make_variable();
    auto get = get_of(variable);
    auto inside = bridge::with_gil([&] { return get.clone(); });
    const int value = co_await bridge::scope(with_value(variable, 5), ask(std::move(inside), true));
    BRIDGE_CHECK(value == 5);
    BRIDGE_CHECK(co_await ask(std::move(get), true) == 0); // and only that one
}

BRIDGE_TEST(scope_gives_its_locals_to_what_it_spawns) {
    auto variable = make_variable();
    auto body = ask_in_a_child(get_of(variable));
    BRIDGE_CHECK(co_await bridge::scope(with_value(variable, 6), std::move(body)) == 6);
}

// The request is queued on the scope's executor when the body ends there; its turn comes when the
// awaiting coroutine is in its next scope, which nobody has asked to stop.
BRIDGE_TEST_SYNC(a_request_that_meets_the_end_of_a_scope_does_not_go_to_the_next) {
    bridge::runtime threads({.threads = 3});
    const auto here = threads.make_executor(bridge::current_locals());
    std::promise<void> asked;
    std::promise<void> in_the_next;
    std::promise<asio::any_io_executor> began;
    std::atomic<bool> had_its_turn = false;
    const auto first = [&]() -> asio::awaitable<void> {
        asio::steady_timer turn(co_await asio::this_coro::executor, 1ms);
        co_await turn.async_wait(asio::use_awaitable); // out of the turn that began it
        began.set_value(co_await asio::this_coro::executor);
        asked.get_future().wait();
    };
    const auto second = [&]() -> asio::awaitable<int> {
        in_the_next.set_value();
        while (!had_its_turn)
            co_await hop();
        co_await hop();
        co_return 7;
    };
    const auto both = [&]() -> asio::awaitable<int> {
        co_await bridge::scope(bridge::current_locals(), first());
        co_await asio::this_coro::reset_cancellation_state();
        co_return co_await bridge::scope(bridge::current_locals(), second());
    };
    asio::cancellation_signal stop;
    auto ended =
        asio::co_spawn(here, both(), asio::bind_cancellation_slot(stop.slot(), asio::use_future));
    const auto on = began.get_future().get();
    asio::post(on, [&] { in_the_next.get_future().wait(); });
    asio::post(here, asio::use_future([&] { stop.emit(asio::cancellation_type::all); })).get();
    asio::post(on, [&] { had_its_turn = true; });
    asked.set_value();
    BRIDGE_CHECK(ended.get() == 7);
}

BRIDGE_TEST_SYNC(scopes_that_run_at_once_do_not_mix) {
    auto variable = make_variable();
    std::vector<bridge::task_locals> all;
    for (int i = 1; i <= 8; ++i)
        all.push_back(with_value(variable, i));
    std::vector<std::future<int>> answers;
    for (auto& locals : all) {
        auto on = bridge::default_runtime().make_executor(bridge::current_locals());
        answers.push_back(asio::co_spawn(on, bridge::scope(locals, ask(get_of(variable), true)),
                                         asio::use_future));
    }
    for (int i = 1; i <= 8; ++i)
        BRIDGE_CHECK(answers[static_cast<std::size_t>(i - 1)].get() == i);
}

BRIDGE_TEST(scope_passes_a_failure_on) {
    bool thrown = false;
    try {
        co_await bridge::scope(bridge::current_locals(), []() -> asio::awaitable<void> {
            co_await hop();
            throw std::out_of_range("inside");
        }());
    } catch (const std::out_of_range&) {
        thrown = true;
    }
    BRIDGE_CHECK(thrown);
}

BRIDGE_TEST_SYNC(locals_travel_to_a_plain_thread) {
    auto variable = make_variable();
    const auto locals = with_value(variable, 9);
    int plain = 0;
    std::thread([&] {
        plain =
            bridge::with_python(locals, [&] { return variable.get().attr("get")().cast<int>(); });
    }).join();
    BRIDGE_CHECK(plain == 9);
}

BRIDGE_TEST_SYNC(without_a_loop_the_error_names_the_ways_out) {
    auto text = std::async(std::launch::async, []() -> std::string {
        try {
            bridge::current_locals();
        } catch (const boost::system::system_error& error) {
            return error.code() == bridge::errc::no_event_loop ? error.what() : "another code";
        }
        return "nothing thrown";
    });
    const auto message = text.get();
    BRIDGE_CHECK(message.find("running loop") != message.npos);
    BRIDGE_CHECK(message.find("this_coro::executor") != message.npos);
    BRIDGE_CHECK(message.find("task_locals explicitly") != message.npos);
}

BRIDGE_TEST(a_crossing_takes_explicit_locals) {
    auto variable = make_variable();
    auto asked = bridge::with_gil([&] {
        return bridge::py_ref(
            bridge::to_python(with_value(variable, 3), ask(get_of(variable), true)));
    });
    BRIDGE_CHECK(co_await bridge::to_cpp<int>(std::move(asked)) == 3);
    auto hot = bridge::with_gil([&] {
        return bridge::py_ref(
            bridge::to_python_future(with_value(variable, 4), ask(get_of(variable), true)));
    });
    BRIDGE_CHECK(co_await bridge::to_cpp<int>(std::move(hot)) == 4);
    BRIDGE_CHECK(co_await bridge::call<int>(with_value(variable, 2), get_of(variable)) == 2);
}
