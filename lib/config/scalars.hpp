// Single values as texts: numbers, truth values, shell words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cmlrec::config {

// Decimal and whole, with an optional minus; a leading zero is refused, because YAML 1.1 reads it
// as octal. Nothing for any other text; `too_large` tells an overflow apart.
std::optional<std::int64_t> parse_integer(std::string_view text, bool* too_large = nullptr);
// Decimal, with an optional fraction and exponent; infinities and NaN are refused.
std::optional<double> parse_number(std::string_view text);
// true, yes, on, 1 and false, no, off, 0 in any case.
std::optional<bool> parse_boolean(std::string_view text);

// One word of a POSIX shell that stands for `word`.
std::string shell_quote(std::string_view word);

// "4", "0.001", "10000": without an exponent or a fraction where none is needed.
std::string format_number(double value);

}  // namespace cmlrec::config
