// SPDX-License-Identifier: Apache-2.0
// C++ generators that hold, and are held by, Python objects; that are stubborn; that two threads
// ask.
#include "streams.hpp"

#include <atomic>
#include <thread>

BRIDGE_SUITE("generators_held")

using namespace streams;
using namespace std::chrono_literals;
using native_work::life;

namespace {

bridge::generator<int> holding(py_ref) {
    const life alive;
    co_yield 0;
    co_yield 1;
}

bridge::generator<int> holding_asleep(py_ref) {
    const life alive;
    co_yield 0;
    co_await native_work::sleep(1h);
}

bridge::generator<int> stubborn() {
    const life alive;
    for (;;) {
        try {
            co_yield 1;
        } catch (const boost::system::system_error&) {
        }
    }
}

bridge::generator<int> asleep() {
    const life alive;
    co_await native_work::sleep(1h);
    co_yield 0;
}

bridge::generator<int> arriving() {
    const life alive;
    co_await native_work::hop();
    co_yield 1;
}

// What native threads have for loops that have not looked yet.
std::size_t queued() {
    std::size_t all = 0;
    for (const auto& loop : bridge::stats().loops)
        all += loop.queued;
    return all;
}

std::atomic<int> inside{0};
std::atomic<bool> released{false};

// Keeps the thread that asks until somebody else was heard.
bridge::generator<int> occupying() {
    for (int i = 0;; ++i) {
        ++inside;
        while (!released)
            std::this_thread::yield();
        co_yield i;
    }
}

bridge::generator<int> counting() {
    for (int i = 0;; ++i)
        co_yield i;
}

void define_all(const source& python) {
    inside = 0;
    released = false;
    python.define("arriving", [] { return bridge::to_python(arriving()); });
    python.define("asleep", [] { return bridge::to_python(asleep()); });
    python.define("queued", &queued);
    python.define("holding",
                  [](const py::object& of) { return bridge::to_python(holding(py_ref(of))); });
    python.define("holding_asleep", [](const py::object& of) {
        return bridge::to_python(holding_asleep(py_ref(of)));
    });
    python.define("stubborn", [] { return bridge::to_python(stubborn()); });
    python.define("occupying", [] { return bridge::to_python(occupying()); });
    python.define("counting", [] { return bridge::to_python(counting()); });
    python.define("is_inside", [] { return inside.load() > 0; });
    python.define("hold_back", [] { released = false; });
    python.define("release", [] { released = true; });
    python.define("lives", &lives);
}

// An owner and its generator, whose C++ frame holds the owner: `alive()` is that, or None.
constexpr const char* cycle = R"(
import weakref
class Owner: pass
async def cycle(make):
    owner = Owner()
    owner.generator = make(owner)
    await owner.generator.__anext__()
    return weakref.ref(owner)
async def is_gone(alive):
    gc.collect()
    await turns()  # what C++ let go of
    gc.collect()
    return alive() is None
async def seen_after(end, make):
    alive = await cycle(make)
    before = await is_gone(alive)
    try: await end(alive().generator)
    except (StopAsyncIteration, asyncio.CancelledError, KeyError): pass
    return before, await is_gone(alive), lives()
)";

asio::awaitable<std::string> run(const std::string& text) {
    co_return co_await run_main(cycle + text, &define_all);
}

} // namespace

// The end of what is closed may be told while the item before it has not been delivered yet.
BRIDGE_TEST(closing_while_an_item_is_on_its_way_to_the_loop_ends_it, loops("asyncio", "uvloop")) {
    BRIDGE_CHECK(co_await run("async def consume(items):\n"
                              "  async for _ in items: pass\n"
                              "async def main():\n"
                              "  for i in range(50):\n"
                              "    one = consume(arriving())\n"
                              "    one.send(None)\n"
                              "    while not queued(): pass\n" // no turn of the loop
                              "    one.close()\n"
                              "    n = 2 * i + 2\n" // hop() has a life, too
                              "    await until(lambda: lives() == f'{n} begun, {n} ended')\n"
                              "  return 'ended'") == "ended");
}

// Native code could not wake who throws: it is asked to end, and nobody waits for it.
BRIDGE_TEST(a_step_that_another_loop_throws_into_ends_the_generator, tags("O10")) {
    BRIDGE_CHECK(co_await run("async def throw_into(step):\n"
                              "  try: step.throw(KeyError('why'))\n"
                              "  except KeyError as error: return error\n"
                              "async def main():\n"
                              "  generator = asleep()\n"
                              "  step = generator.__anext__()\n"
                              "  step.send(None)\n"
                              "  seen = [await asyncio.to_thread(asyncio.run, throw_into(step))]\n"
                              "  seen += [i async for i in generator]\n"
                              "  await until(lambda: lives() == '1 begun, 1 ended')\n"
                              "  return str(seen)") == "[KeyError('why')]");
}

// The collector sees into Python objects, not into a coroutine's frame.
BRIDGE_TEST(a_cycle_through_what_the_frame_holds_lasts_until_the_generator_ends, tags("O19")) {
    constexpr const char* ends[] = {
        "async def end(generator): await generator.aclose()\n",
        "async def end(generator):\n  async for _ in generator: pass\n",
        "async def end(generator): await generator.athrow(KeyError())\n",
    };
    for (const auto* end : ends)
        BRIDGE_CHECK(co_await run(std::string(end) +
                                  "async def main(): return str(await seen_after(end, holding))") ==
                     "(False, True, '1 begun, 1 ended')");
}

BRIDGE_TEST(cancelling_the_task_that_asks_ends_such_a_cycle, tags("O19")) {
    BRIDGE_CHECK(co_await run("async def end(generator):\n"
                              "  task = asyncio.ensure_future(generator.__anext__())\n"
                              "  await turns()\n"
                              "  task.cancel()\n"
                              "  await asyncio.wait([task])\n"
                              "async def main():\n"
                              "  return str(await seen_after(end, holding_asleep))") ==
                 "(False, True, '1 begun, 1 ended')");
}

BRIDGE_TEST(the_loops_end_ends_such_a_cycle, tags("O19", "O20")) {
    BRIDGE_CHECK(co_await run_main(std::string(cycle) +
                                       "def end(loop):\n"
                                       "  global alive\n"
                                       "  alive = loop.run_until_complete(cycle(holding))\n"
                                       "async def main():\n"
                                       "  await asyncio.to_thread(run_in_new_loop, end)\n"
                                       "  return str((await is_gone(alive), lives()))",
                                   &define_all) == "(True, '1 begun, 1 ended')");
}

BRIDGE_TEST(one_that_holds_a_weak_reference_is_in_no_cycle, tags("O19")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  alive = await cycle(lambda owner: holding(weakref.ref(owner)))\n"
                              "  gone = await is_gone(alive)\n"
                              "  await until(lambda: lives() == '1 begun, 1 ended')\n"
                              "  return str(gone)") == "True");
}

BRIDGE_TEST(one_that_yields_when_it_is_closed_is_destroyed, tags("O12")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  generator = stubborn()\n"
                              "  seen = [await generator.__anext__()]\n"
                              "  try: await generator.aclose()\n"
                              "  except RuntimeError as error: seen.append(str(error))\n"
                              "  await until(lambda: lives() == '1 begun, 1 ended')\n"
                              "  seen += [i async for i in generator]\n"
                              "  return str(seen)") ==
                 "[1, 'async generator ignored GeneratorExit']");
}

BRIDGE_TEST(a_step_on_another_thread_is_refused_while_one_runs, tags("O25")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  generator, seen = occupying(), []\n"
                              "  def second():\n"
                              "    while not is_inside(): pass\n"
                              "    for step in generator.__anext__(), generator.aclose():\n"
                              "      try: step.send(None)\n"
                              "      except RuntimeError as error: seen.append(str(error))\n"
                              "    release()\n"
                              "  thread = threading.Thread(target=second)\n"
                              "  thread.start()\n"
                              "  seen.append(await generator.__anext__())\n"
                              "  thread.join()\n"
                              "  seen.append(await generator.__anext__())\n"
                              "  await generator.aclose()\n"
                              "  return str(seen)") ==
                 "['anext(): asynchronous generator is already running', "
                 "'aclose(): asynchronous generator is already running', 0, 1]");
}

// Each in a loop of its own, at the same time. Whoever is served stays inside until the other one
// was refused.
BRIDGE_TEST(of_two_threads_that_ask_at_once_one_is_served_and_the_other_refused, tags("O25"),
            timeout(60s)) {
    BRIDGE_CHECK(
        co_await run("import sysconfig\n"
                     "refusal = 'anext(): asynchronous generator is already running'\n"
                     "async def ask(generator, together, seen):\n"
                     "  together.wait()\n"
                     "  try: mine = await generator.__anext__()\n"
                     "  except RuntimeError as error:\n"
                     "    mine = str(error)\n"
                     "    release()\n"
                     "  seen.append(mine)\n"
                     "  together.wait()\n"
                     "  if mine == 0: await generator.aclose()\n"
                     "def ask_in_loop(*arguments):\n"
                     "  loop = kind()\n"
                     "  try: loop.run_until_complete(ask(*arguments))\n"
                     "  finally: loop.close()\n"
                     "async def main():\n"
                     "  without = sysconfig.get_config_var('Py_GIL_DISABLED')\n"
                     "  assert not (without and sys._is_gil_enabled()), 'the GIL was turned on'\n"
                     "  for _ in range(20):\n"
                     "    hold_back()\n"
                     "    of = occupying(), threading.Barrier(2), []\n"
                     "    asking = [asyncio.to_thread(ask_in_loop, *of) for _ in range(2)]\n"
                     "    await asyncio.gather(*asking)\n"
                     "    assert sorted(of[2], key=str) == [0, refusal], of[2]\n"
                     "  return 'each time'") == "each time");
}

// Whoever is not refused gets the next item: none is lost, and none is given twice. The same-thread
// loop runs no step of another thread's.
BRIDGE_TEST(of_two_threads_that_ask_at_once_each_is_served_or_refused, tags("O25"), timeout(60s)) {
    BRIDGE_CHECK(
        co_await run("refusals = 'already running', 'no asyncio event loop runs on this'\n"
                     "def ask(generator, barrier, seen):\n"
                     "  barrier.wait()\n"
                     "  for _ in range(2000):\n"
                     "    try: generator.__anext__().send(None)\n"
                     "    except StopIteration as item: seen.append(item.value)\n"
                     "    except RuntimeError as error:\n"
                     "      assert any(text in str(error) for text in refusals), error\n"
                     "async def main():\n"
                     "  generator, seen = counting(), ([], [])\n"
                     "  await generator.__anext__()\n"
                     "  barrier = threading.Barrier(2)\n"
                     "  asking = [asyncio.to_thread(ask, generator, barrier, to) for to in seen]\n"
                     "  await asyncio.gather(*asking)\n"
                     "  await generator.aclose()\n"
                     "  items = sorted(seen[0] + seen[1])\n"
                     "  return str(items == list(range(1, len(items) + 1)) and\n"
                     "             all(one == sorted(one) for one in seen))") == "True");
}
