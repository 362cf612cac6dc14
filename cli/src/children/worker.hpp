// SPDX-License-Identifier: Apache-2.0
// One supervised process that does one thing and ends.
#pragma once

#include <memory>

#include "children/child.hpp"
#include "process/pipe_reader.hpp"

namespace bridge::cli {

class worker final : public child, public std::enable_shared_from_this<worker> {
public:
    worker(boost::asio::io_context& context, process started, worker_limits limits,
           worker_sinks sinks);

    void start();

    void ask() override { escalation_->ask(); }

    void stop() override { escalation_->stop(); }

    void kill() override { escalation_->kill(); }

    void pause() override { escalation_->pause(); }

    void resume(std::chrono::nanoseconds stopped) override {
        started_ += stopped;
        escalation_->resume();
    }

    bool has_ended() const noexcept override { return process_.has_ended(); }

    void collect() override;
    void abandon() noexcept override;

    process_group group() const noexcept override { return process_.group(); }

private:
    process process_;
    std::function<void(const worker_end&)> on_end_;
    pipe_reader output_;
    pipe_reader messages_;
    std::shared_ptr<escalation> escalation_;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

} // namespace bridge::cli
