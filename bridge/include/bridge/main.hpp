// SPDX-License-Identifier: Apache-2.0
// A program whose main is a coroutine and whose main thread is Python's.
#pragma once

#include <bridge/interpreter.hpp>
#include <bridge/run.hpp>

#include <boost/asio/awaitable.hpp>

namespace bridge::detail {

using main_body = boost::asio::awaitable<void>();

/// Starts Python, runs the body as run() does, ends Python, maps to an exit code.
int run_main(int argc, char** argv, main_body* body, run_options (*options)());

} // namespace bridge::detail

/// BRIDGE_MAIN() { co_await ...; } defines main: it starts Python with the program's arguments
/// as sys.argv, runs the body as bridge::run does and ends Python. Options of run may be given as
/// designated initialisers, evaluated under the GIL once Python runs: BRIDGE_MAIN(.debug = true),
/// BRIDGE_MAIN(.threads = 2).
/// Exit code as Python's: 0; 1 after an exception, which is printed with its traceback; that of
/// SystemExit; 130 after Ctrl-C.
#define BRIDGE_MAIN(...)                                                                           \
    static boost::asio::awaitable<void> bridge_main_body();                                        \
    int main(int argc, char** argv) {                                                              \
        return ::bridge::detail::run_main(argc, argv, &bridge_main_body,                           \
                                          [] { return ::bridge::run_options{__VA_ARGS__}; });      \
    }                                                                                              \
    static boost::asio::awaitable<void> bridge_main_body()
