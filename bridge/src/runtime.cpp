// SPDX-License-Identifier: Apache-2.0
#include <bridge/runtime.hpp>

#include <bridge/detail/interpreter.hpp>
#include <bridge/detail/port.hpp>
#include <bridge/error.hpp>
#include <bridge/gil.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace bridge {
namespace asio = boost::asio;

namespace {

// A held strand on its way to a thread; where the thread never comes, what waits is destroyed.
class strand_run {
public:
    strand_run(detail::strand& held, detail::strand_task* first) : strand_(&held), first_(first) {}

    strand_run(strand_run&& other) noexcept = default;
    strand_run(const strand_run&) = delete;

    ~strand_run() {
        if (strand_)
            strand_->discard(first_);
    }

    void operator()() {
        const auto strand = std::exchange(strand_, {});
        strand->run_and_leave(first_);
    }

private:
    detail::intrusive_ptr<detail::strand> strand_;
    detail::strand_task* first_;
};

} // namespace

class runtime::threads final : public detail::scheduler {
public:
    explicit threads(int count) : running_(count) {
        context_.emplace(count);
        work_.emplace(context_->get_executor());
        for (int i = 0; i < count; ++i)
            joinable_.emplace_back([this, alive = detail::intrusive_ptr<threads>(this)] { run(); });
    }

    void schedule(detail::strand& held, detail::strand_task* first) noexcept override {
        if (is_own_thread())
            return asio::post(*context_, strand_run(held, first));
        const detail::gate_guard inside(life());
        if (inside)
            asio::post(*context_, strand_run(held, first));
        else
            held.discard(first);
    }

    bool is_own_thread() const noexcept override { return own_ == this; }

    asio::execution_context& context() noexcept override { return *context_; }

    asio::io_context& io_context() {
        if (!life().is_open() && !is_own_thread())
            detail::throw_error(errc::runtime_stopped);
        return *context_;
    }

    bool shutdown(std::chrono::milliseconds time);

private:
    void run() noexcept;
    bool wait(std::chrono::steady_clock::time_point deadline);

    static inline thread_local const threads* own_ = nullptr;

    std::optional<asio::io_context> context_;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
    std::mutex mutex_;
    std::condition_variable ended_;
    int running_;
    std::vector<std::thread> joinable_;
};

void runtime::threads::run() noexcept {
    own_ = this;
    for (;;) {
        try {
            context_->run();
            break;
        } catch (const std::exception& e) {
            // A handler of the user's own, posted to the context without an executor of ours.
            std::fprintf(stderr, "bridge: an exception escaped an Asio handler: %s\n", e.what());
        } catch (...) {
            std::fputs("bridge: an exception escaped an Asio handler\n", stderr);
        }
    }
    const std::lock_guard lock(mutex_);
    --running_;
    ended_.notify_all();
}

bool runtime::threads::wait(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    return ended_.wait_until(lock, deadline, [this] { return running_ == 0; });
}

bool runtime::threads::shutdown(std::chrono::milliseconds time) {
    const detail::gil_pause pause;
    const auto deadline = std::chrono::steady_clock::now() + time;
    work_.reset();
    bool ended = wait(deadline);
    if (!ended) {
        context_->stop();
        ended = wait(std::chrono::steady_clock::now() + std::chrono::seconds(1));
    }
    for (auto& thread : std::exchange(joinable_, {})) {
        if (ended)
            thread.join();
        else
            thread.detach();
    }
    ended = ended && life().close(std::max(deadline, std::chrono::steady_clock::now()) +
                                  std::chrono::seconds(1));
    // Destroys what still waits: frames end, and with them their crossings settle.
    if (ended)
        context_.reset();
    return ended;
}

runtime::runtime(runtime_options options) {
    const auto processors = std::max(2U, std::thread::hardware_concurrency());
    const auto count = static_cast<int>(options.threads != 0 ? options.threads : processors);
    threads_ = detail::intrusive_ptr<threads>::adopt(new threads(count));
}

runtime::~runtime() {
    shutdown();
}

executor runtime::make_executor(task_locals locals) {
    return detail::make_executor(*threads_, std::move(locals));
}

asio::io_context& runtime::io_context() {
    return threads_->io_context();
}

detail::scheduler& runtime::scheduler() noexcept {
    return *threads_;
}

bool runtime::shutdown(std::chrono::milliseconds deadline) {
    return threads_->shutdown(deadline);
}

namespace {

std::mutex default_mutex;
runtime_options default_options;

// Raw, so that no destructor runs at the end of the process: threads left behind may use it.
runtime* default_instance = nullptr;

void end_at_interpreter_exit() {
    // Whoever waits in Python waits no more: cancel it, so that the threads come to their end.
    detail::port::close_all();
    shutdown_default_runtime(std::chrono::seconds(2));
}

} // namespace

runtime& default_runtime() {
    const std::lock_guard lock(default_mutex);
    if (default_instance == nullptr)
        default_instance = new runtime(default_options);
    return *default_instance;
}

void init_default_runtime(runtime_options options) {
    const std::lock_guard lock(default_mutex);
    if (default_instance != nullptr)
        throw std::logic_error("init_default_runtime: the default runtime is already running; call "
                               "it before the first crossing, or shut the runtime down first");
    default_options = options;
}

bool shutdown_default_runtime(std::chrono::milliseconds deadline) {
    runtime* ending = nullptr;
    {
        const std::lock_guard lock(default_mutex);
        ending = std::exchange(default_instance, nullptr);
    }
    if (ending == nullptr)
        return true;
    const bool ended = ending->shutdown(deadline);
    if (ended)
        delete ending;
    return ended;
}

void detail::install_runtime_exit() {
    at_interpreter_exit(&end_at_interpreter_exit);
}

} // namespace bridge
