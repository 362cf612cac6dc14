// SPDX-License-Identifier: Apache-2.0
// Where people read: stdout with one line at its foot that is redrawn, and stderr.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "output/style.hpp"

namespace bridge::cli {

enum class color_mode;

class terminal {
public:
    explicit terminal(color_mode color);
    ~terminal();
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;

    /// Whether a foot line makes sense here.
    bool is_interactive() const noexcept { return is_interactive_; }

    const style& look() const noexcept { return look_; }

    void print(std::string_view text);
    void print_error(std::string_view text);

    /// Replaces the foot line (no line end, already short enough); it stays below what is printed
    /// until it is set to nothing.
    void set_foot(std::string_view line);

    std::size_t columns() const;

private:
    std::string clear_foot() const;

    style look_;
    bool is_interactive_ = false;
    std::string foot_;
};

} // namespace bridge::cli
