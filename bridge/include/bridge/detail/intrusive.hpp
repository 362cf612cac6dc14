// SPDX-License-Identifier: Apache-2.0
// Objects that count their own references, and lists whose links are in the items.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace bridge::detail {

/// Counts the references to a T, which starts with one and is deleted with the last. T befriends
/// it if its destructor is private.
template<class T>
class reference_counted {
public:
    reference_counted(const reference_counted&) = delete;
    reference_counted& operator=(const reference_counted&) = delete;

    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }

    void release() noexcept {
        // The last reference is nobody else's to copy: no need to write it down.
        if (is_last_reference() || references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete static_cast<T*>(this);
    }

protected:
    reference_counted() = default;
    ~reference_counted() = default;

    bool is_last_reference() const noexcept {
        return references_.load(std::memory_order_acquire) == 1;
    }

private:
    std::atomic<std::uint32_t> references_{1};
};

/// An owning pointer to such an object. Needs T::retain() and T::release(), both noexcept.
template<class T>
class intrusive_ptr {
public:
    intrusive_ptr() noexcept = default;

    explicit intrusive_ptr(T* object) noexcept : object_(object) {
        if (object_ != nullptr)
            object_->retain();
    }

    intrusive_ptr(const intrusive_ptr& other) noexcept : intrusive_ptr(other.object_) {}

    intrusive_ptr(intrusive_ptr&& other) noexcept
        : object_(std::exchange(other.object_, nullptr)) {}

    intrusive_ptr& operator=(intrusive_ptr other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }

    ~intrusive_ptr() {
        if (object_ != nullptr)
            object_->release();
    }

    /// Takes over a reference that is already counted.
    static intrusive_ptr adopt(T* object) noexcept {
        intrusive_ptr pointer;
        pointer.object_ = object;
        return pointer;
    }

    T* get() const noexcept { return object_; }

    T* operator->() const noexcept { return object_; }

    T& operator*() const noexcept { return *object_; }

    explicit operator bool() const noexcept { return object_ != nullptr; }

    /// Gives the counted reference up.
    T* detach() noexcept { return std::exchange(object_, nullptr); }

private:
    T* object_ = nullptr;
};

/// How an item stands in a list.
template<class T>
struct list_link {
    T* next = nullptr;
    T** pointer = nullptr; ///< what points at the item; null while it is in no list

    bool is_linked() const noexcept { return pointer != nullptr; }
};

/// Puts the item first. `Link` is the member by which it stands in this list.
template<auto Link, class T>
void link_first(T*& first, T& item) noexcept {
    (item.*Link).next = first;
    (item.*Link).pointer = &first;
    if (first != nullptr)
        (first->*Link).pointer = &(item.*Link).next;
    first = &item;
}

/// Takes the item out of its list; does nothing if it is in none.
template<auto Link, class T>
void unlink(T& item) noexcept {
    auto** const pointer = std::exchange((item.*Link).pointer, nullptr);
    if (pointer == nullptr)
        return;
    *pointer = (item.*Link).next;
    if (auto* const next = (item.*Link).next)
        (next->*Link).pointer = pointer;
}

/// A list that grows at its end, and knows nothing of how its items live.
template<class T, auto Link>
class linked_queue {
public:
    linked_queue() = default;
    linked_queue(const linked_queue&) = delete;
    linked_queue& operator=(const linked_queue&) = delete;

    T* first() const noexcept { return first_; }

    void link_last(T& item) noexcept {
        (item.*Link).next = nullptr;
        (item.*Link).pointer = end_;
        *end_ = &item;
        end_ = &(item.*Link).next;
    }

    /// Does nothing if it is not in the list.
    void unlink(T& item) noexcept {
        if (end_ == &(item.*Link).next)
            end_ = (item.*Link).pointer;
        detail::unlink<Link>(item);
    }

private:
    T* first_ = nullptr;
    T** end_ = &first_;
};

/// A stack that was taken whole, in the order in which it grew.
template<auto Next, class T>
T* reversed(T* newest) noexcept {
    T* first = nullptr;
    while (newest != nullptr)
        first = std::exchange(newest, std::exchange(newest->*Next, first));
    return first;
}

} // namespace bridge::detail
