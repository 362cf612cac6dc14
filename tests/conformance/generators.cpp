// SPDX-License-Identifier: Apache-2.0
// C++ coroutines that yield, as Python iterates them: what tests/differential cannot see.
#include "streams.hpp"

#include <pybind11/stl.h>

#include <atomic>
#include <thread>

BRIDGE_SUITE("generators")

using namespace streams;
using namespace std::chrono_literals;
using native_work::life;

namespace {

// What a coroutine takes by value and holds until its frame is gone.
using token = std::shared_ptr<life>;

bridge::generator<int> held(token) {
    const life local;
    for (int i = 0;; ++i)
        co_yield i;
}

bridge::generator<int> sleeping() {
    co_yield 1;
    const life local;
    co_await native_work::sleep(1h);
}

bridge::generator<int> slow_to_close() {
    try {
        co_yield 1;
    } catch (const boost::system::system_error&) {
    }
    const life local;
    co_await native_work::sleep(1h);
}

bridge::generator<int> failing() {
    co_yield 1;
    throw std::invalid_argument("in C++");
}

std::atomic<int> arrived{0};

// While the loop stands still, so that an item from another thread is there before the loop knows;
// not for long, as it may have been there before.
void wait_for_arrival(int before) {
    bridge::without_gil([before] {
        const auto end = std::chrono::steady_clock::now() + 1ms;
        while (arrived.load() == before && std::chrono::steady_clock::now() < end)
            std::this_thread::yield();
    });
}

// Each item comes through the executor's queue, so that a request may come at the same time.
bridge::generator<int> hopping() {
    for (int i = 0;; ++i) {
        bool has_hopped = false;
        while (!has_hopped) {
            try {
                co_await native_work::post();
                has_hopped = true;
            } catch (const boost::system::system_error&) {
            }
            co_await asio::this_coro::reset_cancellation_state(
                asio::enable_terminal_cancellation());
        }
        arrived.store(i + 1);
        co_yield i;
    }
}

bridge::generator<int> failing_late() {
    co_await native_work::post();
    throw std::invalid_argument("in C++");
    co_yield 1;
}

bridge::generator<int> asking_itself(py_ref box) {
    co_yield 1;
    co_await bridge::to_cpp<void>(
        bridge::with_gil([&] { return py_ref(box.get()[py::int_(0)].attr("__anext__")()); }));
}

// Names for the source text.
void define_all(const source& python) {
    python.define("held", [] { return bridge::to_python(held(std::make_shared<life>())); });
    python.define("sleeping", [] { return bridge::to_python(sleeping()); });
    python.define("slow_to_close", [] { return bridge::to_python(slow_to_close()); });
    python.define("failing", [] { return bridge::to_python(failing()); });
    python.define("failing_late", [] { return bridge::to_python(failing_late()); });
    python.define("hopping", [] { return bridge::to_python(hopping()); });
    python.define("asking_itself", [](const py::object& box) {
        return bridge::to_python(asking_itself(py_ref(box)));
    });
    python.define("wait_for_arrival", &wait_for_arrival);
    python.define("arrived", [] { return arrived.load(); });
    python.define("lives", &lives);
}

asio::awaitable<std::string> run(const char* text) {
    co_return co_await run_main(text, &define_all);
}

} // namespace

BRIDGE_TEST(closing_an_unbegun_one_runs_no_body_and_destroys_the_arguments, tags("O4")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  generator = held()\n"
                              "  await generator.aclose()\n"
                              "  return lives()") == "1 begun, 1 ended");
}

BRIDGE_TEST(an_unbegun_one_that_is_dropped_goes_silently, tags("O4")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  held()\n"
                              "  return lives()") == "1 begun, 1 ended");
}

BRIDGE_TEST(every_destructor_has_run_when_aclosing_ends, tags("O7")) {
    BRIDGE_CHECK(co_await run("import contextlib\n"
                              "async def main():\n"
                              "  async with contextlib.aclosing(held()) as generator:\n"
                              "    async for i in generator:\n"
                              "      if i == 3: break\n"
                              "  return lives()") == "2 begun, 2 ended");
}

BRIDGE_TEST(a_dropped_one_is_unwound_through_the_loops_hook, tags("O6")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  generator = held()\n"
                              "  await generator.__anext__()\n"
                              "  del generator\n"
                              "  await until(lambda: lives() == '2 begun, 2 ended')\n"
                              "  return 'gone'") == "gone");
}

BRIDGE_TEST(a_half_consumed_one_in_a_cycle_is_collected, tags("O19")) {
    BRIDGE_CHECK(co_await run("class Owner: pass\n"
                              "async def main():\n"
                              "  owner = Owner()\n"
                              "  owner.itself, owner.generator = owner, held()\n"
                              "  await owner.generator.__anext__()\n"
                              "  del owner\n"
                              "  before = lives()\n"
                              "  gc.collect()\n"
                              "  await until(lambda: lives() == '2 begun, 2 ended')\n"
                              "  return before") == "2 begun, 0 ended");
}

// What Python's own does not do: gh-117536.
BRIDGE_TEST(one_collected_when_the_loop_is_ending_is_closed, tags("O21")) {
    BRIDGE_CHECK(
        co_await run_main("def end():\n"
                          "  loop = kind()\n"
                          "  catch_failures(loop)\n"
                          "  kept = [held()]\n"
                          "  async def main():\n"
                          "    await kept[0].__anext__()\n"
                          "  loop.run_until_complete(main())\n"
                          "  asyncio.runners._cancel_all_tasks(loop)\n"
                          "  kept.clear()\n"
                          "  gc.collect()\n"
                          "  loop.run_until_complete(loop.shutdown_asyncgens())\n"
                          "  loop.close()\n"
                          "  gc.collect()\n"
                          "  return lives() + str(failures)\n"
                          "async def main():\n"
                          "  return await asyncio.get_running_loop().run_in_executor(None, end)",
                          &define_all) == "2 begun, 2 ended[]");
}

BRIDGE_TEST(its_frame_is_where_it_yields, tags("O23")) {
    BRIDGE_CHECK(co_await run("import io\n"
                              "async def main():\n"
                              "  generator = sleeping()\n"
                              "  seen = [generator.ag_frame]\n"
                              "  await generator.__anext__()\n"
                              "  seen.append(generator.ag_frame.f_code.co_name)\n"
                              "  async def step():\n"
                              "    await generator.__anext__()\n"
                              "  task = asyncio.create_task(step())\n"
                              "  await until(lambda: lives() == '1 begun, 0 ended')\n"
                              "  if hasattr(asyncio, 'print_call_graph'):\n"
                              "    out = io.StringIO()\n"
                              "    asyncio.print_call_graph(task, file=out)\n"
                              "    assert 'step' in out.getvalue(), out.getvalue()\n"
                              "  task.cancel()\n"
                              "  await asyncio.wait([task])\n"
                              "  seen.append(generator.ag_frame)\n"
                              "  return str(seen)") == "[None, 'sleeping', None]");
}

BRIDGE_TEST(cancelling_aclose_is_not_taken_for_its_end, tags("O3", "O8")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  generator = slow_to_close()\n"
                              "  await generator.__anext__()\n"
                              "  async def close():\n"
                              "    await generator.aclose()\n"
                              "  task = asyncio.create_task(close())\n"
                              "  await until(lambda: lives() == '1 begun, 0 ended')\n"
                              "  task.cancel()\n"
                              "  await asyncio.wait([task])\n"
                              "  return str((task.cancelled(), lives()))") ==
                 "(True, '1 begun, 1 ended')");
}

BRIDGE_TEST(what_a_cancelled_step_waits_for_is_cancelled, tags("O8", "O19")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  generator = sleeping()\n"
                              "  await generator.__anext__()\n"
                              "  task = asyncio.ensure_future(generator.__anext__())\n"
                              "  await until(lambda: lives() == '1 begun, 0 ended')\n"
                              "  task.cancel()\n"
                              "  await asyncio.wait([task])\n"
                              "  ends = [task.cancelled(), lives()]\n"
                              "  async for i in generator: ends.append(i)\n"
                              "  return str(ends)") == "[True, '1 begun, 1 ended']");
}

BRIDGE_TEST(a_cpp_exception_arrives_translated_with_its_frames, tags("O14")) {
    BRIDGE_CHECK(co_await run("import traceback\n"
                              "async def main():\n"
                              "  generator = failing()\n"
                              "  ends = [await generator.__anext__()]\n"
                              "  try:\n"
                              "    await generator.__anext__()\n"
                              "  except ValueError as error:\n"
                              "    frames = traceback.extract_tb(error.__traceback__)\n"
                              "    ends += [str(error), frames[-1].name]\n"
                              "  async for i in generator: ends.append(i)\n"
                              "  return str(ends)") == "[1, 'in C++', 'failing']");
}

BRIDGE_TEST(it_is_an_async_generator_to_everyone_who_asks, tags("O22")) {
    BRIDGE_CHECK(co_await run("import collections.abc, weakref\n"
                              "async def main():\n"
                              "  first, last = sys.get_asyncgen_hooks()\n"
                              "  known = []\n"
                              "  sys.set_asyncgen_hooks(firstiter=known.append)\n"
                              "  generator = held()\n"
                              "  before = list(known)\n"
                              "  await generator.__anext__()\n"
                              "  await generator.__anext__()\n"
                              "  sys.set_asyncgen_hooks(first, last)\n"
                              "  is_one = isinstance(generator, collections.abc.AsyncGenerator)\n"
                              "  told = before == [] and known == [generator]\n"
                              "  known.clear()\n"
                              "  await generator.aclose()\n"
                              "  gone = weakref.ref(generator)\n"
                              "  del generator\n"
                              "  return str((is_one, told, gone() is None))") ==
                 "(True, True, True)");
}

BRIDGE_TEST(a_body_that_asks_itself_is_refused, tags("O24")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  box = []\n"
                              "  box.append(asking_itself(box))\n"
                              "  await box[0].__anext__()\n"
                              "  try:\n"
                              "    await box[0].__anext__()\n"
                              "  except RuntimeError as error:\n"
                              "    return str(error)") ==
                 "anext(): asynchronous generator is already running");
}

namespace {

// A step that is cancelled when its outcome is there and before it has taken it.
constexpr const char* cancelled_late = R"(
async def cancel_late(generator):
    step = generator.__anext__()
    future = step.send(None)
    future._asyncio_future_blocking = False
    is_there = asyncio.Event()
    future.add_done_callback(lambda _: is_there.set())
    await is_there.wait()
    try:
        step.throw(asyncio.CancelledError("late"))
    except asyncio.CancelledError as error:
        return error.args[0]
async def outcome(awaitable):
    try:
        return await awaitable
    except Exception as error:
        return repr(error)
)";

asio::awaitable<std::string> run_late(const char* text) {
    co_return co_await run((std::string(cancelled_late) + text).c_str());
}

} // namespace

BRIDGE_TEST(what_a_cancelled_step_has_not_taken_is_the_next_ones, tags("O9")) {
    BRIDGE_CHECK(
        co_await run_late("async def main():\n"
                          "  items, failed = hopping(), failing_late()\n"
                          "  seen = [await cancel_late(items), await cancel_late(failed)]\n"
                          "  for generator in items, items, failed, failed:\n"
                          "    seen.append(await outcome(generator.__anext__()))\n"
                          "  await items.aclose()\n"
                          "  return str(seen)") ==
        "['late', 'late', 0, 1, \"ValueError('in C++')\", 'StopAsyncIteration()']");
}

BRIDGE_TEST(a_value_is_not_sent_past_an_item_that_was_left, tags("O9", "O13")) {
    BRIDGE_CHECK(co_await run_late("async def main():\n"
                                   "  items = hopping()\n"
                                   "  await cancel_late(items)\n"
                                   "  seen = [await outcome(items.asend(1))]\n"
                                   "  seen.append(await items.__anext__())\n"
                                   "  seen.append(await items.asend(1))\n"
                                   "  await items.aclose()\n"
                                   "  return str(seen)") ==
                 "[\"RuntimeError('asend(): a step that was cancelled has left its item, which has "
                 "to be taken first: await __anext__()')\", 0, 1]");
}

BRIDGE_TEST(closing_goes_over_an_item_that_was_left, tags("O9")) {
    BRIDGE_CHECK(co_await run_late("async def main():\n"
                                   "  items = hopping()\n"
                                   "  await cancel_late(items)\n"
                                   "  await items.aclose()\n"
                                   "  return await outcome(items.__anext__())") ==
                 "StopAsyncIteration()");
}

BRIDGE_TEST(a_cancelled_step_loses_no_item_and_gives_none_twice, tags("O9"), timeout(240s)) {
    const source python("async def main(races):\n"
                        "  generator = hopping()\n"
                        "  expected = cancelled = 0\n"
                        "  async def step():\n"
                        "    return await generator.__anext__()\n"
                        "  for race in range(races):\n"
                        "    before, task = arrived(), asyncio.create_task(step())\n"
                        "    if race % 2:\n"
                        "      await asyncio.sleep(0)\n"
                        "      if not task.done():\n"
                        "        wait_for_arrival(before)\n"
                        "    for _ in range(race // 2 % 4):\n"
                        "      await asyncio.sleep(0)\n"
                        "    task.cancel()\n"
                        "    try:\n"
                        "      item = await task\n"
                        "    except asyncio.CancelledError:\n"
                        "      cancelled += 1\n"
                        "      continue\n"
                        "    assert item == expected, (item, expected)\n"
                        "    expected += 1\n"
                        "  await generator.aclose()\n"
                        "  return f'{expected} items came, {cancelled} requests came first'");
    define_all(python);
    const auto main = "main(" + std::to_string(races()) + ")";
    BRIDGE_INFO(co_await bridge::to_cpp<std::string>(python.value(main.c_str())));
}
