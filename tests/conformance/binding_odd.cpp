// SPDX-License-Identifier: Apache-2.0
// def_async: members of every kind, pointers, what cannot work, and what Python expects of
// functions.
#include "script.hpp"

#include <boost/asio/post.hpp>

#include <memory>

namespace asio = boost::asio;
namespace py = pybind11;

namespace {

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

asio::awaitable<int> add(int a, int b) {
    co_await hop();
    co_return a + b;
}

struct halved {
    int whole = 8;

    asio::awaitable<int> half() const {
        co_await hop();
        co_return whole / 2;
    }
};

class box : public halved {
public:
    explicit box(int value) : value_(value) {}

    asio::awaitable<int> get() const {
        co_await hop();
        co_return value_;
    }

    asio::awaitable<int> qualified(int more) const& {
        co_await hop();
        co_return value_ + more;
    }

    int value() const { return value_; }

private:
    int value_;
};

void bind(py::object m) {
    py::class_<box, std::shared_ptr<box>> type(m, "Box", py::module_local());
    type.def(py::init<int>());
    py::implicitly_convertible<int, box>();
    bridge::def_async(type, "get", &box::get);
    bridge::def_async(type, "half", &halved::half); // of a base that Python does not know
    bridge::def_async(type, "qualified", &box::qualified);
    bridge::def_async(m, "add", &add, py::arg("a"), py::arg("b"));
    m.attr("plain") = py::cpp_function([] {}, py::name("plain"));
    bridge::def_async(m, "counting", [count = 0]() mutable noexcept -> asio::awaitable<int> {
        return [](int now) -> asio::awaitable<int> { co_return now; }(++count);
    });
    bridge::def_async(m, "empty", []() -> asio::awaitable<int> { return {}; });
    bridge::def_async(m, "through_pointer", [](box* object) -> asio::awaitable<int> {
        return [](box* kept) -> asio::awaitable<int> {
            co_await hop();
            co_return kept != nullptr ? kept->value() : 0;
        }(object);
    });
    m.attr("bind_over") =
        py::cpp_function([](py::object scope) { bridge::def_async(scope, "plain", &add); });
}

} // namespace

BRIDGE_TEST(members_of_every_kind_and_mutable_lambdas_are_bound) {
    co_await script::run(R"py(
async def main():
    c = m.Box(1)
    assert await c.half() == 4
    assert await c.qualified(2) == 3
    assert [await m.counting(), await m.counting()] == [1, 2]
)py",
                         bind);
}

// What an implicit conversion makes lives as long as the call, and the coroutine longer.
BRIDGE_TEST(a_pointer_or_self_is_the_objects_own_value) {
    co_await script::run(R"py(
async def main():
    assert await m.through_pointer(m.Box(6)) == 6 and await m.through_pointer(None) == 0
    for call in (lambda: m.through_pointer(7), lambda: m.Box.get(7), lambda: m.Box.get(None)):
        with raises(TypeError, "incompatible function arguments"):
            await call()
)py",
                         bind);
}

BRIDGE_TEST(a_bound_function_is_referred_to_copied_and_pickled_as_any_other) {
    co_await script::run(R"py(
import copy, weakref
async def main():
    assert weakref.ref(m.add)() is m.add
    assert copy.copy(m.add) is m.add and copy.deepcopy(m.add) is m.add
    assert m.add.__reduce__() == "add" and m.Box.get.__reduce__() == "Box.get"
)py",
                         bind);
}

BRIDGE_TEST(an_empty_awaitable_is_an_error_and_no_crash) {
    co_await script::run(R"py(
async def main():
    with raises(RuntimeError, "the C++ coroutine is empty"):
        await m.empty()
)py",
                         bind);
}

BRIDGE_TEST(a_name_that_is_bound_otherwise_is_not_lost) {
    co_await script::run(R"py(
async def main():
    before = m.plain
    with raises(RuntimeError, "'plain' is bound already, not by def_async"):
        m.bind_over(m)
    assert m.plain is before
)py",
                         bind);
}

BRIDGE_TEST(its_state_can_be_asked_for) {
    co_await script::run(R"py(
import inspect, sys
async def main():
    coroutine = m.add(1, 2)
    assert inspect.getcoroutinestate(coroutine) == "CORO_CREATED"
    waits = coroutine.send(None)
    assert coroutine.cr_suspended
    if sys.version_info >= (3, 11):
        assert inspect.getcoroutinestate(coroutine) == "CORO_SUSPENDED"
    coroutine.close()
    assert not coroutine.cr_suspended
    assert inspect.getcoroutinestate(coroutine) == "CORO_CLOSED"
)py",
                         bind);
}
