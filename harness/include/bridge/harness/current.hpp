// SPDX-License-Identifier: Apache-2.0
// The test that runs here, and what it may ask for.
#pragma once

#include <bridge/harness/detail/sub_test.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace bridge::harness {

class running_test;

/// A running test, as its own code may see it. Valid as long as the program. All of it on any
/// thread, without the GIL.
struct current_test {
    std::string_view id;
    std::string_view suite;
    std::string_view name;
    std::chrono::milliseconds timeout;
    std::string_view loop;       ///< its name: "asyncio", "same-thread", ...
    running_test* run = nullptr; ///< the harness's own

    /// An empty folder, removed when the test has ended. The same at each call.
    std::filesystem::path temporary_folder() const;

    /// Where to write a file that is to outlive the test: `name` in a folder of this test's below
    /// that of --artifacts. A file that is there when the test ends is named in its report.
    std::filesystem::path artifact(std::string_view name) const;

    /// A TCP port of 127.0.0.1 that nobody uses now.
    std::uint16_t free_port() const;

    /// Random numbers that --seed repeats, different in each test. One thread at a time.
    std::mt19937_64& random() const;

    /// In virtual time: returns when nothing can run on either side unless time passes or something
    /// comes from outside.
    /// Resumes: on its executor.
    /// Cancel: ends the wait.
    /// Throws: std::logic_error without virtual_time() among the test's options.
    boost::asio::awaitable<void> settle() const;

    /// In virtual time: lets so much of it pass, and each timer on the way run at its own time. It
    /// does not wait for I/O.
    /// Resumes: on its executor, when what is due at the end has run.
    /// Cancel: ends the wait, at the time that it is then.
    /// Throws: std::logic_error without virtual_time(); ValueError, as a python_error, for a
    /// negative time.
    boost::asio::awaitable<void> advance(std::chrono::nanoseconds time) const;

    /// Runs a part of the test, a function or one that returns asio::awaitable<void>, which then is
    /// to be awaited. A failed REQUIRE, a FAIL, a SKIP or an exception in it ends the part alone;
    /// its failures name it. True if it had none.
    template<class F>
    auto sub_test(std::string_view part, F function) const {
        return detail::run_sub_test(*run, std::string(part), std::move(function));
    }
};

/// The test that this handler works for; on a thread that works for none the only one that runs.
/// GIL: not needed, on any thread.
/// Throws: std::logic_error if no test runs.
current_test current();

} // namespace bridge::harness
