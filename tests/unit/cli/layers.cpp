// SPDX-License-Identifier: Apache-2.0
// Which place an option's value comes from: command line, environment, profile, default profile.
#include "settings/layers.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "base/error.hpp"
#include "check.hpp"
#include "settings/settings.hpp"

namespace {

using namespace bridge::cli;
using std::chrono::milliseconds;
using texts = std::vector<std::string>;

const std::string path = std::filesystem::temp_directory_path().string() + "/layers." +
                         std::to_string(::getpid()) + ".toml";

// Sets a variable while it lives.
class variable {
public:
    variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }

    ~variable() { ::unsetenv(name_); }

    variable(const variable&) = delete;
    variable& operator=(const variable&) = delete;

private:
    const char* name_;
};

options apply(const std::string& file, given_options given = {}) {
    std::ofstream(path) << file;
    given["config"] = {path};
    options result;
    apply_layers(result, given);
    std::filesystem::remove(path);
    return result;
}

std::string why_not(const std::string& file, const given_options& given = {}) {
    try {
        apply(file, given);
    } catch (const expected_error& error) {
        return error.what();
    }
    return {};
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

constexpr auto two_profiles = "[profile.default]\njobs = 2\ntimeout = '1s'\nskip = 'a'\n"
                              "[profile.ci]\njobs = 3\n";

TEST("the file's default profile counts, another one where it is asked for") {
    const auto plain = apply(two_profiles);
    CHECK(plain.jobs == 2 && plain.timeout == milliseconds(1'000) && plain.profile == "default");
    CHECK(plain.sources.at("jobs").place == path + ":2 [profile.default]");
    const auto ci = apply(two_profiles, {{"profile", {"ci"}}});
    CHECK(ci.jobs == 3 && ci.timeout == milliseconds(1'000) && ci.skip == texts{"a"});
    CHECK(ci.sources.at("jobs").place == path + ":6 [profile.ci]");
    const variable profile("BRIDGE_TEST_PROFILE", "ci");
    CHECK(apply(two_profiles).jobs == 3);
    CHECK(apply(two_profiles, {{"profile", {"default"}}}).jobs == 2);
}

TEST("the environment outranks the file, the command line outranks both") {
    const variable jobs("BRIDGE_TEST_JOBS", "5");
    const variable timeout("BRIDGE_TEST_RUN_TIMEOUT", "9s");
    const auto settings = apply(two_profiles, {{"timeout", {"7s"}}});
    CHECK(settings.jobs == 5 && settings.run_timeout == milliseconds(9'000));
    CHECK(settings.timeout == milliseconds(7'000));
    CHECK(settings.sources.at("jobs").place == "BRIDGE_TEST_JOBS");
    CHECK(settings.sources.at("timeout").place == "--timeout");
    CHECK(settings.source_of("grace") == layer::built_in);
    CHECK(apply(two_profiles, {{"jobs", {"6"}}}).jobs == 6);
}

TEST("a list of a higher place replaces that of a lower one") {
    CHECK(apply(two_profiles, {{"skip", {"b", "c"}}}).skip == texts({"b", "c"}));
    const variable skip("BRIDGE_TEST_SKIP", "d");
    CHECK(apply(two_profiles).skip == texts{"d"});
}

TEST("every option has a variable, and an empty one is none") {
    for (const auto& one : all_settings())
        CHECK(one.variable().starts_with("BRIDGE_TEST_") &&
              one.variable().find('-') == std::string::npos);
    CHECK(find_setting("max-fail")->variable() == "BRIDGE_TEST_MAX_FAIL");
    const variable jobs("BRIDGE_TEST_JOBS", "");
    CHECK(apply(two_profiles).jobs == 2);
    const variable failed("BRIDGE_TEST_FAILED", "yes");
    CHECK(apply("").only_failed);
}

TEST("switches of a file can be taken back") {
    const auto file = "[profile.default]\nquiet = true\nno-capture = true\n";
    CHECK(apply(file).verbosity == -1 && !apply(file).is_capturing);
    CHECK(apply(file, {{"verbose", {"true"}}}).verbosity == 1);
    const variable capture("BRIDGE_TEST_NO_CAPTURE", "0");
    CHECK(apply(file).is_capturing);
}

TEST("overrides of the profile come before those of the default one") {
    const auto settings = apply("[[profile.default.overrides]]\nfilter='a'\nretries=1\n"
                                "[[profile.ci.overrides]]\nfilter='a'\nretries=2\n",
                                {{"profile", {"ci"}}});
    CHECK(settings.overrides.size() == 2 && settings.overrides[0].retries == 2U);
}

TEST("a wrong value names its place, and a wrong profile the near one") {
    CHECK(has(why_not("", {{"jobs", {"x"}}}), "--jobs: 'x' is not a number"));
    CHECK(why_not(two_profiles, {{"profile", {"cii"}}}) ==
          "there is no profile 'cii'; did you mean 'ci'?; " + path + " has default, ci");
    const variable jobs("BRIDGE_TEST_JOBS", "many");
    CHECK(why_not("") == "BRIDGE_TEST_JOBS: 'many' is not a number from 1 to 4096");
}

TEST("a part in the CI system's variables counts unless one is named") {
    const variable index("CI_NODE_INDEX", "2");
    const variable total("CI_NODE_TOTAL", "3");
    CHECK(apply("").part->describe() == "2/3");
    CHECK(apply("", {{"shard", {"1/2"}}}).part->describe() == "1/2");
    const variable own("BRIDGE_TEST_SHARD", "4/4");
    CHECK(apply("").part->describe() == "4/4");
}

} // namespace

int main() {
    return check::run();
}
