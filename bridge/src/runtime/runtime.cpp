// SPDX-License-Identifier: Apache-2.0
#include <bridge/runtime.hpp>

#include "runtime/own_threads.hpp"

#include <bridge/detail/port.hpp>
#include <bridge/error.hpp>
#include <bridge/gil.hpp>

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace bridge {
namespace asio = boost::asio;

bool detail::runtime_scheduler::is_inside() const noexcept {
    const auto* here = strand::current();
    return is_own_thread() || (here != nullptr && &here->on() == this);
}

bool detail::runtime_scheduler::shutdown(std::chrono::milliseconds time) {
    if (is_parents_copy())
        return true;
    require_outside();
    const gil_pause pause;
    const std::lock_guard one_at_a_time(mutex_);
    if (!ended_) {
        ended_ = end(clock::now() + time);
        port::tell_ended(*this);
    }
    return *ended_;
}

void detail::runtime_scheduler::require_outside() const {
    if (is_inside())
        throw std::logic_error("runtime::shutdown: called by a coroutine or handler of this "
                               "runtime, which would wait for itself; call it from the thread of "
                               "the event loop or another one that is not the runtime's");
}

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

detail::scheduler& runtime::scheduler() noexcept {
    return *scheduler_;
}

bool runtime::shutdown(std::chrono::milliseconds deadline) {
    return scheduler_->shutdown(deadline);
}

} // namespace bridge
