// SPDX-License-Identifier: Apache-2.0
// An owning pointer to objects that count their own references.
#pragma once

#include <utility>

namespace bridge::detail {

/// Needs T::retain() and T::release(), both noexcept.
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

} // namespace bridge::detail
