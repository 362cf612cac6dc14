// SPDX-License-Identifier: Apache-2.0
// What fork() leaves behind: objects whose threads and descriptors belong to the parent.
#pragma once

#include <bridge/detail/intrusive.hpp>

namespace bridge::detail {

/// Hears in a forked child that it is a copy: its threads do not exist there, and what it shares
/// with the kernel is the parent's. It must refuse further use and must not clean up.
class fork_aware {
public:
    fork_aware(const fork_aware&) = delete;
    fork_aware& operator=(const fork_aware&) = delete;

protected:
    fork_aware();
    ~fork_aware();

    /// In the child, before fork() returns there: no locks, no other thread.
    virtual void became_copy() noexcept = 0;

private:
    friend class fork_registry;
    list_link<fork_aware> link_;
};

/// From here on a fork of this process is noticed.
void watch_for_fork();

} // namespace bridge::detail
