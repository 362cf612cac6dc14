// SPDX-License-Identifier: Apache-2.0
// The queue of a port, without Python: order, wake-ups, budget and end.
#include <bridge/detail/port_queue.hpp>

#include "check.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <semaphore>
#include <thread>
#include <vector>

namespace {

using bridge::detail::port_node;
using bridge::detail::port_queue;
using pushed = port_queue::pushed;
using clock = std::chrono::steady_clock;

const auto some_day = clock::time_point::max();

struct told {
    int number;
    bool alive;

    bool operator==(const told&) const = default;
};

/// Nodes with numbers, and what was delivered of them.
struct letters {
    struct letter : port_node {
        letters* of = nullptr;
        int number = 0;
        std::function<void()> then{};
    };

    std::deque<letter> all{};
    std::vector<told> delivered{};

    port_node* write(int number, std::function<void()> then = {}) {
        auto& one = all.emplace_back();
        one.of = this;
        one.number = number;
        one.then = std::move(then);
        one.deliver = [](port_node* self, bool alive) noexcept {
            auto* what = static_cast<letter*>(self);
            what->of->delivered.push_back({what->number, alive});
            if (what->then)
                what->then();
        };
        return &one;
    }
};

TEST("what was pushed is delivered once, the oldest first") {
    port_queue queue;
    letters post;
    for (int i = 0; i < 3; ++i)
        queue.push(post.write(i));
    CHECK(queue.has_arrivals() && queue.size() == 3);
    CHECK(queue.deliver(some_day) == 3);
    CHECK(post.delivered == std::vector<told>{{0, true}, {1, true}, {2, true}});
    CHECK(!queue.has_arrivals() && queue.size() == 0);
    CHECK(queue.deliver(some_day) == 0);
}

TEST("only the push into an empty queue asks for a wake-up") {
    port_queue queue;
    letters post;
    CHECK(queue.push(post.write(0)) == pushed::first);
    CHECK(queue.push(post.write(1)) == pushed::behind);
    queue.deliver(some_day);
    CHECK(queue.push(post.write(2)) == pushed::first);
}

TEST("a budget leaves the rest, in order, and what comes meanwhile behind it") {
    port_queue queue;
    letters post;
    for (int i = 0; i < 300; ++i)
        queue.push(post.write(i));
    CHECK(queue.deliver(some_day) == 256);
    CHECK(queue.has_arrivals() && queue.size() == 44);
    CHECK(queue.push(post.write(300)) == pushed::first); // whoever delivers again sees it
    CHECK(queue.deliver(some_day) == 45);
    bool in_order = post.delivered.size() == 301;
    for (int i = 0; in_order && i < 301; ++i)
        in_order = post.delivered[static_cast<std::size_t>(i)] == told{i, true};
    CHECK(in_order);
}

TEST("when its time is over the rest is left, but some is always delivered") {
    port_queue queue;
    letters post;
    for (int i = 0; i < 100; ++i)
        queue.push(post.write(i));
    const auto first = queue.deliver(clock::time_point::min());
    CHECK(first > 0 && first < 100);
    while (queue.has_arrivals())
        queue.deliver(clock::time_point::min());
    CHECK(post.delivered.size() == 100);
}

TEST("what a delivery pushes is delivered too") {
    port_queue queue;
    letters post;
    queue.push(post.write(0, [&] { queue.push(post.write(1)); }));
    CHECK(queue.deliver(some_day) == 2);
    CHECK(post.delivered == std::vector<told>{{0, true}, {1, true}});
}

TEST("a closed queue refuses, and delivers what had come as dead") {
    port_queue queue;
    letters post;
    for (int i = 0; i < 300; ++i)
        queue.push(post.write(i));
    queue.deliver(some_day); // leaves 44
    queue.push(post.write(300));
    CHECK(queue.is_open() && queue.close() && !queue.is_open());
    CHECK(queue.push(post.write(301)) == pushed::refused);
    CHECK(!queue.close());
    post.delivered.clear();
    queue.deliver_as_dead();
    CHECK(post.delivered.size() == 45);
    CHECK(post.delivered.front() == told{256, false} && post.delivered.back() == told{300, false});
    CHECK(!queue.has_arrivals());
}

TEST("a delivery may close the queue: the rest is left to be told") {
    port_queue queue;
    letters post;
    queue.push(post.write(0, [&] {
        queue.push(post.write(2));
        queue.close();
        queue.deliver_as_dead();
    }));
    queue.push(post.write(1));
    queue.deliver(clock::time_point::min());
    queue.deliver_as_dead();
    // 1 was on its way when the queue was closed.
    CHECK(post.delivered.size() == 3);
    CHECK(post.delivered[0] == told{0, true} && post.delivered[1] == told{2, false});
    CHECK(post.delivered[2].number == 1);
}

TEST("a forked child's copy refuses, and leaves the parent's letters alone") {
    port_queue queue;
    letters post;
    queue.push(post.write(0));
    queue.close_copy();
    CHECK(queue.push(post.write(1)) == pushed::refused);
    queue.deliver_as_dead();
    CHECK(post.delivered.empty());
}

/// What one thread pushes, in its order.
struct numbered : port_node {
    std::size_t thread = 0;
    int number = 0;
    struct reader* to = nullptr;
};

constexpr std::size_t threads = 4;

struct reader {
    std::vector<int> next = std::vector<int>(threads, 0);
    bool in_order = true;
    std::size_t alive = 0;
    std::size_t dead = 0;

    static void take(port_node* self, bool is_alive) noexcept {
        const auto* one = static_cast<numbered*>(self);
        auto& expected = one->to->next[one->thread];
        one->to->in_order = one->to->in_order && one->number >= expected;
        expected = one->number + 1;
        ++(is_alive ? one->to->alive : one->to->dead);
    }
};

/// Pushes from all threads; `on_first` is called for each push that asks for a wake-up. How many
/// were refused.
std::size_t push_from_threads(port_queue& queue, std::vector<std::vector<numbered>>& nodes,
                              const std::function<void()>& on_first) {
    std::atomic<std::size_t> refused{0};
    std::vector<std::thread> running;
    for (auto& mine : nodes)
        running.emplace_back([&queue, &mine, &refused, &on_first] {
            for (auto& node : mine) {
                const auto answer = queue.push(&node);
                if (answer == pushed::first)
                    on_first();
                else if (answer == pushed::refused)
                    ++refused;
            }
        });
    for (auto& one : running)
        one.join();
    return refused;
}

std::vector<std::vector<numbered>> make_nodes(reader& to, std::size_t count) {
    std::vector<std::vector<numbered>> all(threads);
    for (std::size_t thread = 0; thread < threads; ++thread) {
        all[thread].resize(count);
        for (std::size_t i = 0; i < count; ++i) {
            auto& one = all[thread][i];
            one.thread = thread;
            one.number = static_cast<int>(i);
            one.to = &to;
            one.deliver = &reader::take;
        }
    }
    return all;
}

// A lost wake-up shows as a test that does not end.
TEST("a reader that sleeps until it is woken gets everything, each thread's in its order") {
    constexpr std::size_t count = 5000;
    port_queue queue;
    reader to;
    auto nodes = make_nodes(to, count);
    std::counting_semaphore<> woken{0};
    std::thread reads([&] {
        while (to.alive < threads * count) {
            woken.acquire();
            queue.deliver(some_day);
            if (queue.has_arrivals())
                woken.release(); // as a port wakes its loop for the rest
        }
    });
    CHECK(push_from_threads(queue, nodes, [&] { woken.release(); }) == 0);
    reads.join();
    CHECK(to.alive == threads * count && to.dead == 0);
    CHECK(to.in_order);
}

TEST("whatever is pushed while the queue closes is delivered, told or refused, never lost") {
    for (int round = 0; round < 50; ++round) {
        constexpr std::size_t count = 200;
        port_queue queue;
        reader to;
        auto nodes = make_nodes(to, count);
        std::binary_semaphore begun{0};
        std::atomic<bool> is_begun{false};
        std::thread closes([&] {
            begun.acquire();
            queue.deliver(clock::time_point::min());
            queue.close();
            queue.deliver_as_dead();
        });
        const auto refused = push_from_threads(queue, nodes, [&] {
            if (!is_begun.exchange(true))
                begun.release();
        });
        closes.join();
        CHECK(to.alive + to.dead + refused == threads * count);
        CHECK(to.in_order);
    }
}

} // namespace

int main() {
    return check::run();
}
