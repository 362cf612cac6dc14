// SPDX-License-Identifier: Apache-2.0
// Several tests at once in one loop.
#include "record/errors.hpp"
#include "run/test_runner.hpp"
#include "run/unfinished_test.hpp"

#include <bridge/gil.hpp>

#include <memory>
#include <utility>

namespace bridge::harness {

using protocol::outcome;
using std::chrono::milliseconds;

namespace {

class one_of_several final : public test_beside {
public:
    using start_function = std::function<running_test&()>;
    using guard_function = std::function<std::unique_ptr<watchdog>(const running_test&)>;

    one_of_several(start_function start, guard_function guard)
        : start_(std::move(start)), make_guard_(std::move(guard)) {}

    running_test& start() override {
        run_ = &start_();
        guard_ = make_guard_(*run_);
        return *run_;
    }

    void finish() override {
        result_ = run_->finish();
        guard_.reset();
    }

    watchdog& guard() override { return *guard_; }

    /// The run was cut short. Nothing if it had not begun.
    std::optional<outcome> end(const std::string& why) {
        if (guard_) {
            run_->fail(protocol::failure_kind::exception, why, {}, 0);
            finish();
        }
        return result_;
    }

private:
    start_function start_;
    guard_function make_guard_;
    running_test* run_ = nullptr;
    std::unique_ptr<watchdog> guard_; ///< while it runs
    std::optional<outcome> result_;
};

// What is nobody's, as a test of its own.
registered_test group_of(const std::vector<registered_test>& tests) {
    auto group = tests.front();
    group.options = {};
    group.value = nullptr;
    group.info.name = std::to_string(tests.size()) + " tests at once";
    group.info.id = "(" + group.info.name + ")";
    return group;
}

} // namespace

bool test_runner::can_run_beside(const registered_test& test) const {
    const auto& body = test.what->body;
    const bool is_loops = body.on_thread == nullptr && body.on_main_thread == nullptr;
    const auto& options = test.options;
    return is_loops && !options.is_serial && options.group.empty() && !options.is_in_virtual_time &&
           !options.is_swept && !sweeps_all_ && given_.is_empty() &&
           test.what->fixture.suite == nullptr;
}

std::vector<outcome> test_runner::run_together(const std::vector<registered_test>& tests,
                                               std::optional<milliseconds> timeout,
                                               unsigned at_once) {
    milliseconds limit{0};
    std::vector<std::unique_ptr<one_of_several>> all;
    std::vector<test_beside*> pointers;
    for (const auto& test : tests) {
        const auto own = limit_of(test, timeout);
        limit += own + watchdog_delay;
        all.push_back(std::make_unique<one_of_several>(
            [this, &test, own]() -> running_test& {
                return running_test::start_beside(test, own, *output_, settings_);
            },
            [this, own](const running_test& run) {
                return std::make_unique<watchdog>(own + watchdog_delay,
                                                  prepare_time_out(run.test().info, own));
            }));
        pointers.push_back(all.back().get());
    }
    const auto group_test = group_of(tests);
    auto& group = running_test::start(group_test, limit, *output_, settings_);
    const unfinished_test unfinished(group.test().info.id, *output_);
    to_repeat_ = {};
    {
        watchdog guard(limit + watchdog_delay, prepare_time_out(group_test.info, limit));
        const auto unasked = unasked_gil_takes();
        try {
            python_.run_together(pointers, at_once, group, guard);
        } catch (const python_error& error) {
            interrupted_ = error.matches(PyExc_KeyboardInterrupt);
            if (!interrupted_)
                group.fail(protocol::failure_kind::exception, explain_python_error(error), {}, 0);
        }
        if (const auto more = unasked_gil_takes() - unasked; more > 0)
            group.fail(protocol::failure_kind::leak,
                       "the bridge took the GIL unasked " + std::to_string(more) + " times", {}, 0);
    }
    std::vector<outcome> results;
    for (const auto& one : all)
        if (const auto result = one->end("interrupted"))
            results.push_back(*result);
    if (const auto result = group.finish(); result != outcome::passed)
        results.push_back(result);
    return results;
}

} // namespace bridge::harness
