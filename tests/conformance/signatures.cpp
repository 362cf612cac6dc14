// SPDX-License-Identifier: Apache-2.0
// What those see who look at a function that def_async has bound: a Python function.
#include "script.hpp"

#include <boost/asio/post.hpp>

#include <pybind11/chrono.h>
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace py::literals;

namespace {

struct thing {
    int value;

    asio::awaitable<int> get(int by) const { co_return value + by; }

    static asio::awaitable<int> twice(int n) { co_return 2 * n; }
};

struct unbound {};

asio::awaitable<int> add(int a, int b, double scale) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return static_cast<int>((a + b) * scale);
}

asio::awaitable<std::map<std::string, std::vector<int>>>
containers(std::vector<int>, std::map<std::string, double>, std::optional<int>) {
    co_return std::map<std::string, std::vector<int>>();
}

asio::awaitable<void> others(std::chrono::milliseconds, bridge::bytes, bridge::py_ref,
                             std::shared_ptr<thing>, bool) {
    co_return;
}

asio::awaitable<std::shared_ptr<unbound>> stranger(std::function<int(int)>) {
    co_return nullptr;
}

void bind(py::object m) {
    py::class_<thing, std::shared_ptr<thing>> type(m, "Thing", py::module_local());
    type.def(py::init([](int n) { return std::make_shared<thing>(thing{n}); }));
    bridge::def_async(type, "get", &thing::get, "by"_a = 1, "Gets.");
    bridge::def_async(type, "nameless", &thing::get);
    bridge::def_async_static(type, "twice", &thing::twice, "n"_a);
    bridge::def_async(m, "add", &add, "a"_a, "b"_a = 1, "scale"_a = 1.0, "Adds.");
    bridge::def_async(m, "nameless", &add);
    bridge::def_async(m, "kinds", &add, "a"_a, py::pos_only(), "b"_a, py::kw_only(),
                      "scale"_a = 2.0);
    bridge::def_async(m, "containers", &containers, "a"_a, "b"_a, "c"_a = py::none());
    bridge::def_async(m, "others", &others, "time"_a, "data"_a, "object"_a,
                      "thing"_a.none(true) = py::none(), "flag"_a = false);
    bridge::def_async(m, "stranger", &stranger, "function"_a);
    bridge::def_async(m, "keyword", &thing::twice, "class"_a);
    bridge::def_async(m, "overloaded", &thing::twice, "n"_a);
    bridge::def_async(m, "overloaded", &add, "a"_a, "b"_a, "scale"_a);
}

} // namespace

BRIDGE_TEST(inspect_and_typing_see_parameters_defaults_and_types) {
    co_await script::run(R"py(
import collections.abc, datetime, inspect, typing
async def main():
    def text(f):
        return str(inspect.signature(f))
    assert text(m.add) == "(a: int, b: int = 1, scale: float = 1.0) -> int", text(m.add)
    assert text(m.nameless) == "(arg0: int, arg1: int, arg2: float, /) -> int", text(m.nameless)
    assert text(m.kinds) == "(a: int, /, b: int, *, scale: float = 2.0) -> int", text(m.kinds)
    assert text(m.keyword) == text(m.overloaded) == "(*args, **kwargs)"

    c = m.Thing(1)
    assert text(m.Thing.get) == "(self, by: int = 1) -> int", text(m.Thing.get)
    assert text(c.get) == "(by: int = 1) -> int" and text(c.nameless) == "(arg0: int, /) -> int"
    assert text(m.Thing.twice) == text(c.twice) == "(n: int) -> int"

    hints = typing.get_type_hints(m.add)
    assert hints == {"a": int, "b": int, "scale": float, "return": int}, hints
    hints = typing.get_type_hints(m.containers)
    origins = {name: typing.get_origin(hint) for name, hint in hints.items()}
    assert issubclass(list, origins["a"]) and issubclass(dict, origins["b"]) and origins["return"] is dict, hints
    assert typing.get_args(hints["a"]) == (int,) and hints["c"] == typing.Optional[int]
    hints = typing.get_type_hints(m.others)
    assert hints["time"] in (datetime.timedelta, datetime.timedelta | float), hints
    assert hints["object"] is object and hints["flag"] is bool and hints["return"] is type(None), hints
    assert hints["thing"] == typing.Optional[m.Thing], hints
    # Of a class that is not bound nothing can be said.
    hints = typing.get_type_hints(m.stranger)
    assert hints["return"] is typing.Any and typing.get_origin(hints["function"]) is collections.abc.Callable, hints
    assert await m.kinds(1, b=2) == 6 and await m.others(datetime.timedelta(), b"", None) is None
)py",
                         bind);
}

BRIDGE_TEST(it_is_a_function_with_all_that_functions_have) {
    co_await script::run(R"py(
import copy, functools, inspect, io, pydoc, types
async def main():
    f = m.add
    assert isinstance(f, types.FunctionType) and inspect.isfunction(f) and inspect.iscoroutinefunction(f)
    assert f.__name__ == f.__qualname__ == "add" and m.Thing.get.__qualname__ == "Thing.get"
    assert f.__defaults__ == (1, 1.0) and f.__kwdefaults__ is None and m.kinds.__kwdefaults__ == {"scale": 2.0}
    assert f.__code__.co_varnames == ("a", "b", "scale") and f.__closure__ is None
    assert f.__code__.co_name == "add" and m.Thing.get.__module__ == m.Thing.__module__
    assert not hasattr(f, "__wrapped__") and inspect.unwrap(f) is f
    assert "Adds." in f.__doc__ and "-> collections.abc.Coroutine[typing.Any, typing.Any, int]" in f.__doc__
    help_text = pydoc.plain(pydoc.render_doc(f))
    assert "add(a: int, b: int = 1, scale: float = 1.0) -> int" in help_text and "Adds." in help_text, help_text
    assert "get(self, by: int = 1) -> int" in pydoc.plain(pydoc.render_doc(m.Thing))

    f.mark = ["asyncio"]
    assert f.mark == ["asyncio"] and vars(f) == {"mark": ["asyncio"]} and "mark" in dir(f)
    del f.mark
    assert not hasattr(f, "mark")
    f.__name__ = f.__doc__ = "other"
    assert f.__name__ == f.__doc__ == "other" and await f(1) == 2
    for name, value in (("__name__", 1), ("__defaults__", 1)):
        try:
            setattr(f, name, value)
        except TypeError:
            pass
        else:
            assert False, name
    assert copy.copy(f) is copy.deepcopy(f) is f

    @functools.wraps(m.kinds)
    async def wrapper(*args, **kwargs):
        return await m.kinds(*args, **kwargs)
    assert wrapper.__name__ == "kinds" and inspect.signature(wrapper) == inspect.signature(m.kinds)
    assert await wrapper(1, 2) == 6
)py",
                         bind);
}

BRIDGE_TEST(mocks_made_of_it_have_its_signature) {
    co_await script::run(R"py(
import inspect
from unittest import mock
async def main():
    assert inspect.iscoroutinefunction(mock.create_autospec(m.Thing)(1).get)
    add = mock.create_autospec(m.add, return_value=9)
    assert await add(1, scale=2.0) == 9
    add.assert_awaited_once_with(1, scale=2.0)
    thing = mock.create_autospec(m.Thing, instance=True)
    thing.get.return_value = 8
    assert await thing.get(by=2) == 8
    for call in (lambda: add(), lambda: add(1, 2, 3, 4), lambda: add(1, nothing=2), lambda: thing.get(1, 2)):
        try:
            await call()  # from CPython 3.13 on the mock of a coroutine function refuses when awaited
        except TypeError:
            pass
        else:
            assert False
    with mock.patch.object(m, "add", autospec=True) as patched:
        patched.return_value = 3
        assert await m.add(1) == 3
    assert await m.add(1) == 2
)py",
                         bind);
}

BRIDGE_TEST(a_function_that_refers_to_itself_is_collected) {
    co_await script::run(R"py(
import gc, weakref
class Attribute:
    pass
async def main():
    f, attribute = m.add, Attribute()
    f.self, f.attribute = f, attribute
    gone = weakref.ref(attribute)
    del f, attribute, m.add
    gc.collect()
    assert gone() is None
)py",
                         bind);
}

BRIDGE_TEST(pydantic_and_fastapi_take_it_for_one) {
    const bool is_there = bridge::with_gil([] {
        return py::eval("all(map(__import__('importlib.util').util.find_spec, "
                        "('pydantic', 'fastapi', 'httpx')))")
            .cast<bool>();
    });
    if (!is_there)
        BRIDGE_SKIP("pydantic, fastapi and httpx are not installed");
    co_await script::run(R"py(
import fastapi, httpx, pydantic
async def main():
    checked = pydantic.validate_call(m.add)
    assert await checked("1", b="2") == 3
    try:
        await checked("one")
    except pydantic.ValidationError:
        pass
    else:
        assert False

    app = fastapi.FastAPI()
    app.get("/add")(m.add)
    @app.get("/depends")
    async def depends(sum=fastapi.Depends(m.add)):
        return {"sum": sum}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for url, status, answer in (("/add?a=2&b=3", 200, 5), ("/add?b=3", 422, None), ("/depends?a=4", 200, {"sum": 5})):
            response = await client.get(url)
            assert response.status_code == status, (url, response.text)
            assert answer is None or response.json() == answer, response.text
)py",
                         bind);
}
