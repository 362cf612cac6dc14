// SPDX-License-Identifier: Apache-2.0
// What a runtime on threads of yours hands to them.
#pragma once

#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/strand.hpp>

namespace bridge {

/// Handlers of one executor on their way to a thread: call it once, on any thread of the runtime,
/// without the GIL. Destroyed uncalled, it ends the coroutines behind it. Only moves.
class work {
public:
    work(detail::strand& held, detail::strand_task* first) noexcept
        : strand_(&held), first_(first) {}

    work(work&&) noexcept = default;
    work& operator=(work&& other) noexcept;
    work(const work&) = delete;
    ~work();

    void operator()();

private:
    detail::intrusive_ptr<detail::strand> strand_;
    detail::strand_task* first_;
};

} // namespace bridge
