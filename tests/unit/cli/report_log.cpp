// SPDX-License-Identifier: Apache-2.0
// The report log: what is written can be read, and what cannot be read is refused in words.
#include "report/report_log.hpp"

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "base/error.hpp"
#include "check.hpp"
#include "report/report_log_reader.hpp"

namespace {

using namespace bridge::cli;
using bridge::protocol::outcome;
using bridge::protocol::test_info;

class log_file {
public:
    explicit log_file(const std::string& content) {
        std::ofstream(path, std::ios::binary) << content;
    }

    ~log_file() { std::filesystem::remove(path); }

    log_file(const log_file&) = delete;
    log_file& operator=(const log_file&) = delete;

    const std::string path =
        (std::filesystem::temp_directory_path() / ("log." + std::to_string(::getpid()) + ".ndjson"))
            .string();
};

std::string refusal(const std::string& content) {
    const log_file file(content);
    try {
        report_log_reader().read(file.path);
    } catch (const expected_error& error) {
        CHECK(error.code() == exit_code::usage);
        return error.what();
    }
    return "";
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

struct sample {
    sample() {
        info.id = "s.a@x";
        info.suite = "s";
        info.name = "a";
        info.file = "a.cpp";
        info.line = 3;
        info.tags = {"net", "slow"};
        result.test = {&binary, &info};
        result.result = outcome::crashed;
        result.message = "signal 11";
        result.failures = {{"check", "1 == \xFF", "b.cpp", 7}};
        result.notes = {"a note"};
        result.output = std::string("out\n\0\x1b[1m\xFE", 10);
        result.duration = std::chrono::milliseconds(1500);
    }

    test_info info;
    test_binary binary{{"build/b", "/x/build/b", {}, {}, {}}, "b", {}};
    case_result result;
};

TEST("what is written is read again") {
    const sample wrote;
    std::string content;
    const auto begun = std::chrono::system_clock::from_time_t(1'800'000'000);
    for (const run_event& event :
         {run_event(listing_failed{{"c", "it crashed"}}), run_event(warned{"beware"}),
          run_event(run_started{1, 1, 4, begun}), run_event(case_started{wrote.result.test}),
          run_event(case_finished{wrote.result}),
          run_event(run_stopping{stop_reason::run_timeout, true}),
          run_event(run_finished{std::chrono::milliseconds(2500)})})
        content += write_log_line(event);
    const log_file file(content);
    report_log_reader reader;
    const auto events = reader.read(file.path);
    CHECK(events.size() == 6); // the start of a test is told again by its end
    CHECK(std::get<listing_failed>(events[0]).problem.message == "it crashed");
    CHECK(std::get<warned>(events[1]).message == "beware");
    CHECK(std::get<run_started>(events[2]).time == begun);
    CHECK(std::get<run_started>(events[2]).jobs == 4);
    const auto& read = std::get<case_finished>(events[3]).result;
    CHECK(read.test.binary->name == "b" && read.test.binary->location.shown_path == "build/b");
    CHECK(read.test.info->id == "s.a@x" && read.test.info->tags == wrote.info.tags);
    CHECK(read.test.info->file == "a.cpp" && read.test.info->line == 3);
    CHECK(read.result == outcome::crashed && read.message == "signal 11");
    CHECK(read.failures.size() == 1 && read.failures[0].line == 7);
    CHECK(read.failures[0].message == "1 == \\xff");
    CHECK(read.notes == wrote.result.notes && read.duration == wrote.result.duration);
    CHECK(read.output == std::string("out\n\0\x1b[1m\\xfe", 13));
    CHECK(std::get<run_stopping>(events[4]).reason == stop_reason::run_timeout);
    CHECK(std::get<run_finished>(events[5]).duration == std::chrono::milliseconds(2500));
}

TEST("a line is one line, and the clock has none") {
    const sample wrote;
    const auto line = write_log_line(case_finished{wrote.result});
    CHECK(line.find('\n') == line.size() - 1);
    CHECK(write_log_line(clock_ticked{}).empty());
}

TEST("of a green test no output is written") {
    sample wrote;
    wrote.result.result = outcome::passed;
    CHECK(!has(write_log_line(case_finished{wrote.result}), "output"));
}

TEST("a line that has no end yet is not read") {
    const log_file file(write_log_line(warned{"whole"}) + R"({"v":1,"event":"warn)");
    CHECK(report_log_reader().read(file.path).size() == 1);
}

TEST("an event of a later writer is passed over") {
    const log_file file("{\"v\":1,\"event\":\"test.dreamt\",\"of\":[1]}\n");
    CHECK(report_log_reader().read(file.path).empty());
}

TEST("what is not a log is refused with its line") {
    const auto good = write_log_line(warned{"x"});
    for (const auto* bad : {"hello\n", "\n", "[1]\n", "{\"v\":1}\n", "{\"v\":1,\"event\":7}\n",
                            "{\"v\":1,\"event\":\"run.started\"}\n",
                            "{\"v\":1,\"event\":\"run.started\",\"time\":\"now\",\"tests\":1,"
                            "\"binaries\":1,\"jobs\":1}\n",
                            "{\"v\":1,\"event\":\"run.started\",\"time\":\"2027-01-15T08:00:00Z\","
                            "\"tests\":-1,\"binaries\":1,\"jobs\":1}\n"})
        CHECK(has(refusal(good + bad), ":2: this is not a line of a report log"));
}

TEST("another version is refused") {
    CHECK(
        has(refusal("{\"v\":2,\"event\":\"warning\"}\n"), "of another version; this is version 1"));
    CHECK(has(refusal("{\"event\":\"warning\"}\n"), "of another version"));
}

TEST("a file that is not there is refused") {
    try {
        report_log_reader().read("/no/such.ndjson");
        CHECK(false);
    } catch (const expected_error& error) {
        CHECK(has(error.what(), "cannot read the report log /no/such.ndjson: No such file"));
    }
}

} // namespace

int main() {
    return check::run();
}
