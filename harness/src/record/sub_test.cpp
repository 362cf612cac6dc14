// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/detail/sub_test.hpp>

#include "record/record_error.hpp"
#include "record/running_test.hpp"

#include <utility>

namespace bridge::harness::detail {

sub_test_scope::sub_test_scope(running_test& run, std::string name)
    : run_(run), context_("in the sub-test " + std::move(name)), failures_before_(run.failures()) {
    run_.count_sub_tests(1);
}

sub_test_scope::~sub_test_scope() {
    run_.count_sub_tests(-1);
}

bool sub_test_scope::end(const std::exception_ptr& error) {
    if (error && ends_swept_body(run_, error))
        std::rethrow_exception(error);
    if (error)
        record_error(run_, error);
    run_.mark_caught();
    return run_.failures() == failures_before_;
}

} // namespace bridge::harness::detail
