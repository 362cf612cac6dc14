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

} // namespace bridge::harness
