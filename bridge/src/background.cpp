// SPDX-License-Identifier: Apache-2.0
#include "background.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstdio>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace bridge::detail {
namespace asio = boost::asio;

namespace {

// A held strand on its way to a thread; where the thread never comes, what waits is destroyed.
class strand_run {
public:
    strand_run(strand& held, strand_task* first) : strand_(&held), first_(first) {}

    strand_run(strand_run&& other) noexcept = default;
    strand_run(const strand_run&) = delete;

    ~strand_run() {
        if (strand_)
            strand_->discard(first_);
    }

    void operator()() {
        const auto held = std::exchange(strand_, {});
        held->run_and_leave(first_);
    }

private:
    intrusive_ptr<strand> strand_;
    strand_task* first_;
};

class background_scheduler final : public runtime_scheduler {
public:
    background_scheduler(int count, bool start_there) : start_there_(start_there) {
        context_.emplace(count);
        work_.emplace(context_->get_executor());
        try {
            for (int i = 0; i < count; ++i)
                add_thread();
        } catch (const std::system_error& error) {
            end(clock::now());
            throw std::system_error(error.code(), "bridge::runtime: thread " +
                                                      std::to_string(threads_.size() + 1) + " of " +
                                                      std::to_string(count) + " could not be made");
        }
    }

    void schedule(strand& held, strand_task* first) noexcept override {
        if (is_own_thread() && !is_copy())
            return asio::post(*context_, strand_run(held, first));
        const gate_guard inside(life());
        if (inside)
            asio::post(*context_, strand_run(held, first));
        else
            held.discard(first);
    }

    bool is_own_thread() const noexcept override { return own_ == this; }

    bool may_start_here() const noexcept override { return !start_there_ || is_own_thread(); }

    asio::execution_context& context() noexcept override { return *context_; }

    asio::io_context* io_context() noexcept override { return &*context_; }

private:
    void add_thread() {
        const std::lock_guard lock(mutex_);
        threads_.emplace_back([this, alive = intrusive_ptr<background_scheduler>(this)] { run(); });
        ++running_;
    }

    void run() noexcept;
    void run_until_stopped();
    bool wait(clock::time_point deadline);
    bool end(clock::time_point deadline) override;

    static inline thread_local const background_scheduler* own_ = nullptr;

    const bool start_there_;
    std::optional<asio::io_context> context_;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
    std::mutex mutex_;
    std::condition_variable ended_;
    int running_ = 0;
    std::vector<std::thread> threads_;
};

// Before it sleeps it lets others run and looks again: a loop on this processor that is about to
// post more does so without waking anybody, and what it posted is then run in one go.
void background_scheduler::run_until_stopped() {
    while (context_->run_one() > 0) {
        do
            std::this_thread::yield();
        while (context_->poll() > 0);
    }
}

void background_scheduler::run() noexcept {
    own_ = this;
    for (;;) {
        try {
            run_until_stopped();
            break;
        } catch (const std::exception& e) {
            // A handler of the user's own, posted to the context without an executor of ours.
            std::fprintf(stderr, "bridge: an exception escaped an Asio handler: %s\n", e.what());
        } catch (...) {
            std::fputs("bridge: an exception escaped an Asio handler\n", stderr);
        }
    }
    const std::lock_guard lock(mutex_);
    --running_;
    ended_.notify_all();
}

bool background_scheduler::wait(clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    return ended_.wait_until(lock, deadline, [this] { return running_ == 0; });
}

bool background_scheduler::end(clock::time_point deadline) {
    work_.reset();
    bool ended = wait(deadline);
    if (!ended) {
        context_->stop();
        ended = wait(clock::now() + std::chrono::seconds(1));
    }
    for (auto& thread : threads_) {
        if (ended)
            thread.join();
        else
            thread.detach();
    }
    ended = life().close(std::max(deadline, clock::now()) + std::chrono::seconds(1)) && ended;
    // Destroys what still waits: frames end, and with them their crossings settle.
    if (ended)
        context_.reset();
    return ended;
}

} // namespace

intrusive_ptr<runtime_scheduler> make_background_scheduler(int threads, bool start_there) {
    return intrusive_ptr<runtime_scheduler>::adopt(new background_scheduler(threads, start_there));
}

} // namespace bridge::detail
