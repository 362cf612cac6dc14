// SPDX-License-Identifier: Apache-2.0
// The reverse of report_log.cpp.
#include "report/report_log_reader.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "output/time_text.hpp"
#include "report/report_log.hpp"

namespace bridge::cli {

namespace json = boost::json;

namespace {

// Sums of them have to fit, too.
constexpr std::chrono::hours longest_duration{24 * 366};

std::string text(const json::object& from, std::string_view key) {
    return std::string(from.at({key.data(), key.size()}).as_string());
}

std::chrono::nanoseconds duration(const json::object& from) {
    const std::chrono::duration<double> value(from.at("duration_s").to_number<double>());
    if (!(value >= value.zero() && value <= longest_duration))
        throw std::out_of_range("duration_s");
    return std::chrono::duration_cast<std::chrono::nanoseconds>(value);
}

std::vector<std::string> texts(const json::object& from, std::string_view key) {
    std::vector<std::string> all;
    for (const auto& one : from.at({key.data(), key.size()}).as_array())
        all.emplace_back(one.as_string());
    return all;
}

std::vector<failure> failures(const json::object& from) {
    std::vector<failure> all;
    for (const auto& one : from.at("failures").as_array()) {
        const auto& object = one.as_object();
        all.push_back({text(object, "kind"), text(object, "message"), text(object, "file"),
                       object.at("line").to_number<int>()});
    }
    return all;
}

protocol::test_info test_of(const json::object& from) {
    protocol::test_info info;
    info.id = text(from, "id");
    info.suite = text(from, "suite");
    info.name = text(from, "name");
    info.file = text(from, "file");
    info.line = from.at("line").to_number<int>();
    info.tags = texts(from, "tags");
    return info;
}

case_result result_of(const json::object& from, const test_case& test) {
    const auto outcome = protocol::parse_outcome(text(from, "outcome"));
    if (!outcome)
        throw std::out_of_range("outcome");
    case_result result;
    result.test = test;
    result.result = *outcome;
    result.message = text(from, "message");
    result.failures = failures(from);
    result.notes = texts(from, "notes");
    result.duration = duration(from);
    if (from.contains("output"))
        result.output = text(from, "output");
    if (from.contains("earlier"))
        for (const auto& one : from.at("earlier").as_array())
            result.earlier.push_back(result_of(one.as_object(), test));
    return result;
}

run_started start_of(const json::object& from) {
    const auto time = parse_timestamp(text(from, "time"));
    if (!time)
        throw std::out_of_range("time");
    return {from.at("tests").to_number<std::size_t>(), from.at("binaries").to_number<std::size_t>(),
            from.at("jobs").to_number<unsigned>(), *time};
}

run_finished end_of(const json::object& from) {
    run_finished end{duration(from)};
    if (from.contains("shard"))
        if (end.part = parse_shard(text(from, "shard")); !end.part)
            throw std::out_of_range("shard");
    return end;
}

run_stopping stop_of(const json::object& from) {
    const bool is_interrupt = text(from, "reason") == "interrupted";
    return {is_interrupt ? stop_reason::interrupted : stop_reason::run_timeout,
            from.at("kill").as_bool()};
}

void require_version(const json::object& line, const std::string& path) {
    const auto* version = line.if_contains("v");
    if (version == nullptr || !version->is_int64() || version->get_int64() != report_log_version)
        throw expected_error(exit_code::usage,
                             fmt::format("{}: a report log of another version; this is version {}",
                                         path, report_log_version));
}

std::string read_file(const std::string& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        throw expected_error(exit_code::usage,
                             fmt::format("{} is a folder; name the report logs in it", path));
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw expected_error(
            exit_code::usage,
            fmt::format("cannot read the report log {}: {}", path,
                        std::error_code(errno, std::generic_category()).message()));
    return std::string(std::istreambuf_iterator<char>(file), {});
}

} // namespace

class log_line_reader {
public:
    explicit log_line_reader(report_log_reader& owner) : owner_(owner) {}

    /// Nothing for an event that a later version has added.
    std::optional<run_event> read(const json::object& line) {
        const auto name = text(line, "event");
        if (name == "list.failed")
            return listing_failed{{text(line, "binary"), text(line, "message")}};
        if (name == "warning")
            return warned{text(line, "message")};
        if (name == "run.started")
            return start_of(line);
        if (name == "run.stopping")
            return stop_of(line);
        if (name == "run.finished")
            return end_of(line);
        if (name == "test.finished")
            return case_finished{result_of(
                line, owner_.make_test(text(line, "binary"), text(line, "path"), test_of(line)))};
        return std::nullopt;
    }

private:
    report_log_reader& owner_;
};

test_case report_log_reader::make_test(std::string binary, std::string path,
                                       protocol::test_info info) {
    auto& owner = binaries_[binary];
    if (!owner)
        owner = std::make_unique<test_binary>(
            test_binary{{path, path, {}, {}, {}}, std::move(binary), {}});
    tests_.push_back(std::make_unique<protocol::test_info>(std::move(info)));
    return {owner.get(), tests_.back().get()};
}

std::vector<run_event> report_log_reader::read(const std::string& path) {
    const auto content = read_file(path);
    std::vector<run_event> events;
    std::string_view rest = content;
    for (std::size_t number = 1; rest.find('\n') != rest.npos; ++number) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(line.size() + 1);
        try {
            const auto value = json::parse({line.data(), line.size()});
            require_version(value.as_object(), path);
            if (auto event = log_line_reader(*this).read(value.as_object()))
                events.push_back(std::move(*event));
        } catch (const expected_error&) {
            throw;
        } catch (const std::exception&) { // what Boost.JSON throws for another shape
            throw expected_error(
                exit_code::usage,
                fmt::format("{}:{}: this is not a line of a report log (--report-log writes one)",
                            path, number));
        }
    }
    return events;
}

} // namespace bridge::cli
