#include "simulator/cron.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <string>
#include <vector>

namespace cmlrec::simulator {
namespace {

using names = std::vector<std::string_view>;

const names no_names;
const names month_names = {"",    "jan", "feb", "mar", "apr", "may", "jun",
                           "jul", "aug", "sep", "oct", "nov", "dec"};
const names weekday_names = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  while (true) {
    const auto at = text.find(by);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

std::optional<int> number(std::string_view text, const names& words) {
  int value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec == std::errc{} && end == text.data() + text.size() && value >= 0) return value;
  std::string lower;
  for (const char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (std::size_t i = 0; i < words.size(); ++i)
    if (!lower.empty() && words[i] == lower) return static_cast<int>(i);
  return std::nullopt;
}

// Sets bits low..high of `out`; a value of `wrap` stands for 0 (Sunday is 0 and 7).
template <std::size_t N>
bool parse_field(std::string_view text, int low, int high, const names& words, std::bitset<N>& out,
                 int wrap = -1) {
  for (const auto item : split(text, ',')) {
    const auto slash = item.find('/');
    int step = 1;
    if (slash != std::string_view::npos) {
      const auto given = number(item.substr(slash + 1), no_names);
      if (!given || *given == 0) return false;
      step = *given;
    }
    const auto range = item.substr(0, slash);
    int from = low;
    int to = wrap > 0 ? wrap - 1 : high;
    if (range != "*") {
      const auto dash = range.find('-');
      const auto first = number(range.substr(0, dash), words);
      if (!first) return false;
      from = *first;
      if (dash != std::string_view::npos) {
        const auto last = number(range.substr(dash + 1), words);
        if (!last) return false;
        to = *last;
      } else if (slash == std::string_view::npos) {
        to = from;
      }
      if (from < low || to > high || from > to) return false;
    }
    for (int i = from; i <= to; i += step) out.set(static_cast<std::size_t>(i == wrap ? 0 : i));
  }
  return true;
}

std::string_view expand(std::string_view text) {
  if (text == "@hourly") return "0 * * * *";
  if (text == "@daily" || text == "@midnight") return "0 0 * * *";
  if (text == "@weekly") return "0 0 * * 0";
  if (text == "@monthly") return "0 0 1 * *";
  if (text == "@yearly" || text == "@annually") return "0 0 1 1 *";
  return text;
}

}  // namespace

std::optional<cron> cron::parse(std::string_view text) {
  std::vector<std::string_view> fields;
  for (const auto field : split(expand(text), ' '))
    if (!field.empty()) fields.push_back(field);
  if (fields.size() != 5) return std::nullopt;
  cron c;
  if (!parse_field(fields[0], 0, 59, no_names, c.minutes_) ||
      !parse_field(fields[1], 0, 23, no_names, c.hours_) ||
      !parse_field(fields[2], 1, 31, no_names, c.days_) ||
      !parse_field(fields[3], 1, 12, month_names, c.months_) ||
      !parse_field(fields[4], 0, 7, weekday_names, c.weekdays_, 7))
    return std::nullopt;
  c.any_day_ = fields[2].front() == '*';
  c.any_weekday_ = fields[4].front() == '*';
  return c;
}

std::optional<core::timestamp> cron::next(core::timestamp after) const {
  using namespace std::chrono;
  const auto first = floor<minutes>(after) + minutes{1};
  auto day = floor<days>(first);
  auto minute_of_day = static_cast<std::size_t>((first - day).count());
  for (int tried = 0; tried < 8 * 366; ++tried, day += days{1}, minute_of_day = 0) {
    const year_month_day date{day};
    if (!months_.test(static_cast<unsigned>(date.month()))) continue;
    const bool day_fits = days_.test(static_cast<unsigned>(date.day()));
    const bool weekday_fits = weekdays_.test(weekday{day}.c_encoding());
    // cron's old rule: where both days are restricted, either is enough.
    const bool fits =
        any_day_ || any_weekday_ ? day_fits && weekday_fits : day_fits || weekday_fits;
    if (!fits) continue;
    for (std::size_t m = minute_of_day; m < 24 * 60; ++m)
      if (hours_.test(m / 60) && minutes_.test(m % 60))
        return core::timestamp{day} + minutes{static_cast<long>(m)};
  }
  return std::nullopt;
}

}  // namespace cmlrec::simulator
