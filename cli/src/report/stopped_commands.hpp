// SPDX-License-Identifier: Apache-2.0
// GitHub Actions takes lines of a step's output for commands; not what others wrote.
#pragma once

#include <string>

namespace bridge::cli {

/// While it lives, no line that this descriptor carries is taken for a workflow command.
class stopped_commands {
public:
    explicit stopped_commands(int descriptor);
    ~stopped_commands();
    stopped_commands(const stopped_commands&) = delete;
    stopped_commands& operator=(const stopped_commands&) = delete;

private:
    int descriptor_;
    std::string token_; ///< nobody else knows it
};

} // namespace bridge::cli
