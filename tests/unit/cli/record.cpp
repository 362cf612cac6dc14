// SPDX-License-Identifier: Apache-2.0
// The event pipe: any portions, any rubbish, within bounds.
#include "run/record.hpp"

#include "check.hpp"

namespace {

using namespace bridge::protocol;
using bridge::cli::record;

const std::string good_end = write_event(test_finished{"s.a", outcome::passed, "", 1});

std::string failure_line(const std::string& message) {
    return write_event(test_failure{"s.a", failure_kind::check, message, "x.cpp", 3});
}

bool complains(const record& said, std::string_view part) {
    const auto failures = said.failures();
    return !failures.empty() && failures.back().kind == "protocol" &&
           failures.back().message.find(part) != std::string::npos;
}

TEST("failures, notes and the end are collected in order") {
    record said("s.a");
    said.append(write_event(test_started{"s.a"}) + failure_line("one") +
                write_event(test_note{"s.a", "seed 5"}) + failure_line("two") + good_end);
    CHECK(said.failures().size() == 2 && said.failures()[1].message == "two");
    CHECK(said.failures()[0].kind == "check" && said.failures()[0].file == "x.cpp");
    CHECK(said.notes() == std::vector<std::string>{"seed 5"});
    CHECK(said.finished() && said.finished()->result == outcome::passed);
}

TEST("the bytes may come one at a time") {
    record said("s.a");
    for (char byte : failure_line("one") + good_end)
        said.append({&byte, 1});
    CHECK(said.failures().size() == 1 && said.finished());
}

TEST("a line without its end is not an event yet") {
    record said("s.a");
    said.append(good_end.substr(0, good_end.size() - 1));
    CHECK(!said.finished() && said.failures().empty());
    said.append("\n");
    CHECK(said.finished().has_value());
}

TEST("rubbish is told once, with its beginning, and hides nothing that follows") {
    record said("s.a");
    said.append("hello\nworld\n\n" + good_end);
    CHECK(said.failures().size() == 1 && complains(said, "\"hello\""));
    CHECK(said.finished().has_value());
}

TEST("an event of a later harness is not rubbish") {
    record said("s.a");
    said.append("{\"v\":1,\"event\":\"test.phase\",\"id\":\"s.a\"}\n" + good_end);
    CHECK(said.failures().empty() && said.finished());
}

TEST("another test's event and one after the last are told") {
    record other("s.b");
    other.append(good_end);
    CHECK(!other.finished() && complains(other, "another test, \"s.a\""));
    record twice("s.a");
    twice.append(good_end + write_event(test_finished{"s.a", outcome::failed, "", 1}));
    CHECK(twice.finished()->result == outcome::passed && complains(twice, "after the last one"));
}

TEST("a line without end is dropped at 1 MiB, and the next line counts again") {
    record said("s.a");
    const std::string portion(256 * 1024, 'x');
    for (int i = 0; i < 40; ++i)
        said.append(portion);
    said.append("\n" + good_end);
    CHECK(complains(said, "a line of more than 1 MiB"));
    CHECK(said.failures().size() == 1 && said.finished());
}

TEST("a message of nearly 1 MiB is kept, further ones are counted") {
    record said("s.a");
    said.append(failure_line(std::string(1'000'000, 'x')) + failure_line(std::string(90'000, 'y')) +
                good_end);
    CHECK(said.failures().size() == 1 && said.failures()[0].message.size() == 1'000'000);
    CHECK(said.notes().back() == "1 more failures and notes were dropped");
}

TEST("more than 200 failures and notes are counted, not kept") {
    record said("s.a");
    for (int i = 0; i < 1'000; ++i)
        said.append(failure_line(std::to_string(i)));
    said.append(good_end);
    CHECK(said.failures().size() == 200 && said.failures().back().message == "199");
    CHECK(said.notes() == std::vector<std::string>{"800 more failures and notes were dropped"});
    CHECK(said.finished().has_value());
}

} // namespace

int main() {
    return check::run();
}
