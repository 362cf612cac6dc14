// SPDX-License-Identifier: Apache-2.0
// A part of a test that ends alone.
#pragma once

#include <bridge/harness/detail/checking.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

namespace bridge::harness::detail {

/// While it lives failures name the part, and a skip is a note.
class sub_test_scope {
public:
    sub_test_scope(running_test& run, std::string name);
    ~sub_test_scope();
    sub_test_scope(const sub_test_scope&) = delete;
    sub_test_scope& operator=(const sub_test_scope&) = delete;

    /// Tells how the part ended, null if well; true if it had no failure.
    bool end(const std::exception_ptr& error);

private:
    running_test& run_;
    failure_context context_;
    int failures_before_;
};

template<class F>
boost::asio::awaitable<bool> await_sub_test(running_test& run, std::string name, F function) {
    sub_test_scope scope(run, std::move(name));
    std::exception_ptr error;
    try {
        co_await function();
    } catch (...) {
        error = std::current_exception();
    }
    co_return scope.end(error);
}

template<class F>
auto run_sub_test(running_test& run, std::string name, F function) {
    if constexpr (std::same_as<std::invoke_result_t<F>, void>) {
        sub_test_scope scope(run, std::move(name));
        std::exception_ptr error;
        try {
            function();
        } catch (...) {
            error = std::current_exception();
        }
        return scope.end(error);
    } else {
        return await_sub_test(run, std::move(name), std::move(function));
    }
}

} // namespace bridge::harness::detail
