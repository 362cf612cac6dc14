// SPDX-License-Identifier: Apache-2.0
// The strand, without Python: one handler at a time, in order, and what becomes of the rest.
#include <bridge/detail/strand.hpp>

#include <bridge/executor.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>

#include "check.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace {

using bridge::detail::intrusive_ptr;
using bridge::detail::scheduler;
using bridge::detail::strand;
using bridge::detail::strand_task;

/// Holds what it is given until somebody runs it.
class by_hand final : public scheduler {
public:
    void schedule(strand& held, strand_task* first) noexcept override {
        {
            const std::lock_guard lock(mutex_);
            ready_.push_back({intrusive_ptr<strand>(&held), first});
        }
        changed_.notify_one();
    }

    bool is_own_thread() const noexcept override { return false; }

    boost::asio::execution_context& context() override { return context_; }

    std::size_t waiting() {
        const std::lock_guard lock(mutex_);
        return ready_.size();
    }

    /// False if there is nothing to run.
    bool run_one() {
        turn next;
        {
            const std::lock_guard lock(mutex_);
            if (ready_.empty())
                return false;
            next = take();
        }
        next.held->run_and_leave(next.first);
        return true;
    }

    void run_all() {
        while (run_one()) {
        }
    }

    /// Until stop(), for threads of its own.
    void run_until_stopped() {
        for (;;) {
            turn next;
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [this] { return stopped_ || !ready_.empty(); });
                if (ready_.empty())
                    return;
                next = take();
            }
            next.held->run_and_leave(next.first);
        }
    }

    void stop() {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        changed_.notify_all();
    }

private:
    struct turn {
        intrusive_ptr<strand> held{};
        strand_task* first = nullptr;
    };

    turn take() {
        auto next = std::move(ready_.front());
        ready_.pop_front();
        return next;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<turn> ready_;
    bool stopped_ = false;
    boost::asio::execution_context context_;
};

/// A task that is its own owner.
class task final : public strand_task {
public:
    static strand_task* make(std::function<void()> called, std::function<void()> destroyed = {}) {
        return new task(std::move(called), std::move(destroyed));
    }

private:
    task(std::function<void()> called, std::function<void()> destroyed)
        : called_(std::move(called)), destroyed_(std::move(destroyed)) {
        run = [](strand_task* self, bool call) {
            const std::unique_ptr<task> owned(static_cast<task*>(self));
            if (const auto& what = call ? owned->called_ : owned->destroyed_)
                what();
        };
    }

    std::function<void()> called_;
    std::function<void()> destroyed_;
};

intrusive_ptr<by_hand> make_scheduler() {
    return intrusive_ptr<by_hand>::adopt(new by_hand);
}

/// A free strand; `ended` counts those that were deleted.
intrusive_ptr<strand> make_strand(scheduler& on, int* ended = nullptr) {
    struct counted final : strand {
        counted(scheduler& on, int* count) : strand(on, {}, nullptr), ended_(count) {}

        ~counted() override {
            if (ended_ != nullptr)
                ++*ended_;
        }

    private:
        int* ended_;
    };

    auto made = intrusive_ptr<strand>::adopt(new counted(on, ended));
    made->leave();
    return made;
}

TEST("handlers run in the order in which they were posted") {
    const auto on = make_scheduler();
    const auto serial = make_strand(*on);
    std::vector<int> ran;
    for (int i = 0; i < 5; ++i)
        serial->post(task::make([&ran, i] { ran.push_back(i); }));
    CHECK(ran.empty() && on->waiting() == 1);
    on->run_all();
    CHECK(ran == std::vector<int>{0, 1, 2, 3, 4});
}

TEST("what is posted while it is held runs once it is left") {
    const auto on = make_scheduler();
    const auto serial = make_strand(*on);
    CHECK(serial->try_hold());
    CHECK(!serial->try_hold());
    bool ran = false;
    serial->post(task::make([&] { ran = true; }));
    CHECK(on->waiting() == 0 && !on->run_one());
    serial->leave();
    on->run_all();
    CHECK(ran);
    CHECK(serial->try_hold());
}

TEST("a handler sees its strand as the current one, and nothing else does") {
    const auto on = make_scheduler();
    const auto serial = make_strand(*on);
    const strand* seen = nullptr;
    const strand* outside = serial.get();
    serial->post(task::make([&] {
        seen = strand::current();
        strand::run_outside([&] { outside = strand::current(); });
    }));
    CHECK(strand::current() == nullptr);
    on->run_all();
    CHECK(seen == serial.get() && outside == nullptr && strand::current() == nullptr);
}

TEST("a handler that posts to itself for ever leaves the thread to others") {
    const auto on = make_scheduler();
    const auto greedy = make_strand(*on);
    const auto patient = make_strand(*on);
    int turns = 0;
    std::function<void()> again = [&] {
        if (++turns < 1000)
            greedy->post(task::make(again));
    };
    greedy->post(task::make(again));
    int turns_before = 0;
    patient->post(task::make([&] { turns_before = turns; }));
    on->run_all();
    CHECK(turns == 1000);
    CHECK(turns_before < 10);
}

TEST("a handler that throws is reported, and those behind it run") {
    const auto on = make_scheduler();
    const auto serial = make_strand(*on);
    bool ran = false;
    serial->post(task::make([] { throw std::runtime_error("on purpose"); }));
    serial->post(task::make([&] { ran = true; }));
    on->run_all();
    CHECK(ran && serial->try_hold());
}

TEST("what is discarded is destroyed uncalled, also what is posted meanwhile") {
    const auto on = make_scheduler();
    const auto serial = make_strand(*on);
    CHECK(serial->try_hold());
    int called = 0;
    int destroyed = 0;
    const auto count = [&](int& what) { return [&what] { ++what; }; };
    serial->post(task::make(count(called), [&] {
        ++destroyed;
        serial->post(task::make(count(called), count(destroyed)));
    }));
    serial->post(task::make(count(called), count(destroyed)));
    serial->discard(task::make(count(called), count(destroyed)));
    CHECK(called == 0 && destroyed == 4);
    CHECK(serial->try_hold()); // it was given up
}

TEST("it lives as long as a handler of it waits or runs, and no longer") {
    const auto on = make_scheduler();
    int ended = 0;
    int ended_inside = -1;
    {
        const auto serial = make_strand(*on, &ended);
        serial->post(task::make([&] { ended_inside = ended; }));
    }
    CHECK(ended == 0);
    on->run_all();
    CHECK(ended_inside == 0 && ended == 1);
}

TEST("what a handler takes others may give back while it runs, and it lives until the handler "
     "ends") {
    const auto on = make_scheduler();
    int ended = 0;
    int ended_inside = -1;
    {
        auto serial = make_strand(*on, &ended);
        auto* const its = serial.get();
        its->post(task::make([&, its] {
            std::vector<intrusive_ptr<strand>> taken(3, intrusive_ptr<strand>(its));
            std::thread([&] {
                taken.clear();
                serial = {};
            }).join();
            ended_inside = ended;
        }));
        on->run_all();
    }
    CHECK(ended_inside == 0 && ended == 1);
}

TEST("a handler gives back what others took, and what it took outlives it") {
    const auto on = make_scheduler();
    int ended = 0;
    std::vector<intrusive_ptr<strand>> kept;
    auto serial = make_strand(*on, &ended);
    std::vector<intrusive_ptr<strand>> others(5, serial);
    serial->post(task::make([&] {
        kept.emplace_back(strand::current());
        others.clear();
        serial = {};
    }));
    on->run_all();
    CHECK(ended == 0);
    kept.clear();
    CHECK(ended == 1);
}

TEST("a handler may take more references than it counts by itself") {
    static constexpr int many = (1 << 24) + 1000;
    const auto on = make_scheduler();
    int ended = 0;
    int ended_inside = -1;
    auto serial = make_strand(*on, &ended);
    serial->post(task::make([&] {
        auto* const its = strand::current();
        for (int i = 0; i < many; ++i)
            its->retain();
        std::thread([its] {
            for (int i = 0; i < many; ++i)
                its->release();
        }).join();
        ended_inside = ended;
        for (int i = 0; i < many; ++i)
            its->retain();
        for (int i = 0; i < many; ++i)
            its->release();
    }));
    on->run_all();
    CHECK(ended_inside == 0 && ended == 0);
    serial = {};
    CHECK(ended == 1);
}

TEST("an executor of it runs what is dispatched in its turn, and keeps it alive") {
    const auto on = make_scheduler();
    std::vector<int> ran;
    {
        const auto executor = bridge::detail::make_executor(*on, {});
        executor.execute([&ran, executor] {
            ran.push_back(1);
            executor.execute([&ran] { ran.push_back(2); }); // its turn is now
            executor.require(boost::asio::execution::blocking.never).execute([&ran] {
                ran.push_back(4);
            });
            ran.push_back(3);
        });
    }
    on->run_all();
    CHECK(ran == std::vector<int>{1, 2, 3, 4});
}

// The counters are not atomic: ThreadSanitizer sees two handlers at once.
TEST("on many threads a strand's handlers never run at the same time") {
    constexpr std::size_t threads = 4;
    constexpr std::size_t strands = 3;
    constexpr int handlers = 2000;
    const auto on = make_scheduler();
    std::vector<intrusive_ptr<strand>> serial;
    for (std::size_t i = 0; i < strands; ++i)
        serial.push_back(make_strand(*on));
    std::vector<int> counts(strands, 0);
    std::vector<std::thread> running;
    for (std::size_t i = 0; i < threads; ++i)
        running.emplace_back([&] { on->run_until_stopped(); });
    std::vector<std::thread> posting;
    for (std::size_t i = 0; i < threads; ++i)
        posting.emplace_back([&] {
            for (int n = 0; n < handlers; ++n)
                for (std::size_t which = 0; which < strands; ++which)
                    serial[which]->post(task::make([&counts, which] { ++counts[which]; }));
        });
    for (auto& one : posting)
        one.join();
    on->stop(); // they end when nothing is ready: a batch that is left is made ready by who leaves
    for (auto& one : running)
        one.join();
    on->run_all();
    for (const auto count : counts)
        CHECK(count == static_cast<int>(threads) * handlers);
}

boost::asio::cancellation_state new_state(boost::asio::cancellation_signal& signal) {
    return {signal.slot(), boost::asio::enable_total_cancellation()};
}

TEST("what waits where one did that a request has reached, was not reached") {
    using bridge::detail::other_wait;
    const int chain = 0;
    boost::asio::cancellation_signal request;
    boost::asio::cancellation_signal nobodys;
    bridge::detail::other_chains others;
    other_wait reached{{}, {}, {}, &chain, new_state(request), false, nullptr};
    others.add(reached);
    others.begin_request();
    request.emit(boost::asio::cancellation_type::total);
    others.end_request();
    others.remove(reached);
    CHECK(others.is_reached(&chain));
    other_wait its_next{{}, {}, {}, &chain, reached.state, false, nullptr};
    others.add(its_next);
    others.remove(its_next);
    CHECK(others.is_reached(&chain));
    other_wait anothers{{}, {}, {}, &chain, new_state(nobodys), false, nullptr};
    others.add(anothers);
    CHECK(!others.is_reached(&chain));
    others.remove(anothers);
    CHECK(!others.is_reached(&chain));
}

} // namespace

int main() {
    return check::run();
}
