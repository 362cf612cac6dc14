// SPDX-License-Identifier: Apache-2.0
// def_async and plain m.def: every kind of function, argument and result.
#include "script.hpp"

#include <boost/asio/post.hpp>

#include <pybind11/chrono.h>
#include <pybind11/stl.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace py::literals;

namespace {

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

class counter {
public:
    explicit counter(int value) : value_(value) { ++alive; }

    counter(const counter& other) : value_(other.value_) { ++alive; }

    ~counter() { --alive; }

    asio::awaitable<int> add(int by) {
        co_await hop();
        value_ += by;
        co_return value_;
    }

    asio::awaitable<int> get() const {
        co_await hop();
        co_return value_;
    }

    static asio::awaitable<int> twice(int value) { co_return value * 2; }

    int value() const { return value_; }

    static inline int alive = 0;

private:
    int value_;
};

asio::awaitable<int> add(int a, int b) {
    co_await hop();
    co_return a + b;
}

asio::awaitable<std::string> join(std::string a, std::string b) {
    co_await hop();
    co_return a + b;
}

asio::awaitable<std::string> name_or(std::optional<std::string> name, std::string otherwise) {
    co_await hop();
    co_return name ? *name : otherwise;
}

asio::awaitable<int> value_of(std::shared_ptr<counter> object) {
    co_await hop();
    co_return object != nullptr ? object->value() : -1;
}

using either = std::variant<int, std::string>;

asio::awaitable<either> one_of(bool number) {
    co_await hop();
    co_return number ? either(3) : either("three");
}

// No coroutine: what it throws, it throws from the call.
asio::awaitable<double> half_of_some(double value, std::optional<double> by) {
    if (value == 0)
        throw boost::system::system_error(ENOENT, boost::system::generic_category());
    return
        [](double result) -> asio::awaitable<double> { co_return result; }(value / by.value_or(2));
}

asio::awaitable<std::map<std::string, std::vector<int>>> table() {
    co_await hop();
    co_return std::map<std::string, std::vector<int>>{{"a", {1, 2}}, {"b", {}}};
}

asio::awaitable<bridge::bytes> reversed(bridge::bytes data) {
    co_await hop();
    co_return bridge::bytes{std::string(data.data.rbegin(), data.data.rend())};
}

asio::awaitable<std::chrono::milliseconds> longer(std::chrono::milliseconds time) {
    co_await hop();
    co_return time * 2;
}

asio::awaitable<std::optional<int>> maybe(bool there) {
    co_await hop();
    co_return there ? std::optional(1) : std::nullopt;
}

asio::awaitable<int> sum(asio::awaitable<int> a, asio::awaitable<int> b) {
    const int first = co_await std::move(a);
    co_return first + co_await std::move(b);
}

void bind_class(py::object& m) {
    py::class_<counter, std::shared_ptr<counter>> type(m, "Counter", py::module_local());
    type.def(py::init<int>());
    bridge::def_async(type, "add", &counter::add, "by"_a = 1, "Adds.");
    bridge::def_async(type, "get", &counter::get);
    bridge::def_async_static(type, "twice", &counter::twice, "value"_a);
    m.attr("alive") = py::cpp_function([] { return counter::alive; });
}

void bind_functions(py::object& m) {
    bridge::def_async(m, "add", &add, "a"_a, "b"_a = 10);
    bridge::def_async(m, "add", &join, "a"_a, "b"_a); // an overload
    bridge::def_async(m, "name_or", &name_or, "name"_a.none(true) = py::none(), py::kw_only(),
                      "otherwise"_a = "nobody");
    bridge::def_async(m, "value_of", &value_of, "object"_a.none(true));
    bridge::def_async(m, "value_of_some", &value_of, "object"_a.none(false));
    bridge::def_async(m, "half", &half_of_some, "value"_a, "by"_a = py::none());
    bridge::def_async(m, "plus",
                      [by = std::make_shared<int>(5)](int value) -> asio::awaitable<int> {
                          return [](std::shared_ptr<int> kept, int v) -> asio::awaitable<int> {
                              co_await hop();
                              co_return v + *kept;
                          }(by, value);
                      });
}

void bind_results(py::object& m) {
    bridge::def_async(m, "one_of", &one_of);
    bridge::def_async(m, "table", &table);
    bridge::def_async(m, "reversed", &reversed);
    bridge::def_async(m, "longer", &longer);
    bridge::def_async(m, "maybe", &maybe);
    bridge::def_async(m, "by_value", []() -> asio::awaitable<counter> {
        co_await hop();
        co_return counter(8);
    });
    bridge::def_async(m, "shared", []() -> asio::awaitable<std::shared_ptr<counter>> {
        co_await hop();
        co_return std::make_shared<counter>(9);
    });
}

void bind_plain(py::object& m) {
    m.attr("plain") = py::cpp_function([](int value) { return add(value, 1); }, py::name("plain"));
    m.attr("sum") = py::cpp_function(&sum, py::name("sum"));
}

void bind(py::object m) {
    bind_class(m);
    bind_functions(m);
    bind_results(m);
    bind_plain(m);
}

} // namespace

BRIDGE_TEST(free_functions_lambdas_members_and_static_members_are_awaited) {
    co_await script::run(R"py(
async def main():
    assert await m.add(1, 2) == 3 and await m.add(b=1, a=2) == 3 and await m.add(5) == 15
    assert await m.add("x", "y") == "xy"
    assert await m.plus(1) == 6
    c = m.Counter(1)
    assert await c.add() == 2 and await c.add(by=5) == 7 and await c.get() == 7
    assert await m.Counter.twice(4) == 8 and await c.twice(value=4) == 8
    unbound = m.Counter.get
    assert await unbound(c) == 7
)py",
                         bind);
}

BRIDGE_TEST(each_is_a_coroutine_function_to_python) {
    co_await script::run(R"py(
import inspect
async def main():
    c = m.Counter(1)
    for f in (m.add, m.plus, c.add, m.Counter.add, m.Counter.twice, c.twice):
        assert inspect.iscoroutinefunction(f) and asyncio.iscoroutinefunction(f), f
    assert not inspect.iscoroutinefunction(m.plain)
    assert m.Counter.add.__qualname__ == "Counter.add" and m.add.__qualname__ == "add"
    assert m.Counter.add.__module__ == m.Counter.__module__
    assert m.add.__doc__.count("Coroutine[typing.Any, typing.Any, ") == 2, m.add.__doc__
    doc = m.Counter.add.__doc__
    assert "Adds." in doc and "by: " in doc and " = 1) -> " in doc, doc
)py",
                         bind);
}

BRIDGE_TEST(arguments_are_checked_at_the_call) {
    co_await script::run(R"py(
async def main():
    assert await m.name_or(None) == "nobody" and await m.name_or("x") == "x"
    assert await m.name_or(otherwise="y") == "y"
    assert await m.value_of(None) == -1 and await m.value_of(m.Counter(3)) == 3
    for call in (lambda: m.add(), lambda: m.add(1, [])  , lambda: m.name_or(None, "positional"),
                 lambda: m.value_of_some(None), lambda: m.Counter.get(object())):
        with raises(TypeError, "incompatible function arguments"):
            call()
)py",
                         bind);
}

BRIDGE_TEST(arguments_are_converted_where_they_have_to_be_and_a_call_may_throw) {
    co_await script::run(R"py(
async def main():
    for calls in (lambda: m.half(3.0, 2.0), lambda: m.half(3), lambda: m.half(3, None),
                  lambda: m.half(by=2, value=3), lambda: m.half(by=2.0, value=3.0), lambda: m.half(3.0)):
        assert await calls() == 1.5
    for call in (lambda: m.half(0.0, 2.0), lambda: m.half(0), lambda: m.half(value=0.0, by=1.0)):
        with raises(FileNotFoundError):
            call()
    for call in (lambda: m.half("3", 2.0), lambda: m.half(3.0, 2.0, 1.0), lambda: m.half(3.0, of=2.0)):
        with raises(TypeError, "incompatible function arguments"):
            call()
)py",
                         bind);
}

BRIDGE_TEST(results_of_every_kind_arrive) {
    co_await script::run(R"py(
import datetime
async def main():
    assert await m.one_of(True) == 3 and await m.one_of(False) == "three"
    assert await m.table() == {"a": [1, 2], "b": []}
    assert await m.reversed(b"\x00\xff1") == b"1\xff\x00"
    assert await m.reversed(bytearray(b"ab")) == b"ba"
    assert await m.reversed(memoryview(b"ab")) == b"ba"
    assert await m.longer(datetime.timedelta(seconds=1.5)) == datetime.timedelta(seconds=3)
    assert await m.maybe(True) == 1 and await m.maybe(False) is None
    assert await (await m.by_value()).get() == 8 and await (await m.shared()).get() == 9
)py",
                         bind);
}

BRIDGE_TEST(self_and_arguments_live_as_long_as_the_coroutine) {
    co_await script::run(R"py(
import gc
async def main():
    gc.collect()
    before = m.alive()
    coroutine = m.Counter(1).add(2)
    other = m.value_of(m.Counter(5))
    gc.collect()
    assert m.alive() == before + 2
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0)
    gc.collect()
    assert await task == 3 and await other == 5
    del task, coroutine, other
    gc.collect()
    assert m.alive() == before
    never = m.Counter(1).add(2)
    never.close()
    del never
    gc.collect()
    assert m.alive() == before
)py",
                         bind);
}

BRIDGE_TEST(a_plain_function_gives_and_takes_awaitables) {
    co_await script::run(R"py(
async def two():
    await asyncio.sleep(0)
    return 2
class Three:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return 3
async def main():
    assert await m.plain(4) == 5
    assert await asyncio.create_task(m.plain(5)) == 6
    assert await m.sum(two(), Three()) == 5
    future = asyncio.get_running_loop().create_future()
    future.set_result(7)
    assert await m.sum(m.plain(1), future) == 9
    with raises(TypeError, "arg0: collections.abc.Awaitable["):
        m.sum(1, 2)
)py",
                         bind);
}
