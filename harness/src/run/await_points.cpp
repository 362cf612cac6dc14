// SPDX-License-Identifier: Apache-2.0
#include "run/await_points.hpp"

#include "record/running_test.hpp"

#include <bridge/gil.hpp>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <utility>

namespace bridge::harness {
namespace {

constexpr unsigned ways_in_cpp = 4;
constexpr unsigned ways_in_python = 3;

// So long a handler waits for the loop's thread, which may wait for it.
constexpr std::chrono::seconds longest_hold{1};

const char* describe(cancelled_by way) {
    switch (way) {
    case cancelled_by::task:
        return "by its task";
    case cancelled_by::signal:
        return "by its C++ cancellation signal";
    case cancelled_by::drop:
        return "by dropping what awaits it";
    case cancelled_by::nobody:
        break;
    }
    return "by nobody";
}

// A handler of the strand that waits, right behind the one that begins to wait.
template<class F>
struct one_call final : bridge::detail::strand_task {
    explicit one_call(F f) : function(std::move(f)) {
        run = [](bridge::detail::strand_task* self, bool call) {
            const std::unique_ptr<one_call> owner(static_cast<one_call*>(self));
            if (call)
                owner->function();
        };
    }

    F function;
};

template<class F>
void post_to(bridge::detail::strand& on, F f) {
    on.post(new one_call<F>(std::move(f)));
}

// Set once, and waited for by another thread.
class done_flag {
public:
    void set() {
        {
            const std::lock_guard lock(mutex_);
            is_set_ = true;
        }
        changed_.notify_all();
    }

    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, longest_hold, [this] { return is_set_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_set_ = false;
};

} // namespace

void await_points::begin(tape choices) {
    const std::lock_guard lock(mutex_);
    tape_ = std::move(choices);
    draws_.clear();
    cancelled_ = false;
    reached_ = false;
    ended_ = false;
    way_ = cancelled_by::nobody;
}

void await_points::use_loop(const py::object& loop, const py::object& cancel) {
    loop_ = py_ref(loop);
    cancel_ = py_ref(cancel);
}

void await_points::forget_loop() {
    loop_ = {};
    cancel_ = {};
}

void await_points::enter() {
    body_ = bridge::detail::body_handle::current();
    armed_ = true;
}

// An end that somebody else than the body's own caller decides is not judged. A task that is
// cancelled in the step in which its coroutine ends is cancelled all the same.
void await_points::leave(bool has_failed) {
    armed_ = false;
    const std::lock_guard lock(mutex_);
    const bool has_come = cancelled_ && (reached_ || body_.has_request());
    if (!has_failed && has_come && way_ != cancelled_by::drop && !body_.request_is_unseen())
        run_.fail(protocol::failure_kind::check,
                  "the cancellation was swallowed: the body went on to its end as if nobody had "
                  "asked it to stop",
                  run_.test().info.file, run_.test().info.line);
    body_ = {};
}

cancelled_by await_points::draw(unsigned of, const std::string& place) {
    const std::lock_guard lock(mutex_);
    draws_.push_back(of);
    const auto way = static_cast<cancelled_by>(tape_.draw(of));
    if (way != cancelled_by::nobody && !cancelled_.exchange(true)) {
        way_ = way;
        run_.set_cancelled(std::string("in the sweep: cancelled ") + describe(way) +
                           " where it waits at " + place + "; again with --tape " + tape_.text());
        return way;
    }
    return cancelled_by::nobody;
}

cancelled_by await_points::draw_in_python(const std::string& place) {
    return armed_ ? draw(ways_in_python, place) : cancelled_by::nobody;
}

void await_points::on_wait(bridge::detail::strand& on, const bridge::detail::code_place& where) {
    if (!armed_)
        return;
    const auto way = draw(ways_in_cpp, std::string(where.file) + ":" + std::to_string(where.line));
    if (way == cancelled_by::signal)
        return signal();
    if (way != cancelled_by::nobody)
        post_to(on, [this, way] { cancel_in_loop(way); });
}

void await_points::signal() noexcept {
    const std::lock_guard lock(mutex_);
    body_.request_cancel();
}

// As a handler of what waits, so that it cannot go on meanwhile.
void await_points::cancel_in_loop(cancelled_by way) noexcept {
    const auto done = std::make_shared<done_flag>();
    const bool is_loops_thread = std::this_thread::get_id() == main_;
    try {
        const bool is_on_its_way = with_gil([&] {
            if (!loop_)
                return false; // the body has ended
            const auto cancel = [this, done, way] {
                if (cancel_)
                    cancel_.get()(static_cast<unsigned>(way));
                done->set();
            };
            if (is_loops_thread)
                cancel(); // between two callbacks; below it only looks again
            loop_.get().attr("call_soon_threadsafe")(is_loops_thread ? py::cpp_function([] {})
                                                                     : py::cpp_function(cancel));
            return !is_loops_thread;
        });
        if (is_on_its_way)
            done->wait();
    } catch (const std::exception&) {
        return; // the loop is closed: the body has ended
    }
}

bool await_points::drops() const {
    const std::lock_guard lock(mutex_);
    return tape_.chooses(static_cast<unsigned>(cancelled_by::drop));
}

std::vector<unsigned> await_points::draws() const {
    const std::lock_guard lock(mutex_);
    return draws_;
}

bool await_points::is_used_up() const {
    const std::lock_guard lock(mutex_);
    return tape_.is_used_up();
}

} // namespace bridge::harness
