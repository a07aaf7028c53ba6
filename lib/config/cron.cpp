#include "config/cron.hpp"

#include "config/scalars.hpp"
#include "core/letters.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace cmlrec::config {
namespace {

constexpr std::array<std::string_view, 12> months = {"jan", "feb", "mar", "apr", "may", "jun",
                                                     "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> days = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::string_view, 7> macros = {"@yearly", "@annually", "@monthly", "@weekly",
                                                    "@daily",  "@midnight", "@hourly"};

struct unit {
  std::string_view name;
  int low;
  int high;
  std::span<const std::string_view> names;
  int first_name;  // value of the first of the names
  bool any;        // "?" is taken
};

const std::array<unit, 5> units = {{{"minute", 0, 59, {}, 0, false},
                                    {"hour", 0, 23, {}, 0, false},
                                    {"day of the month", 1, 31, {}, 0, true},
                                    {"month", 1, 12, months, 1, false},
                                    {"day of the week", 0, 7, days, 0, true}}};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

// cron takes "05" for 5, unlike YAML.
std::optional<std::int64_t> whole(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  while (text.size() > 1 && text.front() == '0') text.remove_prefix(1);
  return parse_integer(text);
}

std::optional<std::int64_t> value_of(std::string_view text, const unit& u) {
  const auto named = std::find(u.names.begin(), u.names.end(), core::lower_case(text));
  if (named != u.names.end()) return (named - u.names.begin()) + u.first_name;
  const auto number = whole(text);
  if (!number || *number < u.low || *number > u.high) return std::nullopt;
  return number;
}

std::string refuse(std::string_view part, const unit& u, const std::string& expected) {
  std::string shown(part.substr(0, 20));
  return "the " + std::string(u.name) + " '" + shown + "' is wrong; expected " + expected;
}

std::string range_of(const unit& u) {
  std::string out = std::to_string(u.low) + " to " + std::to_string(u.high);
  if (!u.names.empty())
    out += ", or " + std::string(u.names.front()) + " to " + std::string(u.names.back());
  return out;
}

std::optional<std::string> part_error(std::string_view part, const unit& u) {
  std::string_view range = part;
  if (const auto slash = part.find('/'); slash != std::string_view::npos) {
    range = part.substr(0, slash);
    const auto step = whole(part.substr(slash + 1));
    if (!step || *step < 1 || *step > u.high)
      return refuse(part, u, "a step from 1 to " + std::to_string(u.high));
  }
  if (range == "*" || (range == "?" && u.any)) return std::nullopt;
  const auto dash = range.find('-');
  const auto first = value_of(range.substr(0, dash), u);
  if (!first) return refuse(part, u, range_of(u));
  if (dash == std::string_view::npos) return std::nullopt;
  const auto last = value_of(range.substr(dash + 1), u);
  if (!last) return refuse(part, u, range_of(u));
  if (*last < *first) return refuse(part, u, "a range that does not run backwards");
  return std::nullopt;
}

}  // namespace

std::optional<std::string> cron_error(std::string_view expression) {
  if (expression.starts_with("@")) {
    if (std::find(macros.begin(), macros.end(), core::lower_case(expression)) != macros.end())
      return std::nullopt;
    std::string known;
    for (const auto macro : macros) known += (known.empty() ? "" : ", ") + std::string(macro);
    return std::string("'").append(expression.substr(0, 20)) + "' is not known; expected one of " +
           known + ", or five fields";
  }
  std::vector<std::string_view> fields;
  for (const auto word : split(expression, ' '))
    if (!word.empty()) fields.push_back(word);
  if (fields.size() != units.size())
    return "it has " + std::to_string(fields.size()) + (fields.size() == 1 ? " field" : " fields") +
           "; expected five: minute, hour, day of the month, month, day of the week";
  for (std::size_t i = 0; i < units.size(); ++i)
    for (const auto part : split(fields[i], ','))
      if (auto error = part_error(part, units[i])) return error;
  return std::nullopt;
}

}  // namespace cmlrec::config
