// SPDX-License-Identifier: Apache-2.0
// Which tests are meant, and which words of the user met none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <bridge/protocol/listing.hpp>

namespace bridge::cli {

struct options;

/// A test is selected when any filter or exact id fits (or there is none), it has any of the
/// tags (or none is asked for), and no skip word fits.
class filter {
public:
    explicit filter(const options& from);

    bool selects(const protocol::test_info& test);

    /// Words that fitted no test so far, each as "filter 'x'".
    std::vector<std::string> unused() const;

    /// All of them, for the message that nothing was selected; empty when there are none.
    std::string describe() const;

private:
    struct word {
        std::string kind;
        std::string text;
        bool is_used = false;
    };

    static bool fits(const word& one, const protocol::test_info& test);
    static bool any_fits(std::vector<word>& words, const protocol::test_info& test);

    std::vector<word> names_;
    std::vector<word> tags_;
    std::vector<word> skips_;
};

} // namespace bridge::cli
