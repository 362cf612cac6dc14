// SPDX-License-Identifier: Apache-2.0
#include "record/waits.hpp"

#include "record/output.hpp"
#include "record/running_test.hpp"

#include <bridge/detail/for_harness.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

namespace bridge::harness {
namespace {

using bridge::detail::code_place;

constexpr std::size_t longest_chain = 6;
constexpr std::string_view body_name = "bridge_body"; // what the macros call the test's own

using owner = std::atomic<const running_test*>;
using chain = std::array<bridge::detail::shared_place, longest_chain>;

// Whose each wait is, apart from where it is: who looks for a test's looks at all of them. More
// waits than these are not known.
constexpr std::size_t most_waits = 8192;
constinit std::array<owner, most_waits> owners;
constinit std::array<chain, most_waits> chains;

owner* claim(const running_test& run, std::uintptr_t hint) noexcept {
    constexpr std::size_t attempts = 64;
    for (std::size_t i = 0; i < attempts; ++i) {
        auto& one = owners[(hint + i) % most_waits];
        const running_test* nobody = nullptr;
        if (one.load(std::memory_order_relaxed) == nullptr &&
            one.compare_exchange_strong(nobody, &run, std::memory_order_relaxed))
            return &one;
    }
    return nullptr;
}

chain& chain_of(const owner& one) noexcept {
    return chains[static_cast<std::size_t>(&one - owners.data())];
}

bool is_harness(const code_place& place) {
    return std::string_view(place.file).find("harness/src/") != std::string_view::npos;
}

// What waits below no coroutine of the test's own is on its way to one, or the harness's.
const code_place* find_users(const code_place* places, std::size_t length) {
    const auto* found =
        std::find_if(places, places + length, [](const auto& one) { return !is_harness(one); });
    return found != places + length ? found : nullptr;
}

void* begin(bridge::detail::strand& on, const code_place* places, std::size_t length) noexcept {
    auto* run = static_cast<running_test*>(on.slot());
    if (auto* known = run != nullptr ? run : running_test::find()) {
        const auto* where = find_users(places, length);
        if (auto* listener = known->listener(); listener != nullptr && where != nullptr)
            listener->on_wait(on, *where);
    }
    if (run == nullptr)
        return nullptr; // a suite's, or another program's: no test's to end
    auto* taken = claim(*run, reinterpret_cast<std::uintptr_t>(&on) / 64);
    if (taken == nullptr)
        return nullptr;
    auto& to = chain_of(*taken);
    for (std::size_t i = 0; i < longest_chain; ++i)
        to[i].store(i < length ? places[i] : code_place());
    return taken;
}

void end(void* wait) noexcept {
    static_cast<owner*>(wait)->store(nullptr, std::memory_order_relaxed);
}

constexpr bridge::detail::wait_watcher watcher{&begin, &end};

std::string name_of(const code_place& place, const running_test& run) {
    const std::string_view name = place.function;
    if (name == body_name)
        return run.test().what->name;
    return name == "operator()" ? "<lambda>" : std::string(name);
}

pending_wait describe(const owner& wait, const running_test& run) {
    pending_wait said;
    for (const auto& shared : chain_of(wait)) {
        const auto place = shared.load();
        if (place.file == nullptr || is_harness(place))
            continue;
        const auto name = name_of(place, run);
        if (said.function.empty())
            said.function = name;
        said.text += (said.text.empty() ? "in " : ", awaited in ") + name + " at " + place.file +
                     ":" + std::to_string(place.line);
    }
    return said;
}

} // namespace

void note_waits() noexcept {
    bridge::detail::watch_waits(&watcher);
}

std::size_t count_waits(const running_test& run) noexcept {
    return static_cast<std::size_t>(
        std::count_if(owners.begin(), owners.end(), [&run](const owner& one) {
            return one.load(std::memory_order_relaxed) == &run;
        }));
}

void say_waits(int descriptor) noexcept {
    const auto say = [descriptor](std::string_view text) {
        write_all(descriptor, text.data(), text.size());
    };
    const auto say_number = [&say](unsigned number) {
        char text[16];
        say({text,
             static_cast<std::size_t>(std::to_chars(text, text + sizeof text, number).ptr - text)});
    };
    say("C++ coroutines of tests that wait:\n");
    for (const auto& one : owners) {
        const auto* run = one.load(std::memory_order_relaxed);
        if (run == nullptr)
            continue;
        const auto& test = run->test();
        std::string_view head = "  in ";
        for (const auto& shared : chain_of(one)) {
            const auto place = shared.load();
            if (place.file == nullptr || is_harness(place))
                continue;
            say(std::exchange(head, ", awaited in "));
            say(std::string_view(place.function) == body_name ? test.what->name : place.function);
            say(" at ");
            say(place.file);
            say(":");
            say_number(place.line);
        }
        if (head != "  in ")
            say("\n");
    }
}

std::vector<pending_wait> pending_waits(const running_test& run) {
    std::vector<pending_wait> all;
    for (const auto& one : owners)
        if (one.load(std::memory_order_relaxed) == &run)
            all.push_back(describe(one, run));
    return all;
}

} // namespace bridge::harness
