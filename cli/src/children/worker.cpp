// SPDX-License-Identifier: Apache-2.0
// Supervision of one process.
#include "children/worker.hpp"

namespace bridge::cli {

worker::worker(boost::asio::io_context& context, process started, worker_limits limits,
               worker_sinks sinks)
    : process_(std::move(started)), on_end_(std::move(sinks.end)), output_(context),
      messages_(context), escalation_(std::make_shared<escalation>(context, limits)) {
    output_.set_sink(std::move(sinks.output));
    messages_.set_sink(std::move(sinks.messages));
}

void worker::start() {
    output_.open(std::move(process_.output), weak_from_this());
    messages_.open(std::move(process_.messages), weak_from_this());
    escalation_->start(process_.group());
}

void worker::collect() {
    output_.drain();
    messages_.drain();
    worker_end result;
    result.left_processes = output_.is_open() || messages_.is_open();
    result.duration = std::chrono::steady_clock::now() - started_;
    result.cause = escalation_->cause();
    result.stop_signal = escalation_->stop_signal();
    result.status = process_.reap();
    escalation_->disarm();
    output_.close();
    messages_.close();
    on_end_(result);
}

void worker::abandon() noexcept {
    output_.close();
    messages_.close();
    process_.reap();
}

} // namespace bridge::cli
