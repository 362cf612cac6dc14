// SPDX-License-Identifier: Apache-2.0
// Output for people.
#include "report/terminal.hpp"

#include <cstdlib>
#include <cstring>

#include <sys/ioctl.h>
#include <unistd.h>

#include "output/writer.hpp"
#include "settings/options.hpp"

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

// A reader that went away (head, a closed terminal) must not change the run.
void write(int to, std::string_view text) {
    console().write(to, text);
}

} // namespace

terminal::terminal(color_mode color) : is_interactive_(is_capable_terminal()) {
    look_.has_color = wants_color(color, is_interactive_);
}

terminal::~terminal() {
    set_foot("");
}

// In one write with the foot below it, so that nothing flickers.
void terminal::print(std::string_view text) {
    write(STDOUT_FILENO, clear_foot() + std::string(text) + foot_);
}

void terminal::print_error(std::string_view text) {
    write(STDOUT_FILENO, clear_foot());
    write(STDERR_FILENO, text);
    write(STDOUT_FILENO, foot_);
}

void terminal::set_foot(std::string_view line) {
    if (!is_interactive_ || line == foot_ || console().is_late())
        return;
    auto text = clear_foot();
    foot_ = line;
    write(STDOUT_FILENO, text + foot_);
}

std::string terminal::clear_foot() const {
    return foot_.empty() ? "" : "\r\x1b[2K";
}

std::size_t terminal::columns() const {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

} // namespace bridge::cli
