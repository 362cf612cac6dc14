// SPDX-License-Identifier: Apache-2.0
// How one test is run: its own options, the file's rules, the command line.
#include "run/plan.hpp"

#include "check.hpp"
#include "settings/options.hpp"

namespace {

using namespace bridge::cli;
using std::chrono::milliseconds;

struct given {
    test_binary binary;
    bridge::protocol::test_info info;
    options settings;

    given() {
        info.id = "http.get";
        info.timeout = milliseconds(10);
        info.retries = 1;
        info.group = "port";
    }

    planned_test plan() { return make_plan({&binary, &info}, settings, nullptr); }

    override_rule& add_rule(const std::string& filter) {
        return settings.overrides.emplace_back(
            override_rule{filter, filter_expression::parse(filter), "t.toml:1"});
    }
};

TEST("a test's own options count where nothing else is said") {
    given one;
    const auto plan = one.plan();
    CHECK(!plan.timeout && plan.time() == milliseconds(10) && plan.retries == 1);
    CHECK(plan.group == "port" && !plan.is_serial && plan.slots == 1 && !plan.expected);
}

TEST("a rule that fits counts, of each kind the first") {
    given one;
    one.add_rule("dns").retries = 9;
    one.add_rule("http").retries = 3;
    auto& second = one.add_rule("name:* or http");
    second.retries = 4;
    second.timeout = milliseconds(30);
    second.slots = 2;
    second.is_serial = true;
    second.group = "db";
    const auto plan = one.plan();
    CHECK(plan.retries == 3 && plan.timeout == milliseconds(30) && plan.slots == 2);
    CHECK(plan.is_serial && plan.group == "db");
}

TEST("a rule outranks the file's profile and the manifest, not the command line") {
    given one;
    one.add_rule("http").timeout = milliseconds(30);
    one.binary.location.timeout = milliseconds(40);
    CHECK(one.plan().timeout == milliseconds(30));
    one.settings.timeout = milliseconds(50);
    one.settings.sources["timeout"] = {layer::file, ""};
    CHECK(one.plan().timeout == milliseconds(30));
    one.settings.sources["timeout"] = {layer::environment, ""};
    CHECK(one.plan().timeout == milliseconds(50));
    one.settings.retries = 0;
    one.settings.sources["retries"] = {layer::command_line, ""};
    one.settings.overrides[0].retries = 7;
    CHECK(one.plan().retries == 0);
}

TEST("the manifest's time-out counts before the test's own") {
    given one;
    one.binary.location.timeout = milliseconds(40);
    CHECK(one.plan().time() == milliseconds(40));
}

} // namespace

int main() {
    return check::run();
}
