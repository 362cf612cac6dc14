// SPDX-License-Identifier: Apache-2.0
// A server program: arguments, time-outs, a log, and an orderly end on SIGTERM.
#include <bridge/bridge.hpp>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <string_view>

namespace asio = boost::asio;
namespace py = pybind11;

namespace {

// Python's logging, with the level and the handlers that Python code has set.
void log(const char* level, std::string_view text) {
    bridge::with_gil([&] { py::module_::import("logging").attr(level)("%s", text); });
}

asio::awaitable<void> look_up(std::chrono::milliseconds limit) {
    auto slow = bridge::with_gil(
        [] { return bridge::py_ref(py::module_::import("asyncio").attr("sleep")(3600)); });
    try {
        co_await bridge::with_timeout(bridge::to_cpp<void>(std::move(slow)), limit);
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::timed_out)
            throw;
        log("warning", "the look-up took too long");
    }
}

asio::awaitable<int> serve(std::chrono::milliseconds limit) {
    asio::signal_set ends(co_await asio::this_coro::executor, SIGTERM);
    co_await look_up(limit);
    std::puts("ready");
    std::fflush(stdout);
    co_await ends.async_wait(asio::use_awaitable);
    log("info", "asked to end");
    co_return 0;
}

} // namespace

int main(int argc, char** argv) {
    int limit = 0;
    const std::string_view word = argc == 2 ? argv[1] : "";
    if (std::from_chars(word.data(), word.data() + word.size(), limit).ec != std::errc() ||
        limit <= 0) {
        std::fprintf(stderr, "usage: %s MILLISECONDS\n", argv[0]);
        return 2;
    }
    try {
        const bridge::interpreter python(argc, argv);
        py::module_::import("logging").attr("basicConfig")(
            py::arg("level") = "INFO",
            py::arg("stream") = py::module_::import("sys").attr("stdout"),
            py::arg("format") = "%(levelname)s %(message)s");
        return bridge::run(serve(std::chrono::milliseconds(limit)));
    } catch (const std::exception& error) { // KeyboardInterrupt, too
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
