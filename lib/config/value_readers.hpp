// One value of the file, by the type that its field has in the table.
#pragma once

#include "config/field_reader.hpp"

#include <optional>
#include <string_view>

namespace cmlrec::config {

// Nothing where the value is null (not given), and, after an error, where it is wrong.
std::optional<parsed_value> read_value(const reading& r, const entry& e, const core::field& f);

// Complains, and says false, where `value` is outside `low` to `high`.
bool check_range(const reading& r, const node& n, std::string_view key, std::string_view expected,
                 double value, double low, double high);

// The keys of "retry:" and of an entry of "recipients:", with what they are for.
struct sub_key {
  std::string_view name;
  std::string_view help;
};
std::span<const sub_key> retry_keys();
std::span<const sub_key> recipient_keys();

}  // namespace cmlrec::config
