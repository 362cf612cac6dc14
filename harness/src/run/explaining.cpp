// SPDX-License-Identifier: Apache-2.0
#include "run/explaining.hpp"

#include "run/unfinished_test.hpp"

#include <atomic>

namespace bridge::harness {
namespace {

using clock = bridge::detail::real_clock;

constinit std::atomic<int> explaining_now{0};
constinit std::atomic<clock::rep> explaining_since{0};
constinit std::atomic<clock::rep> explained_before{0}; // by those that have ended
constinit std::atomic<bool> ending{false};

clock::rep ticks() noexcept {
    return clock::now().time_since_epoch().count();
}

} // namespace

explaining::explaining() noexcept {
    if (explaining_now.fetch_add(1) > 0)
        return;
    explaining_since = ticks();
    unfinished_test::tell_explaining(true);
}

explaining::~explaining() {
    const auto took = ticks() - explaining_since;
    if (explaining_now.fetch_sub(1) > 1)
        return;
    explained_before += took;
    if (!is_ending()) // else what follows belongs to it
        unfinished_test::tell_explaining(false);
}

clock::duration explaining::time() noexcept {
    const auto current = explaining_now > 0 ? ticks() - explaining_since : 0;
    return clock::duration(explained_before + current);
}

void set_ending() noexcept {
    ending = true;
}

bool is_ending() noexcept {
    return ending;
}

} // namespace bridge::harness
