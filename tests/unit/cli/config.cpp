// SPDX-License-Identifier: Apache-2.0
// bridge-test.toml: what is read, and where each error is said to be.
#include "settings/config.hpp"

#include "base/error.hpp"
#include "check.hpp"

namespace {

using namespace bridge::cli;
using std::chrono::milliseconds;
using texts = std::vector<std::string>;

configuration parse(const std::string& text) {
    return parse_configuration(text, "t.toml");
}

std::string why_not(const std::string& text) {
    try {
        parse(text);
    } catch (const expected_error& error) {
        return error.code() == exit_code::usage ? error.what() : "another code";
    }
    return {};
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST("no file and an empty one have no settings, and two profiles") {
    CHECK(parse("").profiles.empty());
    CHECK(configuration().profile_names() == texts({"default", "ci"}));
}

TEST("a profile has settings, with their places, of every kind") {
    const auto file = parse("# a comment\n"
                            "[profile.default]\n"
                            "jobs = 3\n"
                            "timeout = \"1m\"\n"
                            "tag = [\"net\", \"db\"]\n"
                            "skip = \"slow\"\n"
                            "no-capture = true\n"
                            "[profile.night]\n"
                            "grace = 5\n");
    CHECK(file.profile_names() == texts({"default", "ci", "night"}));
    const auto& settings = file.find("default")->settings;
    CHECK(settings.size() == 5 && file.find("night")->settings.size() == 1);
    for (const auto& one : settings) {
        if (one.name == "jobs")
            CHECK(one.texts == texts{"3"} && one.place == "t.toml:3 [profile.default]");
        if (one.name == "tag")
            CHECK(one.texts == texts({"net", "db"}));
        if (one.name == "no-capture")
            CHECK(one.texts == texts{"true"});
    }
}

TEST("overrides have a filter and what they say, in their order") {
    const auto file = parse("[[profile.ci.overrides]]\n"
                            "filter = \"tag:net and not slow\"\n"
                            "timeout = \"30s\"\n"
                            "retries = 2\n"
                            "[[profile.ci.overrides]]\n"
                            "filter = 'db'\n"
                            "serial = 'port'\n"
                            "threads-required = 4\n"
                            "[[profile.ci.overrides]]\n"
                            "filter = 'db'\n"
                            "serial = true\n");
    const auto& rules = file.find("ci")->overrides;
    CHECK(rules.size() == 3);
    CHECK(rules[0].timeout == milliseconds(30'000) && rules[0].retries == 2U);
    CHECK(rules[0].place == "t.toml:1" && !rules[0].group && !rules[0].is_serial);
    CHECK(rules[1].group == "port" && rules[1].slots == 4U && !rules[1].is_serial);
    CHECK(rules[2].is_serial == true && !rules[2].group);
}

TEST("an unknown key is told with its line and the near name") {
    CHECK(why_not("\n[profil.ci]\n") == "t.toml:2: unknown key 'profil'; did you mean 'profile'?");
    CHECK(why_not("[profile.ci]\njobs=1\ntimout = '1s'") ==
          "t.toml:3: unknown key 'timout'; did you mean 'timeout'?");
    CHECK(why_not("[[profile.ci.overrides]]\nfilter='a'\nretrys=1") ==
          "t.toml:3: unknown key of an override 'retrys'; did you mean 'retries'?");
    CHECK(why_not("[[profile.ci.overrides]]\nfilter='a'\nfriends=1") ==
          "t.toml:3: unknown key of an override 'friends'; known are filter, timeout, retries, "
          "serial, threads-required");
    CHECK(has(why_not("[profile.ci]\nshard='1/2'"), "t.toml:2: unknown key 'shard'"));
    CHECK(has(why_not("[profile.ci]\nx=1"), "t.toml:2: unknown key 'x'; known are filter, tag"));
}

TEST("a value of another kind is told with its line") {
    CHECK(why_not("[profile.ci]\njobs = 'many'") ==
          "t.toml:2: jobs: 'many' is not a number from 1 to 4096");
    CHECK(has(why_not("[profile.ci]\njobs = 0"), "t.toml:2: jobs: '0' is not a number"));
    CHECK(has(why_not("[profile.ci]\njobs = [1]"), "t.toml:2: jobs: it takes one value"));
    CHECK(has(why_not("[profile.ci]\ntimeout = 1.5"), "t.toml:2: timeout: a text or a whole"));
    CHECK(has(why_not("[profile.ci]\ntimeout = 'soon'"), "t.toml:2: timeout: 'soon' is not a"));
    CHECK(has(why_not("[profile.ci]\nno-capture = 1"), "t.toml:2: no-capture: it is either"));
    CHECK(has(why_not("[profile.ci]\ncolor = 'red'"), "t.toml:2: color: 'red' is none of auto"));
    CHECK(has(why_not("[profile.ci]\ntag = [1.5]"), "t.toml:2: tag: a text or a whole number"));
    CHECK(has(why_not("profile = 1"), "t.toml:1: 'profile' has to be a table"));
    CHECK(has(why_not("[profile]\nci = 1"), "t.toml:2: 'profile.ci' has to be a table"));
    CHECK(has(why_not("[profile.ci]\noverrides = 1"), "t.toml:2: overrides: write [[profile.ci."));
    CHECK(has(why_not("[profile.ci]\noverrides = [1]"), "t.toml:2: 'overrides' has to be a table"));
}

TEST("a filter of a profile is one, in use or not") {
    CHECK(why_not("[profile.nightly]\njobs=1\nfilter='a and'") ==
          "t.toml:3: filter: a condition is missing at the end\n  a and\n       ^");
    CHECK(has(why_not("[profile.ci]\nfilter=['a', 'b or']"), "t.toml:2: filter: a condition is"));
    CHECK(has(why_not("[profile.ci]\nskip='status:pased'"),
              "t.toml:2: skip: there is no status 'pased'; did you mean 'passed'?"));
    CHECK(why_not("[profile.ci]\nskip=['tag:slow', 'a:b']\nfilter='a and b'").empty());
}

TEST("an override needs a filter that is one") {
    CHECK(has(why_not("\n[[profile.ci.overrides]]\nretries=1"), "t.toml:2: an override without"));
    CHECK(why_not("[[profile.ci.overrides]]\nretries=1\nfilter='a and'") ==
          "t.toml:3: filter: a condition is missing at the end\n  a and\n       ^");
    CHECK(
        has(why_not("[[profile.ci.overrides]]\nfilter='a'\nserial=1"), "t.toml:3: serial: it is"));
    CHECK(has(why_not("[[profile.ci.overrides]]\nfilter='a'\nserial=''"), "t.toml:3: serial: it"));
    CHECK(has(why_not("[[profile.ci.overrides]]\nfilter='a'\ntimeout='x'"), "t.toml:3: timeout:"));
}

TEST("what is no TOML is told with its line") {
    CHECK(why_not("[profile.ci]\njobs = = 1").starts_with("t.toml:2: "));
    CHECK(why_not("[profile.ci\n").starts_with("t.toml:1: "));
    CHECK(why_not("[profile.ci]\njobs=1\njobs=2").starts_with("t.toml:3: "));
    CHECK(why_not("\xFF").starts_with("t.toml:1: "));
}

TEST("a file that cannot be read is an error") {
    for (const char* path : {"/nonexistent/bridge-test.toml", "/"})
        CHECK_THROWS(expected_error, read_configuration(path));
}

} // namespace

int main() {
    return check::run();
}
