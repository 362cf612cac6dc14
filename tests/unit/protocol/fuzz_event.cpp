// SPDX-License-Identifier: Apache-2.0
// Random bytes and damaged events: each line is an event, one that a later harness has added, or is
// refused with a protocol_error. What is read and written again is the same.
// Arguments: seed and number of inputs.
#include <bridge/protocol/event.hpp>

#include <bridge/protocol/text.hpp>

#include "fuzz.hpp"

#include <iterator>
#include <string>

namespace {

using namespace bridge::protocol;

constexpr const char* valid[] = {
    R"({"v":1,"event":"test.started","id":"a.b"})",
    R"({"v":1,"event":"test.failure","id":"a.b","kind":"check","message":"1 == 2","file":"a.cpp","line":9})",
    R"({"v":1,"event":"test.note","id":"a.b","message":"\u00e4\n\ud83d\ude00"})",
    R"({"v":1,"event":"test.finished","id":"a.b","outcome":"failed","message":"","duration_ms":1.5})",
    R"({"v":1,"event":"test.dreamt","id":"a.b","more":[{"deep":[[]]},null,true,1e3]})",
};

constexpr const char* pieces[] = {"{",
                                  "}",
                                  "[",
                                  "]",
                                  ":",
                                  ",",
                                  "\"",
                                  "\\",
                                  "\\u",
                                  "\\ud8",
                                  "null",
                                  "true",
                                  "-1",
                                  "1e999",
                                  "0.5",
                                  "\"v\":1",
                                  "\"id\"",
                                  "\xFF",
                                  "\xED\xA0\x80",
                                  "\xC0\x80",
                                  "\t",
                                  "\r",
                                  "\"line\":99999999999",
                                  "\"v\":2",
                                  "\"kind\":\"leak\"",
                                  "\"outcome\":\"crashed\"",
                                  "\"outcome\":7",
                                  "  "};

// A line of valid UTF-8 that reads as what it was written from.
bool survives_writing(const event& first) {
    const auto line = write_event(first);
    if (line.find('\n') != line.size() - 1 || to_valid_utf8(line) != line)
        return false;
    const auto second = parse_event(line);
    return second && write_event(*second) == line && second->index() == first.index();
}

bool holds(const std::string& line, long& accepted) {
    try {
        const auto read = parse_event(line);
        accepted += read.has_value();
        return !read || survives_writing(*read);
    } catch (const protocol_error& error) {
        return *error.what() != '\0' && to_valid_utf8(error.what()) == error.what();
    }
}

} // namespace

int main(int argc, char** argv) {
    return fuzz::run(
        argc, argv, 60'000, {1.0 / 20, 19.0 / 20},
        [](unsigned seed) { return fuzz::inputs(seed, valid, pieces); }, holds);
}
