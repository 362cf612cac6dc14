// SPDX-License-Identifier: Apache-2.0
// What is in flight for a loop, and how it hears that the loop or its threads end.
#include <bridge/detail/port.hpp>

#include "python/imports.hpp"
#include "same_thread/loop_context.hpp"

#include <bridge/detail/scheduler.hpp>
#include <bridge/error.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace bridge::detail {

void port::join(port_member& member) noexcept {
    if (!is_open())
        return; // its end has told those that were there
    member.home = this;
    member.next = members_;
    member.link = &members_;
    if (members_ != nullptr)
        members_->link = &member.next;
    members_ = &member;
    if (member.kind->cancel != nullptr)
        ++native_work_;
}

void port::leave(port_member& member) noexcept {
    auto* home = std::exchange(member.home, nullptr);
    if (home == nullptr)
        return;
    home->unwatch(member);
    *member.link = member.next;
    if (member.next != nullptr)
        member.next->link = member.link;
    if (member.kind->cancel != nullptr && --home->native_work_ == 0 && home->when_idle_ != nullptr)
        home->tell_idle();
}

void port::tell_idle() noexcept {
    const py::error_scope keep_set_error;
    const auto callback = py::reinterpret_steal<py::object>(std::exchange(when_idle_, nullptr));
    const auto handle = py::reinterpret_steal<py::object>(PyObject_CallMethodOneArg(
        loop_, get_imports().name.call_soon_threadsafe.ptr(), callback.ptr()));
    PyErr_Clear(); // closed: nobody waits
}

std::size_t port::cancel_members(py::object when_idle) {
    for (auto* member = members_; member != nullptr; member = member->next)
        if (member->kind->cancel != nullptr)
            member->kind->cancel(member);
    if (native_work_ > 0)
        Py_XSETREF(when_idle_, when_idle.release().ptr());
    return native_work_;
}

// Those that run on the given threads, or all.
void port::abandon_members(const scheduler* on, errc why) noexcept {
    for (auto* member = members_; member != nullptr;) {
        const auto& kind = *member->kind;
        if (on != nullptr && (kind.runs_on == nullptr || kind.runs_on(member) != on)) {
            member = member->next;
            continue;
        }
        leave(*member);
        kind.abandon(member, why);
        member = members_; // what is next may have left too
    }
}

void port::tell_ended(scheduler& threads) noexcept {
    struct end_node final : port_node {
        intrusive_ptr<port> to;
        intrusive_ptr<scheduler> ended;
    };

    for (auto& one : all_open()) {
        auto* node = new end_node;
        node->to = one;
        node->ended = intrusive_ptr<scheduler>(&threads);
        node->deliver = [](port_node* self, bool alive) noexcept {
            const std::unique_ptr<end_node> owned(static_cast<end_node*>(self));
            if (alive)
                owned->to->abandon_members(owned->ended.get(), errc::runtime_stopped);
        };
        if (!one->push(node))
            delete node;
    }
}

std::vector<std::string> port::describe_members() const {
    std::vector<std::string> all;
    for (const auto* member = members_; member != nullptr; member = member->next)
        if (member->kind->describe != nullptr)
            all.push_back(member->kind->describe(member));
    return all;
}

void port::stop_below(py::handle stopped) {
    below_.push_back(stopped.ptr());
    if (const auto its_port = find(stopped))
        below_.insert(below_.end(), its_port->below_.begin(), its_port->below_.end());
}

bool port::is_above(const void* loop) const noexcept {
    return std::find(below_.begin(), below_.end(), loop) != below_.end();
}

// Only a drain takes nodes out, and that holds the GIL too.
loop_stats port::stats() const noexcept {
    loop_stats all;
    all.same_thread = host_ != nullptr;
    all.contexts = host_ != nullptr ? host_->count_io() : 0;
    all.in_flight = native_work_;
    for (const auto* node = undelivered_; node != nullptr; node = node->next)
        ++all.queued;
    if (is_open())
        for (const auto* node = head_.load(std::memory_order_acquire); node != nullptr;
             node = node->next)
            ++all.queued;
    all.delivered = delivered_;
    all.wakes = wakes_.load(std::memory_order_relaxed);
    all.drains = drains_;
    all.drain_time = drain_time_;
    all.longest_drain = longest_drain_;
    return all;
}

} // namespace bridge::detail
