// SPDX-License-Identifier: Apache-2.0
// Output for people.
#include "terminal.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/ioctl.h>
#include <unistd.h>

#include "../options.hpp"

namespace bridge::cli {

namespace {

bool is_capable_terminal() {
    const char* kind = std::getenv("TERM");
    return ::isatty(STDOUT_FILENO) != 0 && kind != nullptr && std::strcmp(kind, "dumb") != 0;
}

bool wants_color(color_mode mode, bool is_capable) {
    if (mode != color_mode::automatic)
        return mode == color_mode::always;
    const char* refused = std::getenv("NO_COLOR");
    return is_capable && (refused == nullptr || *refused == '\0');
}

void write(std::FILE* to, std::string_view text) {
    // A reader that went away (head, a closed terminal) must not change the run.
    std::fwrite(text.data(), 1, text.size(), to);
    std::fflush(to);
}

} // namespace

terminal::terminal(color_mode color) : is_interactive_(is_capable_terminal()) {
    look_.has_color = wants_color(color, is_interactive_);
}

terminal::~terminal() {
    clear_foot();
}

void terminal::print(std::string_view text) {
    clear_foot();
    write(stdout, text);
}

void terminal::print_error(std::string_view text) {
    clear_foot();
    write(stderr, text);
}

void terminal::set_foot(std::string_view line) {
    if (!is_interactive_)
        return;
    write(stdout, "\r\x1b[2K" + std::string(line));
    has_foot_ = true;
}

void terminal::clear_foot() {
    if (has_foot_)
        write(stdout, "\r\x1b[2K");
    has_foot_ = false;
}

std::size_t terminal::columns() const {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

} // namespace bridge::cli
