// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/frame.hpp>

#include "python/find_system_error.hpp"

#include <bridge/detail/strand.hpp>
#include <bridge/detail/wait_watcher.hpp>
#include <bridge/executor.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string_view>

namespace bridge::detail {
namespace {

struct with_caller : coroutine_frame {
    static const coroutine_frame* of(const coroutine_frame& frame) noexcept {
        return frame.*&with_caller::caller_;
    }
};

struct with_thread : coroutine_frame {
    static auto* of(const coroutine_frame& frame) noexcept {
        return frame.*&with_thread::attached_thread_;
    }
};

// Where coroutines await others, while somebody watches. What two frames contend for is lost.
class await_places {
public:
    void store(const coroutine_frame& frame, const code_place& place) noexcept {
        auto& one = at(frame);
        one.frame.store(&frame, std::memory_order_relaxed);
        one.place.store(place);
    }

    /// No file if it is not known.
    code_place load(const coroutine_frame& frame) noexcept {
        auto& one = at(frame);
        const auto place = one.place.load();
        return one.frame.load(std::memory_order_relaxed) == &frame ? place : code_place();
    }

private:
    struct entry {
        std::atomic<const coroutine_frame*> frame{nullptr};
        shared_place place;
    };

    entry& at(const coroutine_frame& frame) noexcept {
        const auto address = reinterpret_cast<std::uintptr_t>(&frame);
        return entries_[(address / 32 ^ address / 131'072) % entries_.size()];
    }

    std::array<entry, 4096> entries_;
};

constinit await_places places;

constexpr std::size_t longest_chain = 8;

} // namespace

void watch_waits(const wait_watcher* watcher) noexcept {
    shared().watcher.store(watcher, std::memory_order_release);
}

namespace {

// Not so inside a handler of the strand that runs something on an executor of its own at once.
bool is_current(const boost::asio::any_io_executor& on) noexcept {
    const auto* ours = on.target<executor>();
    return ours != nullptr && strand_of(*ours) == strand::current();
}

// What end_wait() gets: of the watcher, or with the lowest bit set an other_wait.
constexpr std::uintptr_t is_other = 1;

void* begin_watched_wait(strand& on, const code_place& place,
                         const coroutine_frame& frame) noexcept {
    const auto* watcher = shared().watcher.load(std::memory_order_acquire);
    if (watcher == nullptr)
        return nullptr;
    std::array<code_place, longest_chain> chain{place};
    std::size_t length = is_users(place) ? 1 : 0;
    for (const auto* one = with_caller::of(frame); one != nullptr && length < chain.size();
         one = with_caller::of(*one))
        if (const auto above = places.load(*one); above.file != nullptr && is_users(above))
            chain[length++] = above;
    return watcher->begin(on, chain.data(), length);
}

void end_watched_wait(void* wait) noexcept {
    const auto* watcher = shared().watcher.load(std::memory_order_acquire);
    if (wait != nullptr && watcher != nullptr)
        watcher->end(wait);
}

} // namespace

void* begin_wait(const code_place& place, const coroutine_frame& frame) noexcept {
    auto* strand = strand::current();
    if (strand == nullptr)
        return nullptr;
    strand->note_suspension(place);
    auto* watched = begin_watched_wait(*strand, place, frame);
    const auto chain = chain_of(frame);
    if (chain == nullptr || strand->is_own(chain) ||
        !is_current(with_thread::of(frame)->get_executor()))
        return watched;
    try {
        auto& others = strand->others();
        auto* wait = new other_wait{{},
                                    {},
                                    intrusive_ptr(strand),
                                    chain,
                                    with_thread::of(frame)->get_cancellation_state(),
                                    false,
                                    watched};
        others.add(*wait);
        return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(wait) | is_other);
    } catch (const std::bad_alloc&) { // what it answers does not count
        return watched;
    }
}

void end_wait(void* wait) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(wait);
    if ((address & is_other) == 0)
        return end_watched_wait(wait);
    const std::unique_ptr<other_wait> other(reinterpret_cast<other_wait*>(address - is_other));
    end_watched_wait(other->watched);
    other->in->others().remove(*other);
}

bool is_users(const code_place& place) noexcept {
    struct answer {
        const char* file;
        bool is_users;
    };

    static thread_local answer known[32] = {};
    auto& entry = known[std::hash<const char*>()(place.file) / 8 % std::size(known)];
    if (entry.file != place.file) {
        const std::string_view file(place.file);
        entry = {place.file, file.find("/boost/asio/") == file.npos &&
                                 file.find("include/bridge/") == file.npos};
    }
    return entry.is_users;
}

bool trace_exception(const code_place& place, const void* caller) noexcept {
    auto* strand = strand::current();
    if (strand == nullptr)
        return false;
    const auto exception = std::current_exception();
    const auto* error = find_system_error(exception);
    try {
        if (error == nullptr || !is_cancellation(error->code())) // has no traceback of its own
            strand->trace(exception, place);
    } catch (const std::bad_alloc&) { // a traceback without this line
    }
    return strand->take_exception(exception, caller);
}

void note_suspension(const code_place& place) noexcept {
    if (auto* strand = strand::current())
        strand->note_suspension(place);
}

void note_await(const code_place& place, const coroutine_frame& frame) noexcept {
    if (auto* strand = strand::current())
        strand->note_await(place);
    if (shared().watcher.load(std::memory_order_relaxed) != nullptr)
        places.store(frame, place);
}

answering_for::answering_for(const executor_type& on, chain_id worker, chain_id caller)
    : in_(is_current(on) ? strand::current() : nullptr), worker_(worker), caller_(caller) {
    if (!in_)
        return;
    listened_ = in_->listens_;
    next_ = std::exchange(in_->others().answering, this);
}

answering_for::~answering_for() {
    if (!in_)
        return;
    in_->listens_ = listened_;
    auto** at = &in_->others().answering;
    while (*at != this)
        at = &(*at)->next_;
    *at = next_;
}

other_chains& strand::others() {
    if (!others_)
        others_ = std::make_unique<other_chains>();
    return *others_;
}

bool strand::is_listened_to_by(chain_id chain) const noexcept {
    return is_own(chain) || (others_ && is_own(whom_it_answers_for(chain)));
}

bool strand::is_answered_by(chain_id chain) const noexcept {
    return is_listened_to_by(chain) || (others_ && others_->is_reached(chain));
}

chain_id strand::whom_it_answers_for(chain_id worker) const noexcept {
    for (const auto* one = others_->answering; one != nullptr; one = one->next_)
        if (one->worker_ == worker)
            return whom_it_answers_for(one->caller_);
    return worker;
}

namespace {

bool is_cancelled(const coroutine_frame& frame) noexcept {
    const auto* thread = with_thread::of(frame);
    return thread != nullptr &&
           thread->get_cancellation_state().cancelled() != boost::asio::cancellation_type::none;
}

} // namespace

chain_id chain_of(const coroutine_frame& frame) noexcept {
    auto* thread = with_thread::of(frame);
    return thread != nullptr ? thread->entry_point() : nullptr;
}

void note_listening(const coroutine_frame& frame, bool listens) noexcept {
    auto* strand = strand::current();
    if (strand != nullptr && strand->is_listened_to_by(chain_of(frame)))
        strand->note_listening(listens);
}

// A thread of coroutines that is not cancelled has not been reached, but may be where one was that
// has.
void note_answer(const coroutine_frame& frame) noexcept {
    auto* strand = strand::current();
    if (strand == nullptr)
        return;
    const auto chain = chain_of(frame);
    if (strand->is_listened_to_by(chain) || (is_cancelled(frame) && strand->is_answered_by(chain)))
        strand->note_answer();
}

} // namespace bridge::detail
