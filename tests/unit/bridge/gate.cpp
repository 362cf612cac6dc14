// SPDX-License-Identifier: Apache-2.0
// The gate, without Python: who is inside is waited for, and for how long.
#include <bridge/detail/gate.hpp>

#include "check.hpp"

#include <atomic>
#include <mutex>
#include <thread>

namespace {

using bridge::detail::gate;
using clock = std::chrono::steady_clock;

const auto some_day = clock::time_point::max();

TEST("who comes to a closed gate does not get in, by either way") {
    gate door(false);
    CHECK(!door.enter() && !door.enter_guarded());
    CHECK(door.close(clock::now())); // nobody is inside
    door.open();
    CHECK(door.enter() && door.enter_guarded());
    door.leave();
    door.leave_guarded();
    CHECK(door.close(clock::now()) && !door.was_given_up());
}

TEST("close() waits for those who entered by either way") {
    for (const bool guarded : {false, true}) {
        gate door(true);
        CHECK(guarded ? door.enter_guarded() : door.enter());
        std::atomic<bool> left{false};
        door.refuse();
        std::thread inside([&] {
            std::this_thread::yield();
            left = true;
            guarded ? door.leave_guarded() : door.leave();
        });
        CHECK(door.close(some_day) && left);
        inside.join();
    }
}

TEST("close() gives up, which those inside can see until it is open again") {
    gate door(true);
    CHECK(door.enter_guarded() && !door.was_given_up());
    CHECK(!door.close(clock::now()) && door.was_given_up());
    door.open();
    CHECK(!door.was_given_up());
    CHECK(door.close(clock::now())); // who never left is forgotten
}

// What they use is gone when the gate is closed: ThreadSanitizer sees who still touches it.
TEST("nobody is inside once it is closed, however many come and go under the lock") {
    constexpr int rounds = 200;
    for (int round = 0; round < rounds; ++round) {
        gate door(true);
        std::mutex lock;
        int used = 0;
        std::thread coming([&] {
            for (bool inside = true; inside;) {
                std::unique_lock held(lock);
                inside = door.enter_guarded();
                if (!inside)
                    break;
                held.unlock();
                ++used;
                held.lock();
                door.leave_guarded();
            }
        });
        {
            const std::lock_guard held(lock);
            door.refuse();
        }
        CHECK(door.close(some_day));
        used = -1;
        coming.join();
        CHECK(used == -1);
    }
}

// One thread alone needs no lock to come and go so, nor has the one who closes to take it.
TEST("nor without the lock, if all threads can be made to look") {
    if (!bridge::detail::has_process_fence())
        return;
    constexpr int rounds = 500;
    for (int round = 0; round < rounds; ++round) {
        gate door(true);
        std::atomic<bool> comes{false};
        int used = 0;
        std::thread coming([&] {
            while (door.enter_guarded()) {
                ++used;
                comes.store(true, std::memory_order_relaxed);
                door.leave_guarded();
            }
        });
        while (!comes.load(std::memory_order_relaxed))
            std::this_thread::yield();
        CHECK(door.close(some_day));
        used = -1;
        coming.join();
        CHECK(used == -1);
    }
}

} // namespace

int main() {
    return check::run();
}
