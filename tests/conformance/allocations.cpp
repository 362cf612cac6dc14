// SPDX-License-Identifier: Apache-2.0
// What runs asks nobody for memory, and streams make no Tasks: counted between item, or call, 1,000
// and 5,000. A program of its own, as its malloc counts.
#include "streams.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#    define BRIDGE_COUNTS_MALLOC 1
#else
#    define BRIDGE_COUNTS_MALLOC 0
#endif

namespace {

std::atomic<long> allocations{0};

} // namespace

#if BRIDGE_COUNTS_MALLOC
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    return __libc_calloc(count, size);
}

void* realloc(void* old, std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    return __libc_realloc(old, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** made, std::size_t alignment, std::size_t size) {
    *made = aligned_alloc(alignment, size);
    return *made != nullptr ? 0 : ENOMEM;
}
}
#endif

BRIDGE_SUITE("allocations")

using namespace streams;
using namespace std::chrono_literals;

namespace {

constexpr int first = 1'000, last = 5'000;
// Not one an item: what other threads free comes back by the batch of 64, which is filled first.
constexpr long few = 4 * 64;
// with_gil takes a guard of the interpreter there (PEP 788), for which CPython asks malloc.
constexpr long guards = PY_VERSION_HEX >= 0x030f0000 ? last - first : 0;

// Counts what was asked for between the two items.
struct counter {
    long before = 0, after = 0;

    void note(int item) {
        if (item == first)
            before = allocations.load();
        else if (item == last)
            after = allocations.load();
    }

    long count() const { return after - before; }
};

constexpr const char* counting_tasks = R"(
tasks = 0
def count_tasks():
    def make(loop, coroutine, **options):
        global tasks
        tasks += 1
        return asyncio.Task(coroutine, loop=loop, **options)
    asyncio.get_running_loop().set_task_factory(make)
def count_no_more():
    asyncio.get_running_loop().set_task_factory(None)
async def ones():
    while True: yield 1
async def waiting_ones():
    while True:
        await asyncio.sleep(0)
        yield 1
async def one_turn():
    await asyncio.sleep(0)
async def exhaust(generator):
    count_tasks()
    async for _ in generator: pass
    count_no_more()
)";

asio::awaitable<long> into_cpp(const source& python, const char* iterable, std::size_t buffer) {
    counter counts;
    auto items = to_cpp_stream<int>(python.value(iterable), {.buffer = buffer});
    co_await python.run("do(count_tasks)");
    for (int i = 0; i <= last; ++i) {
        co_await items.next();
        counts.note(i);
    }
    BRIDGE_CHECK(python.text("tasks <= 2") == "True"); // the stream's, and one that asks that
    co_await python.run("do(count_no_more)");
    co_await items.close();
    co_return counts.count();
}

bridge::generator<int> numbers(counter& counts, py_ref awaited) {
    for (int i = 0; i <= last; ++i) {
        if (awaited)
            co_await bridge::to_cpp<void>(native_work::call(awaited));
        counts.note(i);
        co_yield i % 100;
    }
}

asio::awaitable<long> out_of_cpp(const source& python, const char* awaited) {
    counter counts;
    python.define("numbers", [&] {
        return bridge::to_python(numbers(counts, awaited ? python.value(awaited) : py_ref()));
    });
    co_await python.run("exhaust(numbers())");
    BRIDGE_CHECK(python.text("tasks") == "0");
    co_return counts.count();
}

constexpr const char* awaiting_again_and_again = R"(
import types
native = types.SimpleNamespace()
async def await_all():
    depth = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(0) # the harness asks where each is made
    for i in range(5_001):
        await native.done()
        if i in (1_000, 5_000): note(i)
    sys.set_coroutine_origin_tracking_depth(depth)
)";

asio::awaitable<int> done() {
    co_return 1;
}

} // namespace

BRIDGE_TEST(a_stream_into_cpp_makes_no_allocation_and_no_task_an_item, timeout(240s)) {
    if (!BRIDGE_COUNTS_MALLOC)
        BRIDGE_SKIP("malloc is a sanitizer's, or not glibc's");
    static constexpr std::size_t sizes[] = {0, 256};
    static constexpr const char* kinds[] = {"ones()", "waiting_ones()"};
    for (const auto buffer : sizes)
        for (const auto* kind : kinds) {
            const source python(counting_tasks);
            const auto made = co_await into_cpp(python, kind, buffer);
            BRIDGE_INFO(std::string(kind) + ", buffer " + std::to_string(buffer) + ": " +
                        std::to_string(made));
            BRIDGE_CHECK(made < few);
        }
}

BRIDGE_TEST(a_generator_of_cpp_makes_no_allocation_and_no_task_an_item, timeout(240s)) {
    if (!BRIDGE_COUNTS_MALLOC)
        BRIDGE_SKIP("malloc is a sanitizer's, or not glibc's");
    static constexpr const char* kinds[] = {nullptr, "one_turn"};
    for (const auto* awaited : kinds) {
        const source python(counting_tasks);
        const auto made = co_await out_of_cpp(python, awaited);
        BRIDGE_INFO((awaited != nullptr ? "waiting: " : "at once: ") + std::to_string(made));
        BRIDGE_CHECK(made < few + (awaited != nullptr ? guards : 0));
    }
}

BRIDGE_TEST(a_coroutine_that_does_not_wait_makes_no_allocation, timeout(240s)) {
    if (!BRIDGE_COUNTS_MALLOC)
        BRIDGE_SKIP("malloc is a sanitizer's, or not glibc's");
    counter counts;
    const source python(awaiting_again_and_again);
    const auto native = python.value("native");
    bridge::with_gil([&] { bridge::def_async(native.get(), "done", &done); });
    python.define("note", [&counts](int i) { counts.note(i); });
    co_await python.run("await_all()");
    BRIDGE_CHECK(counts.count() < few);
}
