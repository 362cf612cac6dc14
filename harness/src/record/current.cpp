// SPDX-License-Identifier: Apache-2.0
#include <bridge/bridge.hpp>
#include <bridge/harness/current.hpp>

#include "record/running_test.hpp"

#include <stdexcept>

namespace bridge::harness {

current_test current() {
    auto* run = running_test::find();
    if (run == nullptr)
        throw std::logic_error("bridge::harness::current: no test runs");
    const auto& info = run->test().info;
    return {info.id, info.suite, info.name, run->timeout(), to_string(run->loop()), run};
}

std::filesystem::path current_test::temporary_folder() const {
    return run->own().temporary_folder();
}

std::filesystem::path current_test::artifact(std::string_view file) const {
    return run->own().artifact(file);
}

std::uint16_t current_test::free_port() const {
    return find_free_port();
}

namespace {

// A method of the loop of virtual_time.py.
template<class... Arguments>
boost::asio::awaitable<void> call_loop(const running_test& run, const char* method,
                                       Arguments... arguments) {
    require_virtual_time(run, method);
    auto coroutine = with_python(
        [&] { return py_ref(current_locals().event_loop().attr(method)(arguments...)); });
    co_await to_cpp<void>(std::move(coroutine));
}

} // namespace

boost::asio::awaitable<void> current_test::settle() const {
    return call_loop(*run, "settle");
}

boost::asio::awaitable<void> current_test::advance(std::chrono::nanoseconds time) const {
    return call_loop(*run, "advance", std::chrono::duration<double>(time).count());
}

std::mt19937_64& current_test::random() const {
    return run->own().random();
}

} // namespace bridge::harness
