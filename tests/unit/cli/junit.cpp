// SPDX-License-Identifier: Apache-2.0
// The JUnit report: one element per verdict, counts, and any bytes in it.
#include "report/junit.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <unistd.h>

#include "check.hpp"
#include "base/error.hpp"

namespace {

using namespace bridge::cli;
using bridge::protocol::outcome;
using bridge::protocol::test_info;

// A run of one binary's tests: results are added, the report's text comes back.
class run {
public:
    void add(const std::string& id, outcome result, const std::string& message = "",
             std::vector<failure> failures = {}, const std::string& output = "") {
        auto& test = *tests_.emplace_back(std::make_unique<test_info>());
        test.id = id;
        test.suite = id.substr(0, id.find('.'));
        test.name = "the name that several ids share";
        report_.on(case_finished{{{&binary_, &test},
                                  result,
                                  message,
                                  std::move(failures),
                                  {},
                                  output,
                                  std::chrono::milliseconds(1500)}});
    }

    void cannot_list(const std::string& name, const std::string& why) {
        report_.on(listing_failed{{name, why}});
    }

    std::string text() {
        report_.on(run_finished{std::chrono::milliseconds(2500)});
        std::ifstream file(path_, std::ios::binary);
        std::string all(std::istreambuf_iterator<char>(file), {});
        std::filesystem::remove(path_);
        return all;
    }

private:
    std::string path_ =
        (std::filesystem::temp_directory_path() / ("junit." + std::to_string(::getpid()) + ".xml"))
            .string();
    test_binary binary_{{"b", "/b", {}, {}, {}}, "bin<1>", {}};
    std::vector<std::unique_ptr<test_info>> tests_;
    junit_reporter report_{path_};
};

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST("each verdict has its element and its count") {
    run all;
    all.add("s.good", outcome::passed);
    all.add("s.bad", outcome::failed, "", {{"check", "1 == 2", "x.cpp", 7}}, "out");
    all.add("s.late", outcome::timed_out, "no result after 5s");
    all.add("s.dead", outcome::crashed, "signal 11");
    all.add("s.not", outcome::skipped, "no net");
    all.add("s.later", outcome::not_run, "the run was interrupted");
    const auto text = all.text();
    CHECK(has(text, R"(tests="6" failures="1" errors="2" time="2.500">)"));
    CHECK(has(text, R"(tests="6" failures="1" errors="2" time="9.000" skipped="2" timestamp=")"));
    CHECK(has(text, R"(<testcase name="good" classname="bin&lt;1&gt;.s" time="1.500"/>)"));
    CHECK(has(text, R"(<failure message="1 == 2" type="check">x.cpp:7: check: 1 == 2)"));
    CHECK(has(text, "<system-out>out</system-out>"));
    CHECK(has(text, R"(<error message="no result after 5s" type="timeout">)"));
    CHECK(has(text, R"(<error message="signal 11" type="crash">)"));
    CHECK(has(text, R"(<skipped message="no net">)"));
    CHECK(has(text, R"(<skipped message="the run was interrupted">)"));
}

TEST("a verdict without words says at least what it is") {
    run all;
    all.add("s.a", outcome::failed, "", {{"check", "\n \n", "", 0}});
    all.add("s.b", outcome::skipped);
    all.add("s.c", outcome::crashed, "\n\nfirst\nsecond");
    const auto text = all.text();
    CHECK(has(text, R"(<failure message="failed" type="check">)"));
    CHECK(has(text, R"(<skipped message="skipped">skipped</skipped>)"));
    CHECK(has(text, R"(<error message="first" type="crash">)"));
}

TEST("a green test's output is left out") {
    run all;
    all.add("s.good", outcome::passed, "", {}, "chatter");
    CHECK(!has(all.text(), "chatter"));
}

TEST("ids that differ give cases that differ") {
    run all;
    all.add("s.a@asyncio", outcome::passed);
    all.add("s.a@uvloop", outcome::passed);
    const auto text = all.text();
    CHECK(has(text, R"(name="a@asyncio")") && has(text, R"(name="a@uvloop")"));
}

TEST("cases are in the order of their suites, files, lines and ids") {
    run all;
    all.add("t.a", outcome::passed);
    all.add("s.b", outcome::passed);
    all.add("s.a", outcome::passed);
    const auto text = all.text();
    CHECK(text.find(R"(name="a" classname="bin&lt;1&gt;.s")") <
          text.find(R"(name="b" classname="bin&lt;1&gt;.s")"));
    CHECK(text.find(R"(name="b" classname="bin&lt;1&gt;.s")") <
          text.find(R"(name="a" classname="bin&lt;1&gt;.t")"));
}

TEST("a binary that could not be listed is a suite with an error") {
    run all;
    all.cannot_list("build/b", "it crashed\nand more");
    const auto text = all.text();
    CHECK(has(text, R"(<testsuite name="build/b" tests="1" failures="0" errors="1")"));
    CHECK(has(text, R"(<error message="it crashed" type="listing">)"));
}

TEST("a run without tests is a report too") {
    const auto text = run().text();
    CHECK(has(text, R"(<testsuites name="bridge-test" tests="0" failures="0" errors="0")"));
    CHECK(has(text, "</testsuites>\n"));
}

TEST("no byte of a test breaks the document") {
    run all;
    std::string bytes;
    for (int value = 0; value < 256; ++value)
        bytes += static_cast<char>(value);
    all.add("s." + bytes, outcome::failed, bytes, {{"check", bytes, bytes, 1}}, bytes + "]]>");
    const auto text = all.text();
    CHECK(!has(text, std::string(1, '\0')) && !has(text, "\x1b") && !has(text, "]]>"));
    CHECK(has(text, "\\x00") && has(text, "\\xff"));
}

TEST("a report that cannot be written later is refused at once") {
    try {
        junit_reporter report("/none/such/junit.xml");
        CHECK(false);
    } catch (const expected_error& error) {
        CHECK(error.code() == exit_code::report_not_written);
        CHECK(has(error.what(), "/none/such/junit.xml"));
    }
}

} // namespace

int main() {
    return check::run();
}
