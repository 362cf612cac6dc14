// SPDX-License-Identifier: Apache-2.0
// Plans of tests.
#include "plan.hpp"

#include "options.hpp"

namespace bridge::cli {

planned_test make_plan(const test_case& test, const options& settings, const remembered* last) {
    planned_test plan;
    plan.test = test;
    plan.timeout = settings.timeout ? settings.timeout : test.binary->location.timeout;
    plan.retries = settings.retries.value_or(static_cast<unsigned>(test.info->retries));
    plan.group = test.info->group;
    plan.is_serial = test.info->is_serial;
    if (last != nullptr)
        plan.expected = last->duration;
    return plan;
}

} // namespace bridge::cli
