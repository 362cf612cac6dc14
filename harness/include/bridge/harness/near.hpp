// SPDX-License-Identifier: Apache-2.0
// Floating-point numbers that need not be equal to the last bit.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <ostream>
#include <sstream>

namespace bridge::harness {

/// BRIDGE_CHECK(x == near(1.5, 1e-3)): x is a number from 1.499 to 1.501. Nothing is near NaN;
/// an infinity is near itself only.
class near {
public:
    /// At most a millionth of the expected number away, or 1e-12.
    explicit near(double expected) : near(expected, std::max(std::abs(expected) * 1e-6, 1e-12)) {}

    near(double expected, double within) : expected_(expected), within_(within) {}

    template<std::convertible_to<double> T>
    friend bool operator==(const T& value, const near& other) {
        const double number = value;
        return number == other.expected_ || (std::isfinite(other.expected_) &&
                                             std::abs(number - other.expected_) <= other.within_);
    }

    friend std::ostream& operator<<(std::ostream& to, const near& value) {
        std::ostringstream text;
        text.precision(17);
        text << value.expected_ << " +- ";
        text.precision(3);
        text << value.within_;
        return to << text.str();
    }

private:
    double expected_;
    double within_;
};

} // namespace bridge::harness
