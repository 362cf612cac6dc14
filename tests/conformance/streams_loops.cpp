// SPDX-License-Identifier: Apache-2.0
// A stream that C++ consumes and its loop: context, tasks, what may be awaited, the loop's end.
#include "streams.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <future>
#include <thread>

BRIDGE_SUITE("streams_loops")

using namespace streams;
using namespace std::chrono_literals;

namespace {

// consume(iterable): a coroutine that takes all items and gives how that ended.
void define_consume(const source& python) {
    python.define("consume", [](const py::object& iterable) {
        return bridge::to_python([](py_ref of) -> asio::awaitable<std::string> {
            auto items = to_cpp_stream<int>(std::move(of));
            int sum = 0;
            try {
                while (auto item = co_await items.next())
                    sum += *item;
            } catch (const std::exception& error) {
                co_return error.what();
            }
            co_return std::to_string(sum);
        }(py_ref(iterable)));
    });
}

} // namespace

BRIDGE_TEST(context_variables_reach_the_body_and_stay_there, tags("I11")) {
    const source python("number = contextvars.ContextVar('number')\n"
                        "async def numbers():\n"
                        "  for i in range(4):\n"
                        "    yield number.get()\n"
                        "    await asyncio.sleep(0)\n"
                        "    number.set(number.get() + 1)\n"
                        "async def main():\n"
                        "  number.set(7)\n"
                        "  return await consume(numbers())");
    define_consume(python);
    const auto sum = co_await bridge::to_cpp<std::string>(python.value("main()"));
    BRIDGE_CHECK(sum == std::to_string(7 + 8 + 9 + 10));
}

BRIDGE_TEST(all_steps_have_one_current_task, tags("I12")) {
    for (const auto buffer : buffers) {
        const source python("async def tasks():\n"
                            "  try:\n"
                            "    for i in range(9):\n"
                            "      seen.append(id(asyncio.current_task()))\n"
                            "      yield i\n"
                            "      await asyncio.sleep(0)\n"
                            "  finally:\n"
                            "    seen.append(id(asyncio.current_task()))");
        auto items = to_cpp_stream<int>(python.value("tasks()"), {.buffer = buffer});
        for (int i = 0; i < 5; ++i)
            BRIDGE_CHECK(co_await items.next() == i);
        co_await items.close();
        BRIDGE_CHECK(python.text("len(set(seen))") == "1");
    }
}

BRIDGE_TEST(time_outs_and_task_groups_around_a_yield_work, tags("I12")) {
    if (PY_VERSION_HEX < 0x030B0000)
        BRIDGE_SKIP("asyncio.timeout and TaskGroup came with Python 3.11");
    const source python("async def guarded():\n"
                        "  async with asyncio.TaskGroup() as group:\n"
                        "    task = group.create_task(turns())\n"
                        "    yield 1\n"
                        "    async with asyncio.timeout(3600):\n"
                        "      yield 2\n"
                        "    await task\n"
                        "    try:\n"
                        "      async with asyncio.timeout(0):\n"
                        "        await asyncio.sleep(3600)\n"
                        "    except TimeoutError:\n"
                        "      yield 3\n"
                        "async def failing():\n"
                        "  async with asyncio.TaskGroup() as group:\n"
                        "    group.create_task(fail())\n"
                        "    await asyncio.sleep(3600)\n"
                        "    yield 1\n"
                        "async def fail():\n"
                        "  raise ValueError('child')");
    auto items = to_cpp_stream<int>(python.value("guarded()"));
    BRIDGE_CHECK(co_await all_of(items) == "1 2 3");
    auto others = to_cpp_stream<int>(python.value("failing()"));
    BRIDGE_CHECK(contains(co_await failure_of(others.next()), "unhandled errors in a TaskGroup"));
}

BRIDGE_TEST(what_is_no_async_iterable_is_refused_by_the_name_of_its_type, tags("I13")) {
    const source python("class NoIterator:\n"
                        "  def __aiter__(self): return 7\n"
                        "class NoAwaitable:\n"
                        "  def __aiter__(self): return self\n"
                        "  def __anext__(self): return 'text'");
    const auto refused = [&](const char* what) {
        auto items = std::make_unique<bridge::stream<int>>(to_cpp_stream<int>(python.value(what)));
        return [](auto of) -> asio::awaitable<std::string> {
            auto said = co_await failure_of(of->next());
            co_await of->close();
            co_return said;
        }(std::move(items));
    };
    BRIDGE_CHECK(co_await refused("[1]") ==
                 "TypeError: to_cpp_stream: a 'list' object cannot be iterated with `async for`: "
                 "it has no __aiter__(); pass an async generator or an object that has one");
    BRIDGE_CHECK(co_await refused("NoIterator()") ==
                 "TypeError: to_cpp_stream: __aiter__() of a 'NoIterator' object gave a 'int', "
                 "which is not an async iterator: it has no __anext__()");
    BRIDGE_CHECK(co_await refused("NoAwaitable()") ==
                 "TypeError: to_cpp_stream: __anext__() of a 'NoAwaitable' object gave a 'str', "
                 "which cannot be awaited");
}

BRIDGE_TEST(anext_may_give_any_awaitable_of_this_loop, tags("I15")) {
    const source python("class Giving:\n"
                        "  def __init__(self, *awaitables): self.left = list(awaitables)\n"
                        "  def __aiter__(self): return self\n"
                        "  def __anext__(self):\n"
                        "    if not self.left: raise StopAsyncIteration\n"
                        "    return self.left.pop(0)()\n"
                        "  async def aclose(self): seen.append('closed')\n"
                        "def future(value, settle=lambda call, value: call(value)):\n"
                        "  made = asyncio.get_running_loop().create_future()\n"
                        "  settle(made.set_result, value)\n"
                        "  return made\n"
                        "def done(value): return lambda: future(value)\n"
                        "def later(value):\n"
                        "  return lambda: future(value, asyncio.get_running_loop().call_soon)\n"
                        "def foreign():\n"
                        "  global other\n"
                        "  other = type(asyncio.get_running_loop())()\n"
                        "  return other.create_future()");
    python.define("ours", [] { return bridge::to_python(native_work::hop()); });
    python.define("hot", [] { return bridge::to_python_future(native_work::hop()); });
    auto items =
        to_cpp_stream<int>(python.value("Giving(done(1), later(2), ours, hot, turns, done(5))"));
    static constexpr int all[] = {1, 2, 1, 1};
    for (const int expected : all)
        BRIDGE_CHECK(co_await items.next() == expected);
    BRIDGE_CHECK(contains(co_await failure_of(items.next()), "item 4 is a 'NoneType'"));
    co_await items.close();
    auto others = to_cpp_stream<int>(python.value("Giving(done(1), foreign, done(2))"));
    BRIDGE_CHECK(co_await others.next() == 1);
    BRIDGE_CHECK(contains(co_await failure_of(others.next()), "attached to a different loop"));
    BRIDGE_CHECK(!co_await others.next());
    co_await others.close();
    python.text("other.close()");
    BRIDGE_CHECK(python.text("seen") == "['closed', 'closed']");
}

BRIDGE_TEST(keyboard_interrupt_in_the_body_ends_the_loop_and_settles_next, tags("I5")) {
    static constexpr const char* kinds[] = {"KeyboardInterrupt", "SystemExit"};
    for (const auto* kind : kinds) {
        const source python(std::string("async def interrupted():\n"
                                        "  yield 1\n"
                                        "  raise ") +
                            kind +
                            "('now')\n"
                            "def main(loop):\n"
                            "  catch_failures(loop)\n"
                            "  task = loop.create_task(consume(interrupted()))\n"
                            "  try:\n"
                            "    loop.run_until_complete(task)\n"
                            "  except BaseException as error:\n"
                            "    seen.append(type(error).__name__)\n"
                            "  seen.append(loop.run_until_complete(task))");
        define_consume(python);
        co_await python.run("asyncio.to_thread(run_in_new_loop, main)");
        const std::string name = kind;
        BRIDGE_CHECK(python.text("seen") == "['" + name + "', '" + name + ": now']");
    }
}

BRIDGE_TEST(next_is_told_when_its_loop_is_closed, tags("I18")) {
    const source python("async def never():\n"
                        "  await asyncio.sleep(3600)\n"
                        "  yield 1\n"
                        "def main():\n"
                        "  loop = kind()\n"
                        "  loop.run_until_complete(begin())\n"
                        "  loop.close()\n"
                        "async def begin():\n"
                        "  start(never())\n"
                        "  await turns(50)");

    struct told {
        std::promise<std::string> pending, later;
    };

    const auto says = std::make_shared<told>(); // the coroutine may outlive the body
    static auto& threads = *new bridge::runtime({.threads = 1});
    python.define("start", [says](const py::object& iterable) {
        auto locals = bridge::task_locals::with_running_loop();
        auto items =
            std::make_shared<bridge::stream<int>>(to_cpp_stream<int>(locals, py_ref(iterable)));
        asio::co_spawn(
            threads.make_executor(locals),
            [](auto of, auto to) -> asio::awaitable<void> {
                to->pending.set_value(co_await failure_of(of->next()));
                to->later.set_value(co_await failure_of(of->close()));
            }(items, says),
            asio::detached);
    });
    co_await python.run("asyncio.to_thread(main)");
    auto first = says->pending.get_future(), second = says->later.get_future();
    BRIDGE_REQUIRE(first.wait_for(30s) == std::future_status::ready);
    BRIDGE_CHECK(contains(first.get(), "the event loop was closed"));
    BRIDGE_REQUIRE(second.wait_for(30s) == std::future_status::ready);
    BRIDGE_CHECK(contains(second.get(), "the event loop was closed"));
}

BRIDGE_TEST(the_loops_hooks_know_the_generator_and_it_is_closed_once, tags("I23")) {
    const source python("begun = []\n"
                        "def main(loop):\n"
                        "  loop.run_until_complete(begin())\n"
                        "async def begin():\n"
                        "  first, last = sys.get_asyncgen_hooks()\n"
                        "  def began(generator):\n"
                        "    begun.append(generator.__name__)\n"
                        "    first(generator)\n"
                        "  sys.set_asyncgen_hooks(began, last)\n"
                        "  hold(closing(9))\n"
                        "  await until(lambda: begun)\n"
                        "  await turns()\n"
                        "  if by == 'loop':\n"
                        "    await asyncio.get_running_loop().shutdown_asyncgens()\n"
                        "  elif by == 'us':\n"
                        "    drop()\n"
                        "    await until(lambda: seen)\n");
    static constexpr const char* ways[] = {"loop", "us", "run"};
    for (const auto* by : ways) {
        std::optional<bridge::stream<int>> held;
        define_hold(python, held);
        python.define("drop", [&] { held.reset(); });
        bridge::with_gil([&] { python.value("globals()").get()["by"] = by; });
        python.text("(seen.clear(), begun.clear())");
        co_await python.run("asyncio.to_thread(run_in_new_loop, main)");
        held.reset();
        BRIDGE_CHECK(python.text("(begun, seen)") == "(['closing'], ['closed'])");
    }
}

BRIDGE_TEST(a_base_exception_in_clean_up_at_the_loops_end_is_reported, tags("I24")) {
    const source python("class Odd(BaseException): pass\n"
                        "async def odd():\n"
                        "  raise Odd('at the end')\n"
                        "def main(loop):\n"
                        "  catch_failures(loop)\n"
                        "  loop.run_until_complete(begin())\n"
                        "async def begin():\n"
                        "  hold(closing(9, odd))\n"
                        "  await turns()");
    std::optional<bridge::stream<int>> held;
    define_hold(python, held);
    co_await python.run("asyncio.to_thread(run_in_new_loop, main)");
    held.reset();
    BRIDGE_CHECK(python.text("failures") ==
                 "[('closing an async iterator whose Task was cancelled has failed', "
                 "\"Odd('at the end')\")]");
}
