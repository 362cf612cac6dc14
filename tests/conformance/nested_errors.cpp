// SPDX-License-Identifier: Apache-2.0
// std::throw_with_nested: what is inside is the cause, as it would be alone.
#include "script.hpp"

#include <boost/asio/post.hpp>

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <system_error>

namespace asio = boost::asio;
namespace py = pybind11;

namespace {

struct unknown_failure {};

template<class Outer, class Inner>
[[noreturn]] void throw_both(Outer outer, Inner inner) {
    try {
        throw inner;
    } catch (...) {
        std::throw_with_nested(std::move(outer));
    }
}

[[noreturn]] void raise(const std::string& kind) {
    const std::system_error no_file(ENOENT, std::generic_category(), "opening the file");
    const boost::system::system_error refused(ECONNREFUSED, boost::system::system_category());
    if (kind == "std in std")
        throw_both(std::runtime_error("outer"), no_file);
    if (kind == "asio in std")
        throw_both(std::invalid_argument("outer"), refused);
    if (kind == "std in asio")
        throw_both(refused, no_file);
    if (kind == "unknown in system")
        throw_both(no_file, 42);
    if (kind == "std in unknown")
        throw_both(unknown_failure(), no_file);
    if (kind == "three")
        try {
            throw_both(std::out_of_range("middle"), no_file);
        } catch (...) {
            std::throw_with_nested(std::runtime_error("outer"));
        }
    throw std::logic_error("no such kind: " + kind);
}

asio::awaitable<void> fail(std::string kind) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    raise(kind);
}

// The Python exception in C++ ones, and by itself in itself.
asio::awaitable<void> wrap(bridge::py_ref awaitable, bool in_itself) {
    try {
        co_await bridge::to_cpp(std::move(awaitable));
    } catch (const bridge::python_error& error) {
        if (in_itself)
            std::throw_with_nested(error);
        std::throw_with_nested(std::runtime_error("outer"));
    }
}

asio::awaitable<void> add_cause(bridge::py_ref awaitable) {
    try {
        co_await bridge::to_cpp(std::move(awaitable));
    } catch (const bridge::python_error& error) {
        throw_both(error, std::system_error(ENOENT, std::generic_category()));
    }
}

void bind(py::object m) {
    m.attr("NativeError") = bridge::native_error_type();
    bridge::def_async(m, "fail", &fail);
    bridge::def_async(m, "wrap", &wrap);
    bridge::def_async(m, "add_cause", &add_cause);
}

} // namespace

BRIDGE_TEST(the_cause_is_what_the_inner_error_alone_would_be) {
    co_await script::run(R"py(
kinds = {
    "std in std": [RuntimeError, FileNotFoundError],
    "asio in std": [ValueError, ConnectionRefusedError],
    "std in asio": [ConnectionRefusedError, FileNotFoundError],
    "unknown in system": [FileNotFoundError, m.NativeError],
    "std in unknown": [m.NativeError, FileNotFoundError],
    "three": [RuntimeError, IndexError, FileNotFoundError],
}
async def main():
    for kind, wanted in kinds.items():
        try:
            await m.fail(kind)
        except Exception as error:
            seen = []
            while error is not None:
                seen.append(type(error))
                assert error.__context__ is error.__cause__ or len(seen) == 1
                error = error.__cause__
            assert seen == wanted, (kind, seen)
        else:
            assert False, kind
)py",
                         bind);
}

BRIDGE_TEST(a_python_exception_inside_is_the_same_object) {
    co_await script::run(R"py(
async def raises(error):
    raise error
async def main():
    inner = KeyError("inner")
    try:
        await m.wrap(raises(inner), False)
    except RuntimeError as error:
        assert error.__cause__ is inner and str(error) == "outer"
    else:
        assert False
)py",
                         bind);
}

BRIDGE_TEST(a_python_exception_outside_keeps_what_it_has_and_never_causes_itself) {
    co_await script::run(R"py(
async def raises(error, cause):
    raise error from cause
async def main():
    error, cause = KeyError("outer"), ValueError("its own")
    for call, given, wanted in ((lambda: m.wrap(raises(error, None), True), None, type(None)),
                                (lambda: m.add_cause(raises(error, None)), None, FileNotFoundError),
                                (lambda: m.add_cause(raises(error, cause)), cause, ValueError)):
        error.__cause__ = None
        try:
            await call()
        except KeyError as seen:
            assert seen is error and type(error.__cause__) is wanted, repr(error.__cause__)
        else:
            assert False
)py",
                         bind);
}

BRIDGE_TEST(a_native_error_is_pickled_by_a_name_that_a_module_has_for_it) {
    co_await script::run(R"py(
import copy, pickle, sys, types
async def main():
    try:
        await m.fail("std in unknown")
    except m.NativeError as caught:
        error = caught
    text = str(error)
    assert "unknown_failure" in text and type(error).__module__ == "bridge_asyncio"
    error.note = "kept"
    # No module has a name for it: it is the RuntimeError that it is to everybody.
    hidden = [(module, name) for module in list(sys.modules.values())
              for name, value in list(getattr(module, "__dict__", {}).items()) if value is m.NativeError]
    for module, name in hidden:
        delattr(module, name)
    try:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            plain = pickle.loads(pickle.dumps(error, protocol))
            assert type(plain) is RuntimeError and str(plain) == text and plain.note == "kept"
    finally:
        for module, name in hidden:
            setattr(module, name, m.NativeError)
    module = sys.modules["users_module"] = types.ModuleType("users_module")
    module.CppError = m.NativeError
    try:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            for made in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error), copy.deepcopy(error)):
                assert type(made) is m.NativeError and made is not error
                assert str(made) == text and made.note == "kept"
        assert b"users_module" in pickle.dumps(error) or hidden
    finally:
        del sys.modules["users_module"]
)py",
                         bind);
}
