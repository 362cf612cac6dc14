// SPDX-License-Identifier: Apache-2.0
// The end of a stream that C++ consumes: closed, dropped, cancelled, or by its own failure.
#include "streams.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

BRIDGE_SUITE("streams_closing")

using namespace streams;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

// What next() gives when it is resumed by the end.
asio::awaitable<bool> has_next(bridge::stream<int>& items) {
    co_return (co_await items.next()).has_value();
}

asio::awaitable<void> take_one(py_ref iterable, std::size_t buffer) {
    auto items = to_cpp_stream<int>(std::move(iterable), {.buffer = buffer});
    co_await items.next();
}

} // namespace

BRIDGE_TEST(a_dropped_stream_runs_its_clean_up_without_the_garbage_collector, tags("I6")) {
    const source python("gc.disable()\n"
                        "number = contextvars.ContextVar('number')\n"
                        "async def clean():\n"
                        "  await turns()\n"
                        "  seen.append((asyncio.get_running_loop() is loop, number.get()))\n"
                        "async def main():\n"
                        "  global loop\n"
                        "  loop = asyncio.get_running_loop()\n"
                        "  number.set(7)\n"
                        "  await drop(closing(9, clean))\n"
                        "  gc.enable()");
    python.define("drop", [](const py::object& iterable) {
        return bridge::to_python(take_one(py_ref(iterable), 3));
    });
    co_await python.run("main()");
    BRIDGE_CHECK(python.text("seen") == "[(True, 7), 'closed']");
}

BRIDGE_TEST(the_end_of_a_run_waits_for_the_clean_up_of_dropped_streams, tags("I6")) {
    const source python("async def begin():\n"
                        "  await drop(closing(9))\n"
                        "def main(loop):\n"
                        "  loop.run_until_complete(begin())");
    // Dropped by a thread that no crossing runs on: nobody but the end of the run waits.
    python.define("drop", [](const py::object& iterable) {
        return bridge::to_python([](py_ref of) -> asio::awaitable<void> {
            auto items = to_cpp_stream<int>(std::move(of));
            co_await items.next();
            std::thread([gone = std::move(items)] {}).join();
        }(py_ref(iterable)));
    });
    co_await python.run("asyncio.to_thread(run_in_new_loop, main)");
    BRIDGE_CHECK(python.text("seen") == "['closed']");
}

BRIDGE_TEST(close_returns_after_the_clean_up_and_throws_what_that_raised, tags("I7")) {
    const source python("async def fail():\n"
                        "  await turns()\n"
                        "  raise ValueError('in clean-up')");
    auto items = to_cpp_stream<int>(python.value("closing(9)"));
    BRIDGE_CHECK(co_await items.next() == 0);
    co_await items.close();
    BRIDGE_CHECK(python.text("seen") == "['closed']");
    BRIDGE_CHECK(!co_await items.next());
    co_await items.close();
    auto failing = to_cpp_stream<int>(python.value("closing(9, fail)"), {.buffer = 4});
    BRIDGE_CHECK(co_await failing.next() == 0);
    BRIDGE_CHECK(co_await failure_of(failing.close()) == "ValueError: in clean-up");
    co_await failing.close();
}

BRIDGE_TEST(after_a_bare_destructor_that_reaches_the_exception_handler_once, tags("I7")) {
    const source python("async def fail():\n"
                        "  await turns()\n"
                        "  raise ValueError('in clean-up')\n"
                        "async def failing():\n"
                        "  yield 1\n"
                        "  raise ValueError('unseen')");
    co_await python.run("do(catch_failures)");
    co_await take_one(python.value("closing(9, fail)"), 0);
    co_await python.run("until(lambda: failures)");
    co_await take_one(python.value("failing()"), 8);
    co_await python.run("until(lambda: len(failures) > 1)");
    co_await python.run("turns(50)");
    co_await python.run("do(lambda: asyncio.get_running_loop().set_exception_handler(None))");
    BRIDGE_CHECK(python.text("failures") ==
                 "[('closing an async iterator that C++ no longer reads has failed', "
                 "\"ValueError('in clean-up')\"), "
                 "('an async iterator that C++ no longer reads has failed', "
                 "\"ValueError('unseen')\")]");
}

BRIDGE_TEST(close_ends_a_pending_next_and_then_the_generator, tags("I8")) {
    for (const auto buffer : buffers) {
        const source python("async def late():\n"
                            "  try:\n"
                            "    await raised.wait()\n"
                            "    yield 1\n"
                            "  except asyncio.CancelledError:\n"
                            "    seen.append('cancelled')\n"
                            "    raise\n"
                            "  finally:\n"
                            "    await turns()\n"
                            "    seen.append('closed')\n"
                            "async def deaf():\n"
                            "  for i in range(9):\n"
                            "    try:\n"
                            "      await asyncio.sleep(3600)\n"
                            "    except asyncio.CancelledError:\n"
                            "      seen.append('deaf')\n"
                            "    yield i");
        static constexpr const char* kinds[] = {"late()", "deaf()"};
        for (const auto* which : kinds) {
            auto items = to_cpp_stream<int>(python.value(which), {.buffer = buffer});
            const auto close = [](bridge::stream<int>& of,
                                  const source& by) -> asio::awaitable<void> {
                co_await by.run("turns()");
                co_await of.close();
            };
            BRIDGE_CHECK(!co_await (has_next(items) && close(items, python)));
        }
        BRIDGE_CHECK(python.text("seen") == "['cancelled', 'closed', 'deaf']");
    }
}

BRIDGE_TEST(an_iterator_without_aclose_is_dropped_silently, tags("I14")) {
    const source python("class Plain:\n"
                        "  def __aiter__(self): return self\n"
                        "  async def __anext__(self):\n"
                        "    await asyncio.sleep(0)\n"
                        "    return 1\n"
                        "  def __del__(self): seen.append('gone')\n"
                        "async def plain(): return Plain()");
    // Made by the loop's thread: without a GIL an object dies when its maker next runs Python.
    const auto make = [&] { return bridge::to_cpp<py_ref>(python.value("plain()")); };
    co_await take_one(co_await make(), 0);
    co_await python.run("until(lambda: len(seen) == 1)");
    auto items = to_cpp_stream<int>(co_await make(), {.buffer = 4});
    BRIDGE_CHECK(co_await items.next() == 1);
    co_await items.close();
    co_await python.run("until(lambda: len(seen) == 2)");
}

BRIDGE_TEST(a_generator_that_yields_in_its_clean_up_is_told_as_by_python, tags("I16")) {
    const source python("async def stubborn():\n"
                        "  while True:\n"
                        "    try:\n"
                        "      yield 1\n"
                        "    except GeneratorExit:\n"
                        "      yield 2\n"
                        "      return");
    auto items = to_cpp_stream<int>(python.value("stubborn()"));
    BRIDGE_CHECK(co_await items.next() == 1);
    BRIDGE_CHECK(co_await failure_of(items.close()) ==
                 "RuntimeError: async generator ignored GeneratorExit");
    BRIDGE_CHECK(!co_await items.next());
}

BRIDGE_TEST(close_ends_at_its_deadline_and_names_the_line_that_is_stuck, tags("I17")) {
    const source python("async def stuck():\n"
                        "  await raised.wait()\n");
    auto items = to_cpp_stream<int>(python.value("closing(9, stuck)"));
    BRIDGE_CHECK(co_await items.next() == 0);
    std::string said;
    try {
        co_await items.close(5ms);
    } catch (const boost::system::system_error& error) {
        BRIDGE_CHECK(error.code() == asio::error::timed_out);
        said = error.what();
    }
    BRIDGE_CHECK(contains(said, "it goes on, and waits in"));
    BRIDGE_CHECK(contains(said, "at <string>:2") || contains(said, "wait at "));
    BRIDGE_INFO(said);
    co_await python.run("do(raised.set)");
    co_await items.close();
    BRIDGE_CHECK(python.text("seen") == "['closed']");
}

BRIDGE_TEST(a_cancelled_crossing_ends_after_the_generator_that_it_owns, tags("I22")) {
    const source python("async def main():\n"
                        "  for turns_before in range(30):\n"
                        "    seen.clear()\n"
                        "    task = asyncio.create_task(consume(closing(10**9)))\n"
                        "    await turns(turns_before)\n"
                        "    task.cancel()\n"
                        "    try:\n"
                        "      await task\n"
                        "      results.append('not cancelled')\n"
                        "    except asyncio.CancelledError:\n"
                        "      pass\n"
                        "    results.append(tuple(seen))\n"
                        "results = []");
    python.define("consume", [](const py::object& iterable) {
        return bridge::to_python([](py_ref of) -> asio::awaitable<void> {
            auto items = to_cpp_stream<int>(std::move(of), {.buffer = 2});
            for (;;)
                if (co_await items.next() == 5)
                    co_await native_work::sleep(1h);
        }(py_ref(iterable)));
    });
    co_await python.run("main()");
    BRIDGE_CHECK(python.text("results[-1]") == "('closed',)");
    BRIDGE_CHECK(python.text("set(results) <= {(), ('closed',)}") == "True");
}

BRIDGE_TEST(a_hot_crossing_that_just_returns_ends_after_the_generator_too, tags("I22")) {
    const source python("");
    python.define("consume", [](const py::object& iterable) {
        return bridge::to_python_future(take_one(py_ref(iterable), 4));
    });
    co_await python.run("consume(closing(10))");
    BRIDGE_CHECK(python.text("seen") == "['closed']");
}

BRIDGE_TEST(a_task_of_the_stream_that_somebody_cancels_ends_it_as_cancelled) {
    for (const auto buffer : buffers) {
        const source python("def cancel_others():\n"
                            "  [t.cancel() for t in asyncio.all_tasks() if "
                            "type(t.get_coro()).__name__ == 'stream']\n");
        auto items = to_cpp_stream<int>(python.value("closing(9)"), {.buffer = buffer});
        BRIDGE_CHECK(co_await items.next() == 0);
        co_await python.run("turns()");
        co_await python.run("do(cancel_others)");
        co_await python.run("until(lambda: seen)");
        boost::system::error_code code;
        try {
            while (co_await items.next())
                continue;
        } catch (const boost::system::system_error& error) {
            code = error.code();
        }
        BRIDGE_CHECK(code == asio::error::operation_aborted);
        co_await items.close();
        BRIDGE_CHECK(python.text("seen") == "['closed']");
    }
}
