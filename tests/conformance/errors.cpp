// SPDX-License-Identifier: Apache-2.0
// Exceptions across the border, both ways: the same object, the right type, never unsettled.
#include "script.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace asio = boost::asio;
namespace py = pybind11;

namespace {

struct registered_failure : std::exception {
    const char* what() const noexcept override { return "a registered one"; }
};

struct unknown_failure {};

struct not_convertible {
    std::unique_ptr<int> member;
};

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

[[noreturn]] void raise(const std::string& kind) {
    namespace error = boost::asio::error;
    if (kind == "value")
        throw std::invalid_argument("bad");
    if (kind == "index")
        throw std::out_of_range("far");
    if (kind == "memory")
        throw std::bad_alloc();
    if (kind == "runtime")
        throw std::runtime_error("run");
    if (kind == "bytes")
        throw std::runtime_error("\xff bad");
    if (kind == "index_bytes")
        throw std::out_of_range("\xff far");
    if (kind == "overflow")
        throw std::overflow_error("over");
    if (kind == "enoent")
        throw boost::system::system_error(ENOENT, boost::system::system_category(), "file");
    if (kind == "refused")
        throw boost::system::system_error(error::make_error_code(error::connection_refused));
    if (kind == "std_eacces")
        throw std::system_error(EACCES, std::generic_category(), "door");
    if (kind == "filesystem")
        throw std::filesystem::filesystem_error("gone",
                                                std::error_code(ENOENT, std::generic_category()));
    if (kind == "eof")
        throw boost::system::system_error(error::make_error_code(error::eof));
    if (kind == "resolve")
        throw boost::system::system_error(error::make_error_code(error::host_not_found));
    if (kind == "aborted")
        throw boost::system::system_error(error::make_error_code(error::operation_aborted));
    if (kind == "channel_cancelled")
        throw boost::system::system_error(
            make_error_code(asio::experimental::error::channel_cancelled));
    if (kind == "other_category")
        throw boost::system::system_error(
            make_error_code(asio::experimental::error::channel_closed));
    if (kind == "registered")
        throw registered_failure();
    if (kind == "unknown")
        throw unknown_failure();
    if (kind == "int")
        throw 42; // NOLINT: what somebody's library may do
    if (kind == "stop_iteration")
        throw py::stop_iteration("7");
    throw std::logic_error("no such kind: " + kind);
}

asio::awaitable<void> fail(std::string kind, bool hops) {
    if (hops)
        co_await hop();
    raise(kind);
}

asio::awaitable<bridge::py_ref> pass(bridge::py_ref awaitable, bool hops) {
    if (hops)
        co_await hop();
    co_return co_await bridge::to_cpp(std::move(awaitable));
}

asio::awaitable<int> as_int(bridge::py_ref awaitable, bool hops) {
    if (hops)
        co_await hop();
    co_return co_await bridge::to_cpp<int>(std::move(awaitable));
}

asio::awaitable<not_convertible> unconvertible(bool hops) {
    if (hops)
        co_await hop();
    co_return not_convertible{};
}

asio::awaitable<std::string> bad_text(bool hops) {
    if (hops)
        co_await hop();
    co_return "caf\xe9";
}

// Replaces what it caught; Python sees the new one, whose cause is what C++ nested in it.
asio::awaitable<std::string> what_of(bridge::py_ref awaitable) {
    std::string text;
    try {
        co_await bridge::to_cpp(std::move(awaitable));
    } catch (const std::exception& error) {
        text = error.what();
    }
    co_return text;
}

asio::awaitable<int> first_failure(bool hops) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer never(co_await asio::this_coro::executor, std::chrono::hours(1));
    co_await (fail("value", hops) && never.async_wait(asio::use_awaitable));
    co_return 0;
}

void bind(py::object m) {
    static const auto type = [] {
        auto made = bridge::py_ref(py::reinterpret_steal<py::object>(
            PyErr_NewException("tests.Registered", nullptr, nullptr)));
        return made.release();
    }();
    [[maybe_unused]] static const bool once = [] {
        py::register_local_exception_translator([](std::exception_ptr p) {
            try {
                std::rethrow_exception(p);
            } catch (const registered_failure& e) {
                PyErr_SetString(type, e.what());
            }
        });
        return true;
    }();
    m.attr("Registered") = py::handle(type);
    m.attr("NativeError") = bridge::native_error_type();
    bridge::def_async(m, "fail", &fail);
    bridge::def_async(m, "pass_", &pass);
    bridge::def_async(m, "as_int", &as_int);
    bridge::def_async(m, "unconvertible", &unconvertible);
    bridge::def_async(m, "bad_text", &bad_text);
    bridge::def_async(m, "what_of", &what_of);
    bridge::def_async(m, "first_failure", &first_failure);
    m.attr("hot_fail") = py::cpp_function([](std::string kind, bool hops) {
        return bridge::to_python_future(fail(std::move(kind), hops));
    });
}

} // namespace

BRIDGE_TEST(each_cpp_exception_has_its_python_type) {
    co_await script::run(R"py(
import errno, socket
kinds = {
    "value": (ValueError, "bad"), "index": (IndexError, "far"), "memory": (MemoryError, ""),
    "runtime": (RuntimeError, "run"), "overflow": (OverflowError, "over"),
    "bytes": (RuntimeError, r"\xff bad"), "index_bytes": (IndexError, r"\xff far"),
    "enoent": (FileNotFoundError, "file"), "refused": (ConnectionRefusedError, ""),
    "std_eacces": (PermissionError, "door"), "filesystem": (FileNotFoundError, "gone"),
    "eof": (EOFError, ""), "resolve": (socket.gaierror, ""),
    "aborted": (asyncio.CancelledError, ""), "channel_cancelled": (asyncio.CancelledError, ""),
    "other_category": (OSError, "Channel closed"), "registered": (m.Registered, "a registered one"),
    "unknown": (m.NativeError, "unknown_failure"), "int": (m.NativeError, "int"),
    "stop_iteration": (RuntimeError, "StopIteration"),
}
async def main():
    for kind, (type_, text) in kinds.items():
        for hops in (False, True):
            for call in (m.fail, m.hot_fail):
                try:
                    await call(kind, hops)
                except BaseException as error:
                    assert type(error) is type_, (kind, hops, repr(error))
                    assert text in str(error), (kind, str(error))
                    if type_ is FileNotFoundError:
                        assert error.errno == errno.ENOENT
                else:
                    assert False, kind
)py",
                         bind);
}

BRIDGE_TEST(a_python_exception_passes_through_cpp_as_the_same_object) {
    co_await script::run(R"py(
class Own(Exception):
    pass
async def raises(error, cause):
    await asyncio.sleep(0)
    raise error from cause
async def main():
    for hops in (False, True):
        error, cause = Own("x"), KeyError("why")
        if hasattr(error, "add_note"):
            error.add_note("a note")
        try:
            await m.pass_(raises(error, cause), hops)
        except Own as seen:
            assert seen is error and seen.__cause__ is cause
            assert getattr(seen, "__notes__", ["a note"]) == ["a note"]
            names = []
            tb = seen.__traceback__
            while tb:
                names.append(tb.tb_frame.f_code.co_name)
                tb = tb.tb_next
            assert names == ["main", "pass", "raises"], names
        else:
            assert False
)py",
                         bind);
}

BRIDGE_TEST(an_exception_group_passes_through_whole) {
    co_await script::run(R"py(
import sys
async def main():
    if sys.version_info < (3, 11):
        return
    async def fails(error):
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            raise error
    async def group():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(m.fail("value", True))
            tasks.create_task(fails(KeyError("k")))
    for hops in (False, True):
        try:
            await m.pass_(group(), hops)
        except BaseExceptionGroup as error:
            assert {type(e) for e in error.exceptions} == {ValueError, KeyError}, error.exceptions
        else:
            assert False
)py",
                         bind);
}

BRIDGE_TEST(an_exception_whose_text_cannot_be_made_still_passes) {
    co_await script::run(R"py(
class Bad(Exception):
    def __str__(self):
        raise ValueError("no text")
class Surrogate(Exception):
    def __str__(self):
        return "\ud800"
async def raises(error):
    raise error
async def main():
    assert "Bad" in await m.what_of(raises(Bad()))
    assert "Surrogate" in await m.what_of(raises(Surrogate()))
    for hops in (False, True):
        error = Bad()
        try:
            await m.pass_(raises(error), hops)
        except Bad as seen:
            assert seen is error
)py",
                         bind);
}

BRIDGE_TEST(a_conversion_that_fails_settles_either_side) {
    co_await script::run(R"py(
async def give(value):
    return value
async def main():
    for hops in (False, True):
        for value in ("text", None, 2 ** 80, 1.5):
            try:
                await m.as_int(give(value), hops)
            except TypeError as error:
                assert "to_cpp" in str(error) and type(value).__name__ in str(error), error
            else:
                assert False, value
        for bad in (m.unconvertible, m.bad_text):
            try:
                await bad(hops)
            except (TypeError, UnicodeDecodeError) as error:
                assert type(error) is (TypeError if bad is m.unconvertible else UnicodeDecodeError)
            else:
                assert False, bad
)py",
                         bind);
}

BRIDGE_TEST(of_parallel_branches_the_first_failure_counts) {
    co_await script::run(R"py(
async def main():
    for hops in (False, True):
        try:
            await m.first_failure(hops)
        except ValueError as error:
            assert str(error) == "bad"
        else:
            assert False
)py",
                         bind);
}

BRIDGE_TEST(system_exit_and_keyboard_interrupt_pass_as_themselves) {
    co_await script::run(R"py(
async def raises(error):
    raise error
async def catches(hops, error):
    try:
        await m.pass_(raises(error), hops)
    except type(error) as seen:
        return seen is error
async def main():
    for error in (SystemExit(3), KeyboardInterrupt(), GeneratorExit()):
        assert await catches(False, error)
)py",
                         bind);
}

BRIDGE_TEST(an_exception_caught_in_cpp_can_be_read_there) {
    auto fails = script::value(R"py(
async def fails():
    raise LookupError("lost")
result = fails()
)py");
    std::string what;
    std::string formatted;
    try {
        co_await bridge::to_cpp(std::move(fails));
    } catch (const bridge::python_error& error) {
        what = error.what();
        formatted = bridge::with_gil([&] { return error.format(); });
    }
    BRIDGE_CHECK(what == "LookupError: lost");
    BRIDGE_CHECK(formatted.find("in fails") != formatted.npos);
}
