// SPDX-License-Identifier: Apache-2.0
#include "python/waiting_guards.hpp"

#if PY_VERSION_HEX >= 0x030F0000

#    include <mutex>
#    include <new>

namespace bridge::detail {
namespace {

struct waiting_guards {
    std::mutex mutex;
    waiting_guard* first = nullptr;
};

// Never destroyed: threads that are left behind may use it.
waiting_guards& all_waiting() noexcept {
    static auto& all = *new waiting_guards;
    return all;
}

// Of whichever main interpreter there is. Never closed.
PyInterpreterView* main_view() {
    static auto* const view = PyInterpreterView_FromMain();
    if (view == nullptr)
        throw std::bad_alloc();
    return view;
}

} // namespace

waiting_guard::waiting_guard() {
    auto* const view = main_view();
    {
        const std::lock_guard lock(all_waiting().mutex);
        link_first<&waiting_guard::link_>(all_waiting().first, *this);
    }
    guard_.store(PyInterpreterGuard_FromView(view), std::memory_order_relaxed);
}

waiting_guard::~waiting_guard() {
    if (auto* guard = release())
        PyInterpreterGuard_Close(guard);
}

PyInterpreterGuard* waiting_guard::release() noexcept {
    const std::lock_guard lock(all_waiting().mutex);
    unlink<&waiting_guard::link_>(*this);
    return guard_.exchange(nullptr, std::memory_order_relaxed);
}

bool keep_forgotten(shared_state& in, PyInterpreterGuard* guard) noexcept {
    auto* stay = new (std::nothrow) forgotten_stay{in.forgotten_stays, guard};
    if (stay == nullptr)
        return false;
    in.forgotten_stays = stay;
    return true;
}

void forget_waiting_guards() noexcept {
    while (auto* one = all_waiting().first) {
        unlink<&waiting_guard::link_>(*one);
        if (auto* guard = one->get())
            keep_forgotten(shared(), guard);
    }
}

void lock_waiting_guards() noexcept {
    all_waiting().mutex.lock();
}

void unlock_waiting_guards() noexcept {
    all_waiting().mutex.unlock();
}

} // namespace bridge::detail

#else

namespace bridge::detail {

void lock_waiting_guards() noexcept {}

void unlock_waiting_guards() noexcept {}

void forget_waiting_guards() noexcept {}

} // namespace bridge::detail

#endif
