// SPDX-License-Identifier: Apache-2.0
// A C++ coroutine that yields, as Python iterates it: one crossing, which goes a round for each
// step of Python's and waits in between at its co_yield.
#pragma once

#include <bridge/detail/crossing.hpp>

#include <atomic>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace bridge {

template<class T, class S>
class generator;

namespace detail {

struct generator_object;

class generator_crossing : public crossing {
public:
    using crossing::crossing;

    /// The next round throws this at the co_yield. Loop thread, between two rounds.
    void throw_at_yield(std::exception_ptr error) noexcept { thrown_ = std::move(error); }

    /// The same with what ends it: an operation_aborted of C++'s own is then its end as well.
    void close_at_yield(std::exception_ptr error) noexcept {
        throw_at_yield(std::move(error));
        closing_ = true;
    }

    /// The next round gives this to the co_yield; throws where it cannot be converted. Loop thread,
    /// GIL held, between two rounds.
    virtual void send(PyObject* value) = 0;

    /// Its first step, or on from where it has yielded.
    void start() override;

    /// It has yielded. As its handler, without the GIL.
    void operator()(suspended coroutine) noexcept;

    /// Whether its first step was taken.
    bool has_begun() const noexcept { return begun_; }

    /// Whether its frame is gone, or it never began and will not. Between two rounds; once it was
    /// abandoned, at any time.
    bool is_over() const noexcept { return over_.load(std::memory_order_acquire); }

    bool goes_rounds() const noexcept override { return !is_over(); }

    /// Whether a step that was cancelled has left its item. Between two rounds.
    virtual bool has_item() const noexcept = 0;

    /// Drops that item. Between two rounds.
    virtual void drop_item() noexcept = 0;

    /// It never begins: destroys its frame. Between two rounds, before the first one.
    virtual void forget_body() noexcept = 0;

    /// Nobody will ask again: ends it as a close does, and by force where it yields once more.
    /// Once; any thread that holds the GIL.
    void abandon() noexcept;

protected:
    void rethrow_thrown() {
        if (thrown_)
            std::rethrow_exception(std::exchange(thrown_, nullptr));
    }

    /// Raises what the body has ended with; null. GIL held.
    PyObject* raise_end() noexcept;

    void note_end() noexcept { over_.store(true, std::memory_order_release); }

    /// Whether the item stays for the next round: this one ends as cancelled.
    bool is_cancelled_unseen() const noexcept { return cancel_unseen(); }

private:
    struct abandon_task : strand_task {
        generator_crossing* owner = nullptr;
    };

    bool ended_as_closed() const noexcept;
    static void run_abandon(strand_task* self, bool call);
    void resume_from_yield();

    abandon_task abandon_;
    std::exception_ptr thrown_;
    std::exception_ptr thrown_by_abandon_;
    std::optional<suspended> at_yield_;
    bool begun_ = false;
    std::atomic<bool> over_{false};
    bool abandoned_ = false;
    bool closing_ = false;
};

/// The exception by which a co_yield learns that its generator is closed: operation_aborted, with
/// Python's GeneratorExit in it. GIL held.
std::exception_ptr make_generator_exit();

template<class T, class S>
class generator_crossing_of final : public generator_crossing {
    static_assert(!needs_gil<T> && !needs_gil<S>,
                  "a generator runs without the GIL, where a pybind11 object may not live: yield "
                  "and take bridge::py_ref instead");
    static_assert(!is_borrowed<T> && !std::is_pointer_v<T>,
                  "what a generator yields is converted when it waits already, and what it views "
                  "or points to may be gone: yield a value or a std::shared_ptr");

    struct nothing {};

public:
    generator_crossing_of(scheduler* on, task_locals locals, void* slot, generator<T, S> body);

    void send(PyObject* value) override {
        if constexpr (!std::is_void_v<S>) {
            sent_.reset();
            if (value != Py_None)
                sent_.emplace(py::handle(value).cast<S>());
        }
    }

    void forget_body() noexcept override {
        const auto gone = std::move(body_); // Boost.Asio's assignment would leak the frame
        note_end();
    }

    /// What the coroutine yields, before it waits there.
    void put(T&& item) { item_.emplace(std::move(item)); }

    /// What the co_yield gives.
    auto take_sent() {
        rethrow_thrown();
        if constexpr (!std::is_void_v<S>)
            return std::exchange(sent_, std::nullopt);
    }

    PyObject* take_result() override {
        try {
            if (!error_ && is_cancelled_unseen())
                throw boost::system::system_error(boost::asio::error::operation_aborted);
            if (!error_ && item_)
                return convert_result<T>(std::move(*std::exchange(item_, std::nullopt)));
        } catch (...) {
            set_crossing_error(std::current_exception());
            return nullptr;
        }
        return raise_end();
    }

    bool has_item() const noexcept override { return item_.has_value(); }

    void drop_item() noexcept override { item_.reset(); }

protected:
    bool await_body(step then) override { return await(body_, then); }

    void end_body() noexcept override {
        try {
            body_.await_resume();
        } catch (...) {
            error_ = std::current_exception();
        }
        forget_body();
    }

    void drop_body() noexcept override {
        forget_body();
        if (!error_)
            error_ =
                std::make_exception_ptr(boost::system::system_error(make_error_code(ended_as())));
    }

private:
    boost::asio::awaitable<void> body_;
    std::optional<T> item_;
    std::conditional_t<std::is_void_v<S>, nothing,
                       std::optional<std::conditional_t<std::is_void_v<S>, char, S>>>
        sent_;
};

} // namespace detail
} // namespace bridge
