// SPDX-License-Identifier: Apache-2.0
// From what execve says, and a look at the file.
#include "children/explain_start.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace bridge::cli {

namespace {

// The system looks no further.
constexpr std::size_t longest_line = 256;

std::string first_line_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(longest_line, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text.substr(0, text.find('\n'));
}

// Of a script, or empty.
std::string interpreter_of(const std::string& line) {
    if (!line.starts_with("#!"))
        return {};
    const auto begin = line.find_first_not_of(" \t", 2);
    if (begin == std::string::npos)
        return {};
    return line.substr(begin, line.find_first_of(" \t\r", begin) - begin);
}

std::string advise_on_format(const std::string& line) {
    constexpr auto advice = "; it is not a program of this machine";
    if (line.starts_with("\177ELF") || line.starts_with("#!"))
        return advice;
    return std::string(advice) + ", and a script begins with a line such as #!/bin/sh";
}

std::string advise_on_absence(const std::string& line) {
    const auto interpreter = interpreter_of(line);
    std::error_code error;
    if (interpreter.empty() || std::filesystem::exists(interpreter, error))
        return {};
    return fmt::format("; its #! line names an interpreter that is not there: {}", interpreter);
}

} // namespace

bool is_shortage(const std::system_error& error) {
    for (const auto number :
         {std::errc::too_many_files_open, std::errc::too_many_files_open_in_system,
          std::errc::resource_unavailable_try_again, std::errc::not_enough_memory})
        if (error.code() == number)
            return true;
    return false;
}

std::string explain_start(const std::system_error& error, const std::string& program) {
    const auto is = [&](std::errc number) { return error.code() == number; };
    std::string advice;
    if (is(std::errc::executable_format_error))
        advice = advise_on_format(first_line_of(program));
    else if (is(std::errc::no_such_file_or_directory))
        advice = advise_on_absence(first_line_of(program));
    else if (is(std::errc::permission_denied))
        advice = "; is it a program, and executable?";
    else if (is_shortage(error))
        advice = "; run fewer tests at a time (-j)";
    return error.what() + advice;
}

} // namespace bridge::cli
