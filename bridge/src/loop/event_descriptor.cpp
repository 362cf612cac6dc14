// SPDX-License-Identifier: Apache-2.0
#include "loop/event_descriptor.hpp"

#include "python/imports.hpp"

#include <bridge/detail/steal_or_throw.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace bridge::detail {
namespace {

constexpr const char* descriptor_capsule = "bridge.event_descriptor";

void release_descriptor(PyObject* capsule) {
    static_cast<event_descriptor*>(PyCapsule_GetPointer(capsule, descriptor_capsule))->release();
}

} // namespace

event_descriptor::event_descriptor() : number_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (number_ < 0)
        throw std::system_error(errno, std::generic_category(), "eventfd for an event loop");
}

event_descriptor::~event_descriptor() {
    ::close(number_);
}

void event_descriptor::keep_with(py::handle reference) {
    const auto kept = steal_or_throw(PyCapsule_New(this, descriptor_capsule, &release_descriptor));
    retain();
    get_imports().descriptors[reference] = kept;
}

void event_descriptor::signal() const noexcept {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the loop is awake.
    [[maybe_unused]] const auto written = ::write(number_, &one, sizeof one);
}

void event_descriptor::clear() const noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto size = ::read(number_, &count, sizeof count);
}

} // namespace bridge::detail
