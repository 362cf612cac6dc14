// SPDX-License-Identifier: Apache-2.0
#include <bridge/runtime.hpp>

#include "runtime/own_threads.hpp"

#include <bridge/error.hpp>
#include <bridge/gil.hpp>

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace bridge {
namespace asio = boost::asio;

namespace {

int thread_count(const runtime_options& options) {
    const auto processors = std::max(2U, std::thread::hardware_concurrency());
    return static_cast<int>(options.threads != 0 ? options.threads : processors);
}

} // namespace

runtime::runtime(runtime_options options)
    : scheduler_(detail::make_own_threads(thread_count(options), false)) {}

runtime::runtime(current_thread_t) : scheduler_(detail::make_own_threads(1, true)) {}

runtime::runtime(asio::any_io_executor on)
    : scheduler_(detail::make_executor_scheduler(std::move(on))) {}

runtime::~runtime() {
    if (!scheduler_->is_inside()) {
        scheduler_->shutdown(std::chrono::seconds(5));
        return;
    }
    // The last owner was a coroutine of its own.
    std::thread([ending = scheduler_] { ending->shutdown(std::chrono::seconds(5)); }).detach();
}

executor runtime::make_executor(task_locals locals) {
    return detail::make_executor(*scheduler_, std::move(locals));
}

asio::io_context& runtime::io_context() {
    auto* context = scheduler_->io_context();
    if (context == nullptr)
        throw std::logic_error("runtime::io_context: this runtime runs on threads of yours; use "
                               "their own executor, or make_executor()");
    if (!scheduler_->life().is_open() && !scheduler_->is_own_thread())
        detail::throw_error(scheduler_->is_parents_copy() ? errc::forked : errc::runtime_stopped);
    return *context;
}

detail::runtime_scheduler& detail::scheduler_of(runtime& on) noexcept {
    return *on.scheduler_;
}

bool runtime::shutdown(std::chrono::milliseconds deadline) {
    return scheduler_->shutdown(deadline);
}

} // namespace bridge
