// SPDX-License-Identifier: Apache-2.0
// What is in flight for a loop, and how it hears that the loop or its threads end.
#include <bridge/detail/port.hpp>

#include "imports.hpp"

#include <bridge/detail/scheduler.hpp>
#include <bridge/error.hpp>

#include <memory>
#include <utility>

namespace bridge::detail {

void port::join(port_member& member) noexcept {
    member.home = this;
    member.next = members_;
    member.link = &members_;
    if (members_ != nullptr)
        members_->link = &member.next;
    members_ = &member;
}

void port::leave(port_member& member) noexcept {
    auto* home = std::exchange(member.home, nullptr);
    if (home == nullptr)
        return;
    home->unwatch(member);
    *member.link = member.next;
    if (member.next != nullptr)
        member.next->link = member.link;
    if (home->members_ == nullptr && home->when_idle_ != nullptr)
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
    std::size_t count = 0;
    for (auto* member = members_; member != nullptr; member = member->next) {
        member->cancel(member);
        ++count;
    }
    if (count > 0)
        Py_XSETREF(when_idle_, when_idle.release().ptr());
    return count;
}

// Those that run on the given threads, or all.
void port::abandon_members(const scheduler* on, errc why) noexcept {
    for (auto* member = members_; member != nullptr;) {
        if (on != nullptr && member->runs_on(member) != on) {
            member = member->next;
            continue;
        }
        leave(*member);
        member->abandon(member, why);
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

} // namespace bridge::detail
