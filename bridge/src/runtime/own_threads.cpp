// SPDX-License-Identifier: Apache-2.0
#include "runtime/own_threads.hpp"

#include "loop/yield_backoff.hpp"
#include "runtime/default_runtime.hpp"

#include <bridge/detail/memory.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace bridge::detail {
namespace asio = boost::asio;

namespace {

// A thread runs so many before it looks at its descriptors and timers again.
constexpr int strands_a_turn = 64;

// Held strands that wait for a thread, first come first served.
class ready_strands {
public:
    void push(strand& held) noexcept {
        held.retain();
        held.next_ready = nullptr;
        *last_ = &held;
        last_ = &held.next_ready;
    }

    intrusive_ptr<strand> pop() noexcept {
        auto* held = first_;
        if (held != nullptr && (first_ = held->next_ready) == nullptr)
            last_ = &first_;
        return intrusive_ptr<strand>::adopt(held);
    }

    bool is_empty() const noexcept { return first_ == nullptr; }

private:
    strand* first_ = nullptr;
    strand** last_ = &first_;
};

class own_threads final : public runtime_scheduler {
public:
    own_threads(int count, bool start_there)
        : start_there_(start_there), most_runners_(count), context_(count) {
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
        if (is_own_thread() && !is_parents_copy())
            return add(held, first);
        const gate_guard inside(life());
        if (inside)
            add(held, first);
        else
            held.discard(first);
    }

    bool is_own_thread() const noexcept override { return own_ == this; }

    bool may_start_here() const noexcept override { return !start_there_ || is_own_thread(); }

    asio::execution_context& context() override {
        if (life().is_open() || is_own_thread())
            return *context_;
        return elsewhere_.get();
    }

    std::shared_ptr<asio::execution_context> shared_context() override { return context_.share(); }

    asio::io_context* io_context() noexcept override { return &*context_; }

private:
    void add(strand& held, strand_task* first) noexcept;
    void run_strands(bool is_new) noexcept;
    void discard_strands() noexcept;

    void add_thread() {
        const std::lock_guard lock(mutex_);
        threads_.emplace_back([this, alive = intrusive_ptr<own_threads>(this)] { run(); });
        ++running_;
    }

    void run() noexcept;
    void post_run_strands(bool is_new);
    bool take_runner() noexcept;
    void run_until_stopped();
    bool wait(clock::time_point deadline);
    bool end(clock::time_point deadline) override;

    static inline thread_local const own_threads* own_ = nullptr;

    const bool start_there_;
    const int most_runners_;
    std::mutex ready_mutex_;
    ready_strands ready_;
    int runners_ = 0;             // handlers of the context that run them: on their way, or at it
    bool has_new_runner_ = false; // one that is on its way for the first time
    own_context<asio::io_context> context_;
    default_context elsewhere_;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
    std::mutex mutex_;
    std::condition_variable ended_;
    int running_ = 0;
    std::vector<std::thread> threads_;
};

void own_threads::post_run_strands(bool is_new) {
    asio::post(*context_, asio::bind_allocator(pool_allocator<std::byte>(),
                                               [this, is_new] { run_strands(is_new); }));
}

// One is woken at a time, and wakes the next one: in the C library before glibc 2.41, a thread that
// wakes many waits until they run, and the loop's thread has better things to do.
bool own_threads::take_runner() noexcept {
    if (has_new_runner_ || runners_ == most_runners_)
        return false;
    ++runners_;
    return has_new_runner_ = true;
}

// A thread that is at it takes what comes without the context hearing of it.
void own_threads::add(strand& held, strand_task* first) noexcept {
    held.begin_with(first);
    {
        const std::lock_guard lock(ready_mutex_);
        ready_.push(held);
        if (!take_runner())
            return;
    }
    post_run_strands(true);
}

void own_threads::run_strands(bool is_new) noexcept {
    for (int left = strands_a_turn; left > 0; --left) {
        std::unique_lock lock(ready_mutex_);
        if (std::exchange(is_new, false))
            has_new_runner_ = false;
        const auto held = ready_.pop();
        if (!held) {
            --runners_;
            return;
        }
        const bool wakes_another = !ready_.is_empty() && take_runner();
        lock.unlock();
        if (wakes_another)
            post_run_strands(true);
        held->run_and_leave(held->take_first());
    }
    post_run_strands(false);
}

void own_threads::discard_strands() noexcept {
    while (const auto held = ready_.pop())
        held->discard(held->take_first());
}

// Before it sleeps it lets others run and looks again: a loop on this processor that is about to
// post more does so without waking anybody, and what it posted is then run in one go.
void own_threads::run_until_stopped() {
    yield_backoff yields;
    while (context_->run_one() > 0)
        while (yields.yield())
            yields.note(context_->poll() > 0);
}

void own_threads::run() noexcept {
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

bool own_threads::wait(clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    return ended_.wait_until(lock, deadline, [this] { return running_ == 0; });
}

bool own_threads::end(clock::time_point deadline) {
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
    if (ended) {
        discard_strands();
        context_.end();
    }
    return ended;
}

} // namespace

intrusive_ptr<runtime_scheduler> make_own_threads(int threads, bool start_there) {
    return intrusive_ptr<runtime_scheduler>::adopt(new own_threads(threads, start_there));
}

} // namespace bridge::detail
