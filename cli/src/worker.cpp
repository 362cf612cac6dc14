// SPDX-License-Identifier: Apache-2.0
// Supervision of one process.
#include "worker.hpp"

#include <csignal>

#include <boost/asio/buffer.hpp>

namespace bridge::cli {

namespace asio = boost::asio;

namespace {

// What the ended process wrote is in the pipe already (at most the pipe's size); more than this
// comes from a process that it left behind, and nobody waits for those.
constexpr std::size_t drain_limit = 4 * 1024 * 1024;

} // namespace

worker::worker(asio::io_context& context, process child, worker_limits limits, worker_sinks sinks)
    : child_(std::move(child)), limits_(limits),
      on_end_(std::move(sinks.end)), output_{asio::posix::stream_descriptor(context),
                                             std::move(sinks.output)},
      messages_{asio::posix::stream_descriptor(context), std::move(sinks.messages)},
      timer_(context), started_(std::chrono::steady_clock::now()) {}

void worker::start() {
    open(output_, std::move(child_.output));
    open(messages_, std::move(child_.messages));
    if (limits_.timeout)
        arm(*limits_.timeout, [this] { explain_then_end(); });
}

void worker::open(stream& from, unique_fd fd) {
    if (fd.get() < 0)
        return;
    from.descriptor.assign(fd.release());
    from.descriptor.non_blocking(true);
    from.is_open = true;
    wait_to_read(from);
}

// Waits and then reads, rather than asynchronously reading: bytes that a read has taken while its
// handler is still queued would be lost to a collect() that comes before it.
void worker::wait_to_read(stream& from) {
    from.descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                               [self = shared_from_this(), &from](boost::system::error_code error) {
                                   if (error || self->is_collected_)
                                       return;
                                   self->read(from);
                                   if (from.is_open)
                                       self->wait_to_read(from);
                               });
}

// Returns how much it read, 0 when there is nothing to read for now or for ever.
std::size_t worker::read(stream& from) {
    boost::system::error_code error;
    const auto size = from.descriptor.read_some(asio::buffer(from.buffer), error);
    if (size > 0)
        from.sink({from.buffer.data(), size});
    else if (error != asio::error::would_block)
        from.is_open = false;
    return size;
}

void worker::drain(stream& from) {
    for (std::size_t total = 0; from.is_open && total < drain_limit;) {
        const auto size = read(from);
        if (size == 0)
            return;
        total += size;
    }
}

void worker::arm(std::chrono::milliseconds delay, std::function<void()> action) {
    timer_.expires_after(delay);
    timer_.async_wait(
        [self = shared_from_this(), action = std::move(action)](boost::system::error_code error) {
            if (!error && !self->is_collected_)
                action();
        });
}

void worker::end(ending cause) {
    if (is_ending_)
        return;
    is_ending_ = true;
    cause_ = cause;
    terminate();
}

// Who catches SIGQUIT writes where it hangs, as the harness and the Java machine do; for all others
// it would be the end, with a core file.
void worker::explain_then_end() {
    if (is_ending_ || !child_.catches(SIGQUIT))
        return end(ending::timed_out);
    is_ending_ = true;
    cause_ = ending::timed_out;
    child_.signal_leader(SIGQUIT);
    child_.signal_leader(SIGCONT);
    arm(limits_.dump_time, [this] { terminate(); });
}

void worker::terminate() {
    child_.signal(SIGTERM);
    child_.signal(SIGCONT); // a stopped process would not see the SIGTERM
    arm(limits_.kill_after, [this] { kill(); });
}

void worker::kill() {
    if (!is_ending_) {
        is_ending_ = true;
        cause_ = ending::stopped;
    }
    child_.signal(SIGKILL);
}

void worker::collect() {
    drain(output_);
    drain(messages_);
    is_collected_ = true;
    worker_end result;
    result.left_processes = output_.is_open || messages_.is_open;
    result.duration = std::chrono::steady_clock::now() - started_;
    result.cause = cause_;
    result.status = child_.reap();
    timer_.cancel();
    for (auto* one : {&output_, &messages_}) {
        boost::system::error_code ignored;
        one->descriptor.close(ignored);
    }
    on_end_(result);
}

void worker::abandon() noexcept {
    is_collected_ = true;
    child_.reap();
}

} // namespace bridge::cli
