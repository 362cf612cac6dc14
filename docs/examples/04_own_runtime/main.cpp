// SPDX-License-Identifier: Apache-2.0
// A runtime that is not Asio's: a thread and a queue of one's own.
#include <bridge/bridge.hpp>

#include <boost/asio/steady_timer.hpp>

#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <thread>

class worker {
public:
    // What bridge::runtime asks of it.
    void post(bridge::work work) {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(work));
        ready_.notify_one();
    }

    std::jthread::id id() const { return thread_.get_id(); }

private:
    void run(const std::stop_token& end) {
        std::unique_lock lock(mutex_);
        while (ready_.wait(lock, end, [this] { return !queue_.empty(); })) {
            auto next = std::move(queue_.front());
            queue_.pop_front();
            lock.unlock();
            next();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any ready_;
    std::deque<bridge::work> queue_;
    std::jthread thread_{[this](const std::stop_token& end) { run(end); }};
};

boost::asio::awaitable<bool> sleep_on(const worker& thread) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(std::chrono::milliseconds(10));
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_return std::this_thread::get_id() == thread.id();
}

int main() {
    const bridge::interpreter python;
    worker thread;
    bridge::runtime runtime(thread);
    const auto there = pybind11::module_::import("asyncio").attr("run")(
        bridge::to_python(runtime, {}, sleep_on(thread)));
    std::printf("on the worker's thread: %s\n", there.cast<bool>() ? "yes" : "no");
}
