// SPDX-License-Identifier: Apache-2.0
// What a crossing's strand knows of threads of coroutines that are not the crossing's own: branches
// of || and &&, and what is spawned there.
#pragma once

#include <bridge/detail/frame.hpp>
#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/memory.hpp>

#include <boost/asio/cancellation_state.hpp>

#include <vector>

namespace bridge::detail {

class strand;

/// An operation that one of them waits for.
struct other_wait : pooled {
    list_link<other_wait> link;
    intrusive_ptr<strand> in;
    chain_id chain;
    boost::asio::cancellation_state state; ///< of the thread
    bool was_cancelled;                    ///< before the request that is being emitted
    void* watched;                         ///< what the watcher of waits gave for it
};

/// Knows which of them a request to stop has reached. One that was cancelled before by somebody
/// else, as the losers of an || are, it does not reach. Used by handlers of the strand alone: a
/// frame that is dropped elsewhere Asio unwinds through its executor, which is the strand's.
class other_chains {
public:
    void add(other_wait& wait) noexcept;
    void remove(other_wait& wait) noexcept;

    /// Around the emission of a request. What was reached before is forgotten.
    void begin_request() noexcept;
    void end_request() noexcept;

    bool is_reached(chain_id chain) const noexcept;

    answering_for* answering = nullptr;

private:
    static bool is_newly_cancelled(const other_wait& wait) noexcept;
    void keep(const other_wait& wait) noexcept;

    other_wait* waits_ = nullptr;
    std::vector<chain_id> reached_;
    bool in_request_ = false;
};

} // namespace bridge::detail
