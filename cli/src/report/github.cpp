// SPDX-License-Identifier: Apache-2.0
// Workflow commands and Markdown.
#include "report/github.hpp"

#include <algorithm>
#include <cstdlib>

#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bridge/protocol/text.hpp>

#include "output/style.hpp"
#include "output/writer.hpp"
#include "output/xml.hpp"

namespace bridge::cli {

using protocol::outcome;

namespace {

// GitHub shows ten annotations of a step and takes 1 MiB of summary.
constexpr std::size_t most_annotations = 10;
constexpr std::size_t longest_summary = 1024 * 1024;
constexpr std::size_t longest_details = 16 * 1024;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

void say(const std::string& text) {
    console().write(STDOUT_FILENO, text);
}

// As a workflow command wants it: in a property `:` and `,` are escaped, too.
std::string escaped(std::string_view bytes, bool is_property) {
    std::string text;
    for (char one : printable(bytes, false)) {
        if (one == '%' || one == '\r' || one == '\n' || (is_property && (one == ':' || one == ',')))
            text += fmt::format("%{:02X}", static_cast<unsigned char>(one));
        else
            text += one;
    }
    return text;
}

std::string place_of(const std::string& file, int line, const std::string& workspace) {
    if (file.empty())
        return {};
    std::string_view path = file;
    if (!workspace.empty() && path.starts_with(workspace + "/"))
        path.remove_prefix(workspace.size() + 1);
    return fmt::format("file={},line={},", escaped(path, true), line);
}

std::string annotation(const case_result& result, const std::string& workspace) {
    const auto& test = *result.test.info;
    auto place = place_of(test.file, test.line, workspace);
    std::string message = result.message;
    for (const auto& one : result.failures) {
        if (!one.file.empty() && &one == &result.failures.front())
            place = place_of(one.file, one.line, workspace);
        message += (message.empty() ? "" : "\n") + one.message;
    }
    return fmt::format("::error {}title={} {}::{}\n", place, escaped(label_of(result.result), true),
                       escaped(test.id, true),
                       escaped(message.empty() ? to_string(result.result) : message, false));
}

std::string flaky_annotation(const case_result& result, const std::string& workspace) {
    const auto& test = *result.test.info;
    return fmt::format("::warning {}title=FLAKY {}::passed at attempt {}\n",
                       place_of(test.file, test.line, workspace), escaped(test.id, true),
                       result.earlier.size() + 1);
}

std::string annotation(const listing_problem& problem) {
    return fmt::format("::error title={} could not be listed::{}\n", escaped(problem.binary, true),
                       escaped(problem.message, false));
}

// In a cell of a table: one line, no markup.
std::string cell(std::string_view bytes) {
    std::string text;
    for (char one : xml_text(bytes.substr(0, bytes.find('\n')))) {
        if (one == '|' || one == '*' || one == '_' || one == '`' || one == '[')
            text += '\\';
        text += one;
    }
    return text;
}

std::string details(const case_result& result) {
    std::string body;
    for (const auto& one : result.failures)
        body += fmt::format("{}:{}: {}\n", one.file, one.line, one.message);
    body += result.output;
    if (body.empty())
        return {};
    if (body.size() > longest_details)
        body = "[...]\n" + body.substr(body.size() - longest_details);
    return fmt::format("<details><summary>{}</summary>\n\n<pre>\n{}</pre>\n</details>\n",
                       xml_text(result.test.info->id), xml_text(printable(body, false)));
}

std::string first_reason(const case_result& result) {
    if (!result.message.empty() || result.failures.empty())
        return result.message;
    return result.failures.front().message;
}

} // namespace

github_reporter::github_reporter() : workspace_(variable("GITHUB_WORKSPACE")) {
    if (auto path = variable("GITHUB_STEP_SUMMARY"); !path.empty())
        summary_.emplace(std::move(path), append_file::old_content::kept);
    stopped_.emplace(STDOUT_FILENO);
}

void github_reporter::on(const run_event& event) {
    if (const auto* failed = std::get_if<listing_failed>(&event)) {
        problems_.push_back(failed->problem);
    } else if (const auto* finished = std::get_if<case_finished>(&event)) {
        const auto result = finished->result.result;
        totals_.add(result);
        if (result != outcome::not_run && !protocol::is_success(result))
            failures_.push_back(finished->result);
        if (finished->result.is_flaky())
            flaky_.push_back(finished->result);
    } else if (const auto* last = std::get_if<run_finished>(&event)) {
        stopped_.reset();
        say(annotations());
        if (summary_)
            summary_->write(summary(*last));
    }
}

void github_reporter::finish() {
    if (summary_)
        summary_->finish();
}

std::string github_reporter::annotations() const {
    std::vector<std::string> lines;
    for (const auto& one : problems_)
        lines.push_back(annotation(one));
    for (const auto& one : failures_)
        lines.push_back(annotation(one, workspace_));
    lines.resize(std::min(lines.size(), most_annotations));
    for (std::size_t i = 0; i < std::min(flaky_.size(), most_annotations); ++i)
        lines.push_back(flaky_annotation(flaky_[i], workspace_)); // of a kind of their own
    return fmt::format("{}", fmt::join(lines, ""));
}

std::string github_reporter::summary(const run_finished& event) const {
    const bool is_good = totals_.bad() == 0 && problems_.empty();
    auto text = fmt::format("### {} bridge-test: {} of {} tests passed in {:.1f} s\n\n",
                            is_good ? "✅" : "❌", totals_.of(outcome::passed), totals_.all(),
                            std::chrono::duration<double>(event.duration).count());
    for (const auto& one : problems_)
        text += fmt::format("- could not be listed: {}: {}\n", cell(one.binary), cell(one.message));
    if (!failures_.empty() || !flaky_.empty())
        text += "\n| verdict | test | why |\n| --- | --- | --- |\n";
    for (const auto& one : failures_)
        text += fmt::format("| {} | {} | {} |\n", label_of(one.result), cell(one.test.info->id),
                            cell(first_reason(one)));
    for (const auto& one : flaky_)
        text += fmt::format("| FLAKY | {} | passed at attempt {} |\n", cell(one.test.info->id),
                            one.earlier.size() + 1);
    text += "\n";
    for (const auto& one : failures_)
        if (const auto more = details(one); text.size() + more.size() < longest_summary - 256)
            text += more;
    if (text.size() >= longest_summary)
        text = text.substr(0, text.rfind('\n', longest_summary - 256)) + "\n\n(more was cut)\n";
    return text + "\n";
}

} // namespace bridge::cli
