// SPDX-License-Identifier: Apache-2.0
// Virtual C++ coroutines overridden by Python classes, and awaited by C++.
#include "script.hpp"

#include <boost/asio/post.hpp>

#include <memory>
#include <string>

namespace asio = boost::asio;
namespace py = pybind11;

namespace {

class store {
public:
    virtual ~store() = default;

    virtual asio::awaitable<int> get(std::string key) { co_return static_cast<int>(key.size()); }

    virtual asio::awaitable<std::string> name() = 0;
};

class python_store : public store {
public:
    asio::awaitable<int> get(std::string key) override {
        BRIDGE_OVERRIDE_CORO(int, store, get, std::move(key));
    }

    asio::awaitable<std::string> name() override {
        BRIDGE_OVERRIDE_CORO_PURE(std::string, store, name);
    }
};

asio::awaitable<std::string> use(std::shared_ptr<store> from, bool hops) {
    if (hops)
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    const int size = co_await from->get("four");
    co_return co_await from->name() + std::to_string(size);
}

void bind(py::object m) {
    py::class_<store, python_store, std::shared_ptr<store>> type(m, "Store", py::module_local());
    type.def(py::init<>());
    bridge::def_async(type, "get", &store::get, py::arg("key"));
    bridge::def_async(type, "name", &store::name);
    bridge::def_async(m, "use", &use);
}

} // namespace

BRIDGE_TEST(cpp_awaits_what_python_overrides) {
    co_await script::run(R"py(
class Mine(m.Store):
    async def get(self, key):
        await asyncio.sleep(0)
        return len(key) * 10
    async def name(self):
        return "mine"
class Plain(m.Store):
    def name(self):
        return "plain"
async def main():
    for hops in (False, True):
        assert await m.use(Mine(), hops) == "mine40"
        assert await m.use(Plain(), hops) == "plain4"  # not async, and get is the base's
)py",
                         bind);
}

BRIDGE_TEST(an_override_calls_its_base) {
    co_await script::run(R"py(
class Mine(m.Store):
    async def get(self, key):
        return 1 + await super().get(key=key)
    async def name(self):
        return "m"
async def main():
    for hops in (False, True):
        assert await m.use(Mine(), hops) == "m5"
    assert await Mine().get("abc") == 4
)py",
                         bind);
}

BRIDGE_TEST(a_pure_one_that_is_not_overridden_says_so) {
    co_await script::run(R"py(
class Incomplete(m.Store):
    pass
async def main():
    for hops in (False, True):
        with raises(NotImplementedError, "store::name is a pure virtual coroutine"):
            await m.use(Incomplete(), hops)
)py",
                         bind);
}

BRIDGE_TEST(an_override_that_fails_fails_the_cpp_side) {
    co_await script::run(R"py(
class Failing(m.Store):
    async def get(self, key):
        raise KeyError(key)
class Wrong(m.Store):
    async def get(self, key):
        return "no int"
class NoFunction(m.Store):
    get = "text"
async def main():
    for hops in (False, True):
        for type_, error, text in ((Failing, KeyError, ""), (Wrong, TypeError, ""),
                                   (NoFunction, TypeError, "::get is a virtual coroutine")):
            with raises(error, text):
                await m.use(type_(), hops)
)py",
                         bind);
}

BRIDGE_TEST(the_object_lives_as_long_as_its_coroutine) {
    co_await script::run(R"py(
import gc
class Mine(m.Store):
    async def get(self, key):
        gc.collect()
        await asyncio.sleep(0)
        return 3
    async def name(self):
        return "kept"
async def main():
    coroutine = m.use(Mine(), True)
    gc.collect()
    assert await coroutine == "kept3"
)py",
                         bind);
}
