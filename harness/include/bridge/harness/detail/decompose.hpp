// SPDX-License-Identifier: Apache-2.0
// Taking a comparison apart, so that a failed check can print both sides.
#pragma once

#include <bridge/harness/describe.hpp>
#include <bridge/harness/detail/difference.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace bridge::harness::detail {

/// What became of a checked expression; the values are printed only if it is false.
struct judgement {
    bool holds;
    std::string values;

    explicit operator bool() const noexcept { return holds; }
};

template<class T>
concept plain_integer = std::is_integral_v<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                        !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                        !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

/// operator `op` (Py_EQ, ...) of Python; the other side is converted. Takes the GIL. Throws what
/// the comparison raises.
bool compare_python(py::handle left, py::handle right, int op);

template<class L, class R>
bool compare_as_python(const L& left, const R& right, int op) {
    return with_gil([&] {
        const auto convert = [](const auto& value) -> py::object {
            if constexpr (python_object<std::remove_cvref_t<decltype(value)>>)
                return py::reinterpret_borrow<py::object>(handle_of(value));
            else
                return py::cast(value);
        };
        return compare_python(convert(left), convert(right), op);
    });
}

template<class L, class R>
judgement judge(bool holds, const L& left, const char* op, const R& right) {
    if (holds)
        return {true, {}};
    auto text = describe(left) + " " + op + " " + describe(right);
    if (std::string_view(op) == "==")
        text += difference(left, right);
    return {false, text + hint_for_sides<L, R>()};
}

template<class T>
bool is_true(const T& value) {
    if constexpr (python_object<T>)
        return with_gil([&] { return handle_of(value).template cast<bool>(); });
    else
        return static_cast<bool>(value);
}

/// The left side of a comparison, or a whole expression that is none.
template<class L>
class operand {
public:
    explicit operand(const L& value) noexcept : value_(value) {}

    template<class R>
    judgement operator==(const R& other) const {
        return compare<Py_EQ>(other,
                              "==", [](auto& a, auto& b) -> decltype(auto) { return a == b; });
    }

    template<class R>
    judgement operator!=(const R& other) const {
        return compare<Py_NE>(other,
                              "!=", [](auto& a, auto& b) -> decltype(auto) { return a != b; });
    }

    template<class R>
    judgement operator<(const R& other) const {
        return compare<Py_LT>(other, "<", [](auto& a, auto& b) -> decltype(auto) { return a < b; });
    }

    template<class R>
    judgement operator<=(const R& other) const {
        return compare<Py_LE>(other,
                              "<=", [](auto& a, auto& b) -> decltype(auto) { return a <= b; });
    }

    template<class R>
    judgement operator>(const R& other) const {
        return compare<Py_GT>(other, ">", [](auto& a, auto& b) -> decltype(auto) { return a > b; });
    }

    template<class R>
    judgement operator>=(const R& other) const {
        return compare<Py_GE>(other,
                              ">=", [](auto& a, auto& b) -> decltype(auto) { return a >= b; });
    }

    /// For `a && b`, `a || b`.
    explicit operator bool() const { return is_true(value_); }

    judgement judged() const {
        if (is_true(value_))
            return {true, {}};
        return {false,
                std::same_as<L, bool> ? std::string() : describe(value_) + hint_for_sides<L, L>()};
    }

private:
    template<int Op, class R, class F>
    judgement compare(const R& other, const char* op, F function) const {
        if constexpr (python_object<L> || python_object<R>)
            return judge(compare_as_python(value_, other, Op), value_, op, other);
        else if constexpr (plain_integer<L> && plain_integer<R>)
            return judge(compare_integers<Op>(value_, other), value_, op, other);
        else
            return judge(static_cast<bool>(function(value_, other)), value_, op, other);
    }

    // As mathematics has it, and without the warnings of mixed signs.
    template<int Op, class R>
    static bool compare_integers(const L& left, const R& right) {
        if constexpr (Op == Py_EQ)
            return std::cmp_equal(left, right);
        else if constexpr (Op == Py_NE)
            return std::cmp_not_equal(left, right);
        else if constexpr (Op == Py_LT)
            return std::cmp_less(left, right);
        else if constexpr (Op == Py_LE)
            return std::cmp_less_equal(left, right);
        else if constexpr (Op == Py_GT)
            return std::cmp_greater(left, right);
        else
            return std::cmp_greater_equal(left, right);
    }

    const L& value_; // lives as long as the checked expression
};

/// `decomposer() <= a == b` is `(decomposer() <= a) == b`: it takes the left side.
struct decomposer {
    template<class L>
    operand<L> operator<=(const L& value) const noexcept {
        return operand<L>(value);
    }
};

template<class L>
judgement judge(const operand<L>& whole) {
    return whole.judged();
}

inline judgement judge(judgement comparison) {
    return comparison;
}

inline judgement judge(bool combined) {
    return {combined, {}};
}

} // namespace bridge::harness::detail
