// SPDX-License-Identifier: Apache-2.0
// What tests of runtimes share.
#pragma once

#include "python.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <optional>
#include <string>
#include <thread>

namespace asio = boost::asio;
namespace py = pybind11;

/// Awaits what `make` gives in a loop; the text of the exception, "" without one.
inline std::string await_in_loop(const std::function<py::object()>& make, int count = 1) {
    py::dict names;
    names["make"] = py::cpp_function(make);
    names["count"] = count;
    return check::execute(
               "import asyncio\n"
               "async def main():\n"
               "    tasks = [asyncio.ensure_future(make()) for _ in range(count)]\n"
               "    try: await asyncio.wait_for(asyncio.gather(*tasks), 20)\n"
               "    except Exception as error: return f'{type(error).__name__}: {error}'\n"
               "    return ''\n"
               "said = asyncio.run(main())\n",
               names)["said"]
        .cast<std::string>();
}

inline const std::string stopped =
    "RuntimeError: the runtime was shut down; create a new one or call "
    "before shutdown() [bridge:4]";

/// An io_context of the caller's and the thread that runs it.
class own_context {
public:
    own_context() : work_(context_->get_executor()), thread_([this] { context_->run(); }) {}

    ~own_context() { end(); }

    void end() {
        if (!thread_.joinable())
            return;
        context_->stop();
        thread_.join();
        work_.reset();
    }

    void destroy() {
        end();
        context_.reset();
    }

    asio::io_context& operator*() { return *context_; }

    std::thread::id id() const { return thread_.get_id(); }

private:
    std::optional<asio::io_context> context_{std::in_place};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};
