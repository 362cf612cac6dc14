// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace bridge::harness {

/// As long as it is there, this thread's signal handlers that want it have a stack of their own:
/// what has used up the thread's can still be reported. Nothing if the thread has one.
class alternate_stack {
public:
    alternate_stack() noexcept;
    alternate_stack(const alternate_stack&) = delete;
    alternate_stack& operator=(const alternate_stack&) = delete;
    ~alternate_stack();

private:
    void* memory_ = nullptr;
};

/// The same for this thread, for good, and in place of a smaller one: that of faulthandler has room
/// for its own report, and for no other.
void enlarge_alternate_stack() noexcept;

} // namespace bridge::harness
