// SPDX-License-Identifier: Apache-2.0
// At most as many sessions as tests run at a time.
#include "run/session_pool.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "children/test_command.hpp"

namespace bridge::cli {

const char* session_pool::mode() const {
    return settings_.isolation == isolation_mode::fork ? "fork" : "batch";
}

bool session_pool::serves(const test_binary& binary) {
    if (settings_.isolation == isolation_mode::process || refused_[&binary])
        return false;
    const auto& known = binary.serves;
    if (std::find(known.begin(), known.end(), mode()) != known.end())
        return true;
    refuse(binary, "it does not know it; build it with a later harness");
    return false;
}

void session_pool::refuse(const test_binary& binary, const std::string& why) {
    if (std::exchange(refused_[&binary], true))
        return;
    warn(fmt::format("{}: --isolation {} is refused: {}; each of its tests runs in a process of "
                     "its own",
                     binary.name, mode(), why));
}

void session_pool::run(const planned_test& plan, worker_limits limits, worker_sinks sinks,
                       std::function<void()> on_refused) {
    const auto& binary = *plan.test.binary;
    forget_ended();
    auto chosen = find_idle(binary);
    if (!chosen)
        chosen = open(binary);
    chosen->on_refused = [this, &binary,
                          on_refused = std::move(on_refused)](const std::string& why) {
        refuse(binary, why);
        on_refused();
    };
    chosen->run({plan.test.info->id, plan.timeout}, limits, std::move(sinks));
}

std::shared_ptr<session> session_pool::find_idle(const test_binary& binary) {
    for (const auto& one : sessions_)
        if (one.binary == &binary && one.process->is_idle() && one.process->is_alive())
            return one.process;
    return nullptr;
}

std::shared_ptr<session> session_pool::open(const test_binary& binary) {
    make_room();
    auto one = processes_.open_session(
        test_command(binary.location,
                     {"--serve", mode(), "--event-fd", std::to_string(event_descriptor),
                      "--control-fd", std::to_string(control_descriptor)}),
        settings_.is_capturing);
    one->wants_more = [this, &binary] { return waiting(binary) > 0; };
    one->on_nonsense = [this, &binary](const std::string& why) {
        warn(fmt::format("{}: a process of --isolation {} did not keep to the protocol, and was "
                         "killed: {}",
                         binary.name, mode(), why));
    };
    one->on_idle_end = [this, &binary](const worker_end& end) {
        warn(end.cause == ending::timed_out
                 ? fmt::format("{}: a process of --isolation {} did not end after its tests",
                               binary.name, mode())
                 : fmt::format("{}: a process of --isolation {} ended with {} after its tests",
                               binary.name, mode(), end.status.describe()));
    };
    sessions_.push_back({one, &binary});
    return one;
}

// An idle session of a binary that has no turn now holds memory for nothing.
void session_pool::make_room() {
    const auto alive = static_cast<std::size_t>(
        std::count_if(sessions_.begin(), sessions_.end(),
                      [](const entry& one) { return one.process->is_alive(); }));
    if (alive >= settings_.jobs)
        close_idle();
}

void session_pool::close_idle() {
    const auto all = sessions_;
    for (const auto& one : all)
        if (one.process->is_idle() && one.process->is_alive())
            one.process->finish();
}

void session_pool::forget_ended() {
    std::erase_if(sessions_, [](const entry& one) { return one.process->is_over(); });
}

bool session_pool::is_empty() {
    forget_ended();
    return sessions_.empty();
}

} // namespace bridge::cli
