// SPDX-License-Identifier: Apache-2.0
// Runtimes whose threads are the caller's.
#include <bridge/detail/callers_threads.hpp>

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace bridge {
namespace asio = boost::asio;

namespace detail {

void callers_threads::schedule(strand& held, strand_task* first) noexcept {
    const gate_guard inside(life());
    if (!inside)
        return held.discard(first);
    try {
        hand_over(work(held, first));
    } catch (...) {
        // The work was destroyed on its way, and with it what waited.
    }
}

void callers_threads::crossing_began() noexcept {
    const std::lock_guard lock(count_mutex_);
    ++crossings_;
}

void callers_threads::crossing_ended() noexcept {
    const std::lock_guard lock(count_mutex_);
    if (--crossings_ == 0)
        changed_.notify_all();
}

bool callers_threads::end(clock::time_point deadline) {
    {
        std::unique_lock lock(count_mutex_);
        changed_.wait_until(lock, deadline, [this] { return crossings_ == 0; });
    }
    const bool ended = life().close(std::max(deadline, clock::now()) + std::chrono::seconds(1));
    if (ended)
        destroy_waiting();
    return ended;
}

namespace {

class executor_scheduler;

/// Tells when an execution context of the caller's is destroyed.
class context_watch final : public asio::execution_context::service {
public:
    static asio::execution_context::id id;

    explicit context_watch(asio::execution_context& context) : service(context) {}

    void add(executor_scheduler& scheduler) {
        const std::lock_guard lock(mutex_);
        schedulers_.push_back(&scheduler);
    }

    void remove(executor_scheduler& scheduler) {
        const std::lock_guard lock(mutex_);
        std::erase(schedulers_, &scheduler);
    }

private:
    void shutdown() override;

    std::mutex mutex_;
    std::vector<executor_scheduler*> schedulers_;
};

asio::execution_context::id context_watch::id;

class executor_scheduler final : public callers_threads {
public:
    explicit executor_scheduler(asio::any_io_executor on)
        : on_(std::move(on)), context_(asio::query(on_, asio::execution::context)),
          watch_(&asio::use_service<context_watch>(context_)) {
        watch_->add(*this);
    }

    ~executor_scheduler() override {
        if (watch_ != nullptr && !is_parents_copy())
            watch_->remove(*this);
    }

    asio::execution_context& context() override { return context_; }

    // Its owner's to keep.
    std::shared_ptr<asio::execution_context> shared_context() override {
        if (!life().is_open())
            return nullptr;
        return {std::shared_ptr<void>(), &context_};
    }

    void context_gone() noexcept {
        life().refuse();
        watch_ = nullptr;
        on_ = {};
    }

private:
    void hand_over(work handlers) override { asio::post(on_, std::move(handlers)); }

    asio::any_io_executor on_;
    asio::execution_context& context_;
    context_watch* watch_;
};

void context_watch::shutdown() {
    const std::lock_guard lock(mutex_);
    for (auto* scheduler : std::exchange(schedulers_, {}))
        scheduler->context_gone();
}

} // namespace

intrusive_ptr<runtime_scheduler> make_executor_scheduler(asio::any_io_executor on) {
    if (!on)
        throw std::invalid_argument("bridge::runtime: the executor is empty; give it that of an "
                                    "execution context, such as io_context.get_executor()");
    return intrusive_ptr<runtime_scheduler>::adopt(new executor_scheduler(std::move(on)));
}

} // namespace detail
} // namespace bridge
