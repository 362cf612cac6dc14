// SPDX-License-Identifier: Apache-2.0
// A queue, and one more for each group.
#include "run/schedule.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace bridge::cli {

namespace {

// Durations that differ by less than this are alike: the order should not change from run to run.
constexpr std::chrono::milliseconds grain{100};

using rank = std::chrono::milliseconds::rep;

rank rank_of(const planned_test& test) {
    return test.expected ? *test.expected / grain : std::numeric_limits<rank>::max();
}

std::vector<std::size_t> order(const std::vector<planned_test>& tests, bool longest_first,
                               bool by_binary) {
    std::vector<std::size_t> places(tests.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    std::stable_sort(places.begin(), places.end(), [&](std::size_t left, std::size_t right) {
        const auto& a = tests[left];
        const auto& b = tests[right];
        if (a.is_serial != b.is_serial)
            return b.is_serial;
        if (by_binary && a.test.binary != b.test.binary)
            return a.test.binary < b.test.binary; // they are in one vector, in their order
        return longest_first && rank_of(a) > rank_of(b);
    });
    return places;
}

} // namespace

schedule::schedule(const std::vector<planned_test>& tests, unsigned slots, bool by_binary)
    : tests_(tests), slots_(slots) {
    const auto places = order(tests, slots > 1, by_binary);
    ready_.assign(places.begin(), places.end());
}

unsigned schedule::slots_of(const planned_test& test) const {
    return test.is_serial ? slots_ : std::clamp(test.slots, 1U, slots_);
}

bool schedule::fits(const planned_test& test) const {
    return used_ + slots_of(test) <= slots_;
}

std::optional<std::size_t> schedule::take() {
    while (!ready_.empty()) {
        const auto place = ready_.front();
        const auto& test = tests_[place];
        auto* of = test.group.empty() ? nullptr : &groups_[test.group];
        if (of != nullptr && of->is_busy) {
            ready_.pop_front();
            of->waiting.push_back(place);
            continue;
        }
        if (!fits(test))
            return std::nullopt; // later ones do not overtake: it would never find room
        ready_.pop_front();
        used_ += slots_of(test);
        if (of != nullptr)
            of->is_busy = true;
        return place;
    }
    return std::nullopt;
}

void schedule::end(std::size_t place) {
    const auto& test = tests_[place];
    used_ -= slots_of(test);
    if (test.group.empty())
        return;
    auto& of = groups_[test.group];
    of.is_busy = false;
    if (of.waiting.empty())
        return;
    ready_.push_front(of.waiting.front());
    of.waiting.pop_front();
}

std::optional<std::size_t> schedule::take_any() {
    for (auto& [name, of] : groups_) {
        ready_.insert(ready_.end(), of.waiting.begin(), of.waiting.end());
        of.waiting.clear();
    }
    if (ready_.empty())
        return std::nullopt;
    const auto place = ready_.front();
    ready_.pop_front();
    return place;
}

} // namespace bridge::cli
