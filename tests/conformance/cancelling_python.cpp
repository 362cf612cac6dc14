// SPDX-License-Identifier: Apache-2.0
// C++ cancels Python, by || and && and signals, and waits for its end.
#include "native_work.hpp"

#include <bridge/harness/harness.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/use_future.hpp>

BRIDGE_SUITE("cancelling_python")

using namespace native_work;
using namespace boost::asio::experimental::awaitable_operators;
using bridge::to_cpp;

namespace {

// Functions of Python source text, and what they wrote into `seen`.
class python {
public:
    explicit python(const char* source) {
        reset_counts();
        scope_ = bridge::with_gil([&] {
            py::dict scope;
            scope["__builtins__"] = py::module_::import("builtins");
            scope["asyncio"] = py::module_::import("asyncio");
            scope["seen"] = py::list();
            scope["hop"] = py::cpp_function([] { return bridge::to_python(hop()); });
            py::exec(told_by, scope, scope);
            py::exec(R"(
async def slow_to_end():
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError as error:
        seen.append(f"cancelled{error.args}")
        await asyncio.sleep(0.001)
        await hop()
        seen.append("ended")
        raise

async def swallows():
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        seen.append("swallowed")
    return 5

async def quick():
    await asyncio.sleep(0)
    return 1

async def fails():
    await asyncio.sleep(0)
    raise KeyError("k")
)",
                     scope, scope);
            py::exec(source, scope, scope);
            return py_ref(std::move(scope));
        });
    }

    /// A new coroutine of the function.
    py_ref start(const char* name) const {
        return bridge::with_gil([&] { return py_ref(scope_.get()[name]()); });
    }

    py_ref get(const char* name) const {
        return bridge::with_gil([&] { return py_ref(scope_.get()[name]); });
    }

    std::string seen() const {
        return bridge::with_gil(
            [&] { return py::str(py::list(scope_.get()["seen"])).cast<std::string>(); });
    }

private:
    py_ref scope_;
};

asio::awaitable<int> at_once() {
    co_return 0;
}

} // namespace

BRIDGE_TEST(the_loser_of_or_is_awaited) {
    std::string seen = "[]";
    while (seen == "[]") { // it may be cancelled before it has begun
        const python p("");
        const auto winner =
            co_await (to_cpp<int>(p.start("quick")) || to_cpp<int>(p.start("slow_to_end")));
        BRIDGE_CHECK(winner.index() == 0U);
        seen = p.seen();
    }
    BRIDGE_CHECK(seen == "['cancelled()', 'ended']");
}

BRIDGE_TEST(a_native_time_out_ends_python_first) {
    std::string seen = "[]";
    for (auto time = std::chrono::milliseconds(5); seen == "[]"; time *= 2) {
        const python p("");
        const auto winner = co_await (to_cpp<int>(p.start("slow_to_end")) || sleep(time));
        BRIDGE_CHECK(winner.index() == 1U);
        seen = p.seen();
    }
    BRIDGE_CHECK(seen == "['cancelled()', 'ended']");
}

BRIDGE_TEST(native_work_that_loses_is_awaited_too) {
    const python p("");
    const auto winner = co_await (to_cpp<int>(p.start("quick")) || forever());
    BRIDGE_CHECK(winner.index() == 0U);
    BRIDGE_CHECK(begun.load() == 1);
    BRIDGE_CHECK(ended.load() == 1);
}

BRIDGE_TEST(what_is_cancelled_while_it_is_queued_to_start_ends_as_well) {
    const python p("");
    for (int i = 0; i < 100; ++i) {
        const auto winner = co_await (at_once() || to_cpp<int>(p.start("slow_to_end")));
        BRIDGE_CHECK(winner.index() == 0U);
    }
}

BRIDGE_TEST(a_loser_that_swallows_the_request_is_waited_for) {
    const python p("");
    const auto winner =
        co_await (to_cpp<int>(p.start("swallows")) || to_cpp<int>(p.start("quick")));
    BRIDGE_CHECK(winner.index() == 1U);
    BRIDGE_CHECK(p.seen() == "['swallowed']");
}

BRIDGE_TEST(both_of_and_give_their_values) {
    const python p("");
    const auto [left, right] =
        co_await (to_cpp<int>(p.start("quick")) && to_cpp<int>(p.start("quick")));
    BRIDGE_CHECK(left + right == 2);
}

BRIDGE_TEST(a_failure_in_and_cancels_and_awaits_the_other) {
    const python p("");
    bool failed = false;
    try {
        co_await (to_cpp<int>(p.start("fails")) && to_cpp<int>(p.start("slow_to_end")));
    } catch (const asio::multiple_exceptions& errors) { // Asio's: the other one was cancelled
        const auto first = bridge::with_gil(
            [&] { return py_ref(bridge::to_python_exception(errors.first_exception())); });
        failed = bridge::with_gil([&] { return py::isinstance(first.get(), PyExc_KeyError); });
    }
    BRIDGE_CHECK(failed);
    BRIDGE_CHECK(p.seen() == "['cancelled()', 'ended']");
}

BRIDGE_TEST(and_inside_or) {
    const python p("");
    const auto winner =
        co_await ((to_cpp<int>(p.start("slow_to_end")) && to_cpp<int>(p.start("slow_to_end"))) ||
                  to_cpp<int>(p.start("quick")));
    BRIDGE_CHECK(winner.index() == 1U);
    BRIDGE_CHECK(p.seen() == "['cancelled()', 'cancelled()', 'ended', 'ended']");
}

BRIDGE_TEST_SYNC(a_cancellation_signal_of_one_operation) {
    const python p("");
    const auto locals = bridge::current_locals();
    asio::cancellation_signal signal;
    const auto on = bridge::default_runtime().make_executor(locals);
    auto result = asio::co_spawn(on, to_cpp<int>(locals, p.start("slow_to_end")),
                                 asio::bind_cancellation_slot(signal.slot(), asio::use_future));
    asio::post(on, [&] { signal.emit(asio::cancellation_type::terminal); });
    BRIDGE_CHECK_THROWS(boost::system::system_error, result.get());
    BRIDGE_CHECK(p.seen() == "[]" || p.seen() == "['cancelled()', 'ended']");
}

BRIDGE_TEST_SYNC(a_signal_that_python_swallows_gives_its_value) {
    const python p(R"(
begun = asyncio.Event()
async def swallows_and_says():
    begun.set()
    return await swallows()
async def is_begun():
    await begun.wait()
)");
    const auto locals = bridge::current_locals();
    // Shared: the second request may come when the operation has ended.
    const auto signal = std::make_shared<asio::cancellation_signal>();
    const auto on = bridge::default_runtime().make_executor(locals);
    auto result = asio::co_spawn(on, to_cpp<int>(locals, p.start("swallows_and_says")),
                                 asio::bind_cancellation_slot(signal->slot(), asio::use_future));
    to_cpp<void>(locals, p.start("is_begun"), asio::use_future).get();
    for (int i = 0; i < 2; ++i) // a second request on the way does no harm
        asio::post(on, [signal] { signal->emit(asio::cancellation_type::terminal); });
    BRIDGE_CHECK(result.get() == 5);
}

BRIDGE_TEST(a_task_cancelled_in_python_arrives_as_operation_aborted) {
    const python p(R"(
async def victim():
    asyncio.get_running_loop().call_soon(asyncio.current_task().cancel, "why")
    await asyncio.Event().wait()
)");
    std::string seen;
    try {
        // In a task of its own, which it cancels.
        co_await asio::co_spawn(co_await asio::this_coro::executor, to_cpp<void>(p.start("victim")),
                                asio::use_awaitable);
    } catch (const bridge::python_cancelled& error) {
        BRIDGE_CHECK(is_cancellation(error));
        seen = error.what();
    }
#if PY_VERSION_HEX >= 0x030B0000 // asyncio's tasks lost the message before
    BRIDGE_CHECK(seen.find("CancelledError: why") != std::string::npos);
#endif
}

BRIDGE_TEST(a_request_of_python_goes_through_or_to_both_sides) {
    const python p(R"(
async def main(native):
    task = asyncio.create_task(native())
    for _ in range(20):
        await asyncio.sleep(0)
    await hop()
    await hop()
    task.cancel("down")
    try:
        await task
    except asyncio.CancelledError as error:
        seen.append(f"main{told_by(error).args}")
)");
    auto main = bridge::with_gil([&] {
        auto native = py::cpp_function([&p] {
            return bridge::to_python([](const python* of) -> asio::awaitable<void> {
                co_await (to_cpp<int>(of->start("slow_to_end")) ||
                          to_cpp<int>(of->start("slow_to_end")));
            }(&p));
        });
        return py_ref(p.get("main").get()(native));
    });
    co_await to_cpp<void>(std::move(main));
    BRIDGE_CHECK(p.seen() == "[\"cancelled('down',)\", \"cancelled('down',)\", 'ended', 'ended', "
                             "\"main('down',)\"]");
}

BRIDGE_TEST(a_future_that_both_sides_await_is_cancelled_by_the_first) {
    const python p("");
    auto future = bridge::with_gil([] {
        return py_ref(
            py::module_::import("asyncio").attr("get_running_loop")().attr("create_future")());
    });
    auto second = bridge::with_gil([&] { return future.clone(); });
    auto shared = bridge::with_gil([&] { return future.clone(); });
    const auto winner = co_await (hop() || to_cpp<py_ref>(std::move(future)));
    BRIDGE_CHECK(winner.index() == 0U);
    BRIDGE_CHECK(bridge::with_gil([&] { return second.get().attr("cancelled")().cast<bool>(); }));
    BRIDGE_CHECK_THROWS(bridge::python_cancelled, co_await to_cpp(std::move(shared)));
}

BRIDGE_TEST(a_shielded_future_survives_the_loser) {
    const python p(R"(
async def shielded(future):
    return await asyncio.shield(future)
)");
    auto future = bridge::with_gil([] {
        return py_ref(
            py::module_::import("asyncio").attr("get_running_loop")().attr("create_future")());
    });
    auto waiter = bridge::with_gil([&] { return py_ref(p.get("shielded").get()(future.get())); });
    const auto winner = co_await (hop() || to_cpp<int>(std::move(waiter)));
    BRIDGE_CHECK(winner.index() == 0U);
    BRIDGE_CHECK(bridge::with_gil([&] { return !future.get().attr("done")().cast<bool>(); }));
}
