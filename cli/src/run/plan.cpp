// SPDX-License-Identifier: Apache-2.0
// Plans of tests.
#include "run/plan.hpp"

#include "settings/options.hpp"

namespace bridge::cli {

namespace {

bool is_explicit(const options& settings, const char* name) {
    return settings.source_of(name) >= layer::environment;
}

// Of each kind the first rule that fits counts.
override_rule rules_for(const candidate& test, const options& settings) {
    override_rule sum;
    const auto take = [](auto& into, const auto& from) {
        if (!into)
            into = from;
    };
    for (const auto& one : settings.overrides) {
        if (!one.filter.fits(test))
            continue;
        take(sum.timeout, one.timeout);
        take(sum.retries, one.retries);
        take(sum.is_serial, one.is_serial);
        take(sum.group, one.group);
        take(sum.slots, one.slots);
    }
    return sum;
}

} // namespace

planned_test make_plan(const test_case& test, const options& settings, const remembered* last) {
    const auto rules = rules_for({*test.info, test.binary->name, last}, settings);
    planned_test plan;
    plan.test = test;
    plan.timeout = settings.timeout ? settings.timeout : test.binary->location.timeout;
    if (rules.timeout && !is_explicit(settings, "timeout"))
        plan.timeout = rules.timeout;
    plan.retries = settings.retries.value_or(static_cast<unsigned>(test.info->retries));
    if (rules.retries && !is_explicit(settings, "retries"))
        plan.retries = *rules.retries;
    plan.group = rules.group.value_or(test.info->group);
    plan.is_serial = rules.is_serial.value_or(test.info->is_serial);
    plan.slots = rules.slots.value_or(1);
    if (last != nullptr)
        plan.expected = last->duration;
    return plan;
}

} // namespace bridge::cli
