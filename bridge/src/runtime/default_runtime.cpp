// SPDX-License-Identifier: Apache-2.0
#include "runtime/default_runtime.hpp"

#include <bridge/detail/shared.hpp>
#include <bridge/error.hpp>
#include <bridge/gil.hpp>

#include <cstdio>
#include <stdexcept>
#include <utility>

namespace bridge {
namespace detail {

constinit default_runtime_home own_default_runtime;

void default_runtime_home::retire(runtime* ended) {
    if (others == nullptr)
        others = new std::vector<runtime*>;
    others->push_back(ended);
}

void default_runtime_home::begin(std::unique_ptr<runtime> made) {
    scheduler_of(*made).keep_for_ever();
    running = made.release();
}

struct default_context::kept {
    std::shared_ptr<boost::asio::execution_context> context;
    kept* next;
};

default_context::~default_context() {
    for (auto* one = first_.load(); one != nullptr;)
        delete std::exchange(one, one->next);
}

boost::asio::execution_context& default_context::get() {
    for (;;) {
        auto& now = default_runtime();
        if (auto its = scheduler_of(now).shared_context())
            return keep(std::move(its));
        // Else it was shut down and given up at this moment, and there is a new one.
        if (&now == &default_runtime())
            throw_error(errc::runtime_stopped);
    }
}

boost::asio::execution_context&
default_context::keep(std::shared_ptr<boost::asio::execution_context> context) {
    auto* first = first_.load(std::memory_order_acquire);
    if (first != nullptr && first->context == context)
        return *context;
    auto* made = new kept{context, first};
    while (!first_.compare_exchange_weak(made->next, made, std::memory_order_release,
                                         std::memory_order_relaxed)) {
    }
    return *context;
}

namespace {

std::chrono::milliseconds exit_deadline() noexcept {
    return std::chrono::milliseconds(shared().exit_deadline_milliseconds.load());
}

runtime* take_default_runtime() {
    auto& from = own_default_runtime;
    const std::lock_guard lock(from.mutex);
    if (auto* running = from.running.load()) {
        scheduler_of(*running).require_outside();
        from.retire(running);
    }
    return from.running.exchange(nullptr);
}

void require_none() {
    if (own_default_runtime.running != nullptr)
        throw std::logic_error(
            "init_default_runtime: the default runtime is already running in this program or "
            "module; call it before the first crossing, or after shutdown_default_runtime()");
}

void end_default_runtime() noexcept {
    const gil_pause pause;
    try {
        take_default_runtime();
        const auto& all = own_default_runtime;
        for (std::size_t i = 0; all.others != nullptr && i < all.others->size(); ++i)
            (*all.others)[i]->shutdown(exit_deadline());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bridge: at interpreter exit: %s\n", error.what());
    }
}

bool default_runtime_runs() noexcept {
    return own_default_runtime.running.load(std::memory_order_acquire) != nullptr;
}

} // namespace

constinit image own_image{&end_default_runtime, &default_runtime_runs};

void end_default_runtimes() noexcept {
    for (auto* one = shared().images.load(); one != nullptr; one = one->next)
        one->end_default_runtime();
}

} // namespace detail

runtime& default_runtime() {
    auto& in = detail::own_default_runtime;
    if (auto* running = in.running.load(std::memory_order_acquire))
        return *running;
    const std::lock_guard lock(in.mutex);
    if (in.running == nullptr)
        in.begin(std::make_unique<runtime>(
            runtime_options{.threads = detail::shared().runtime_threads}));
    return *in.running;
}

void init_default_runtime(runtime_options options) {
    auto& in = detail::own_default_runtime;
    const std::lock_guard lock(in.mutex);
    detail::require_none();
    detail::shared().runtime_threads = options.threads;
    detail::shared().exit_deadline_milliseconds = options.exit_deadline.count();
}

void init_default_runtime(std::unique_ptr<runtime> runtime) {
    auto& in = detail::own_default_runtime;
    const std::lock_guard lock(in.mutex);
    detail::require_none();
    in.begin(std::move(runtime));
}

bool shutdown_default_runtime(std::chrono::milliseconds deadline) {
    const detail::gil_pause pause;
    auto* ending = detail::take_default_runtime();
    return ending == nullptr || ending->shutdown(deadline);
}

} // namespace bridge
