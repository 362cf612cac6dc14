// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/in_flight.hpp>

#include "python/imports.hpp"

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/references.hpp>
#include <bridge/detail/steal_or_throw.hpp>

#include <mutex>
#include <utility>

namespace bridge::detail {

in_flight::in_flight(py::handle loop)
    : loop_(loop.ptr()),
      reference_(steal_or_throw(PyWeakref_NewRef(loop.ptr(), nullptr)).release().ptr()) {}

in_flight::~in_flight() {
    release_reference(reference_);
}

py::object in_flight::find_loop() const noexcept {
    return weak_target(reference_);
}

void in_flight::join(in_flight_member& member) noexcept {
    const std::lock_guard lock(mutex_);
    if (!open_)
        return;
    member.home.store(this, std::memory_order_relaxed);
    link_first<&in_flight_member::link>(members_, member);
    if (member.kind->cancel != nullptr)
        native_work_.add(1);
}

void in_flight::leave(in_flight_member& member) noexcept {
    auto* home = member.home.load(std::memory_order_relaxed);
    if (home != nullptr && home->remove(member))
        home->tell_idle();
}

bool in_flight::remove(in_flight_member& member) noexcept {
    const std::lock_guard lock(mutex_);
    return remove_locked(member);
}

// True if somebody waits for this.
bool in_flight::remove_locked(in_flight_member& member) noexcept {
    if (member.home.load(std::memory_order_relaxed) == nullptr)
        return false;
    member.home.store(nullptr, std::memory_order_relaxed);
    unwatch(member);
    unlink<&in_flight_member::link>(member);
    if (member.kind->cancel == nullptr)
        return false;
    native_work_ = native_work_ - 1;
    return native_work_ == 0 && when_idle_ != nullptr;
}

void in_flight::tell_idle() noexcept {
    const py::error_scope keep_set_error;
    const auto callback = py::reinterpret_steal<py::object>(std::exchange(when_idle_, nullptr));
    const auto handle = py::reinterpret_steal<py::object>(call_python([&] {
        return PyObject_CallMethodOneArg(loop_, get_imports().name.call_soon_threadsafe.ptr(),
                                         callback.ptr());
    }));
    PyErr_Clear(); // closed: nobody waits
}

void in_flight::cancel_each() noexcept {
    const std::lock_guard lock(mutex_);
    for (auto* member = members_; member != nullptr; member = member->link.next)
        if (member->kind->cancel != nullptr)
            member->kind->cancel(member);
}

std::size_t in_flight::cancel(py::object when_idle) {
    cancel_each();
    if (native_work_ > 0)
        Py_XSETREF(when_idle_, when_idle.release().ptr());
    return native_work_;
}

void in_flight::abandon(const scheduler* on, errc why) noexcept {
    for (auto one = take(on); one.first != nullptr; one = take(on))
        one.first->kind->abandon(one.first, why);
}

// False if another thread destroys the member, which waits for mutex_ to leave.
bool in_flight::keep(in_flight_member& member, kept& as) noexcept {
    if (member.kind->keep != nullptr && !(as.second = member.kind->keep(&member)))
        return false;
    as.first = &member;
    return true;
}

// Removes one that runs on the given threads, or any; none if there is none.
in_flight::kept in_flight::take(const scheduler* on) noexcept {
    kept taken;
    bool is_idle = false;
    {
        const std::lock_guard lock(mutex_);
        for (auto* one = members_; one != nullptr && taken.first == nullptr;) {
            auto* member = std::exchange(one, one->link.next);
            const auto& kind = *member->kind;
            if (on != nullptr && (kind.runs_on == nullptr || kind.runs_on(member) != on))
                continue;
            if (keep(*member, taken))
                is_idle = remove_locked(*member);
        }
    }
    if (is_idle)
        tell_idle();
    return taken;
}

// What is then done to one may be the end of others.
template<class Chosen>
std::vector<in_flight::kept> in_flight::all_that(Chosen chosen) const {
    std::vector<kept> all;
    const std::lock_guard lock(mutex_);
    for (auto* member = members_; member != nullptr; member = member->link.next)
        if (kept one; chosen(*member->kind) && keep(*member, one))
            all.push_back(std::move(one));
    return all;
}

std::vector<std::string> in_flight::describe() {
    std::vector<std::string> texts;
    for (const auto& [member, object] :
         all_that([](const auto& kind) { return kind.describe != nullptr; }))
        texts.push_back(member->kind->describe(member));
    return texts;
}

void in_flight::silence() noexcept {
    for (const auto& [member, object] :
         all_that([](const auto& kind) { return kind.silence != nullptr; }))
        member->kind->silence(member);
}

void in_flight::close() noexcept {
    const std::lock_guard lock(mutex_);
    open_ = false;
}

void in_flight::close_copy() noexcept {
    mutex_.reset();
    open_ = false;
}

int in_flight::traverse(visitproc visit, void* arg) const noexcept {
    Py_VISIT(when_idle_);
    for (const auto* member = members_; member != nullptr; member = member->link.next) {
        const int stop =
            member->kind->traverse != nullptr ? member->kind->traverse(member, visit, arg) : 0;
        if (stop != 0)
            return stop;
    }
    return 0;
}

void in_flight::forget_loop() noexcept {
    Py_CLEAR(when_idle_);
    loop_ = nullptr;
}

} // namespace bridge::detail
