#include "core/time.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace cmlrec::core {
namespace {

constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> day_names = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads exactly `count` digits from the front of `text`, or nothing.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view expected) {
  if (text.substr(0, expected.size()) != expected) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<timestamp> civil(int year, int month, int day, int hour, int minute, int second) {
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  // 60: a leap second, which the calendar of sys_time folds into the next minute.
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second};
}

// Leap seconds and offsets lead out of the years 0000 to 9999, which alone can be written down.
std::optional<timestamp> writable(std::optional<timestamp> at) {
  constexpr timestamp first = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
  constexpr timestamp end = std::chrono::sys_days{std::chrono::year{10000} / 1 / 1};
  if (at && (*at < first || *at >= end)) return std::nullopt;
  return at;
}

}  // namespace

std::optional<timestamp> parse_timestamp(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  if (text.empty()) return civil(*year, *month, *day, 0, 0, 0);
  if (text[0] != 'T' && text[0] != 't' && text[0] != ' ') return std::nullopt;
  text.remove_prefix(1);
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second) return std::nullopt;
  auto at = civil(*year, *month, *day, *hour, *minute, *second);
  if (!at) return std::nullopt;
  if (take(text, ".")) {
    int digits = 0;
    int millis = 0;
    while (!text.empty() && is_digit(text[0])) {
      if (digits < 3) millis = millis * 10 + (text[0] - '0');
      ++digits;
      text.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    for (int i = digits; i < 3; ++i) millis *= 10;
    *at += duration{millis};
  }
  if (text == "Z" || text == "z") return writable(at);
  if (text.empty()) return std::nullopt;
  const bool east = text[0] == '+';
  if (!east && text[0] != '-') return std::nullopt;
  text.remove_prefix(1);
  const auto offset_hours = take_digits(text, 2);
  if (!offset_hours) return std::nullopt;
  take(text, ":");
  const auto offset_minutes = take_digits(text, 2);
  if (!offset_minutes || !text.empty() || *offset_hours > 23 || *offset_minutes > 59)
    return std::nullopt;
  const duration offset = std::chrono::hours{*offset_hours} + std::chrono::minutes{*offset_minutes};
  return writable(east ? *at - offset : *at + offset);
}

std::string format_timestamp(timestamp at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const auto rest = (at - day).count();
  const int year = static_cast<int>(date.year());
  // Written digit by digit: a status of thousands of jobs holds many of them.
  std::string out = year < 0 ? "-" : "";
  const auto put = [&out](long long value, int digits) {
    for (long long unit = digits == 4 ? 1000 : digits == 3 ? 100 : 10; unit > 0; unit /= 10)
      out += static_cast<char>('0' + value / unit % 10);
  };
  if (std::abs(year) > 9999) out += std::to_string(std::abs(year) / 10'000);
  put(std::abs(year), 4);
  out += '-';
  put(static_cast<unsigned>(date.month()), 2);
  out += '-';
  put(static_cast<unsigned>(date.day()), 2);
  out += 'T';
  put(rest / 3'600'000, 2);
  out += ':';
  put(rest / 60'000 % 60, 2);
  out += ':';
  put(rest / 1000 % 60, 2);
  out += '.';
  put(rest % 1000, 3);
  return out + 'Z';
}

std::optional<timestamp> parse_http_date(std::string_view text) {
  const auto comma = text.find(", ");
  if (comma != 3) return std::nullopt;
  text.remove_prefix(5);
  const auto day = take_digits(text, 2);
  if (!day || !take(text, " ")) return std::nullopt;
  int month = 0;
  for (std::size_t i = 0; i < month_names.size(); ++i)
    if (take(text, month_names[i])) {
      month = static_cast<int>(i) + 1;
      break;
    }
  if (month == 0 || !take(text, " ")) return std::nullopt;
  const auto year = take_digits(text, 4);
  if (!year || !take(text, " ")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || text != " GMT") return std::nullopt;
  return writable(civil(*year, month, *day, *hour, *minute, *second));
}

std::string format_http_date(timestamp at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::weekday weekday{day};
  const auto rest = std::chrono::floor<std::chrono::seconds>(at - day).count();
  std::array<char, 40> out{};
  std::snprintf(out.data(), out.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                day_names[weekday.c_encoding()].data(), static_cast<unsigned>(date.day()),
                month_names[static_cast<unsigned>(date.month()) - 1].data(),
                static_cast<int>(date.year()), static_cast<int>(rest / 3600),
                static_cast<int>(rest / 60 % 60), static_cast<int>(rest % 60));
  return out.data();
}

std::optional<duration> parse_duration(std::string_view text) {
  struct unit {
    std::string_view name;
    double milliseconds;
  };
  // "ms" before "m": the longer name first.
  static constexpr std::array<unit, 7> units = {{{"ms", 1.0},
                                                 {"min", 60'000.0},
                                                 {"s", 1000.0},
                                                 {"m", 60'000.0},
                                                 {"h", 3'600'000.0},
                                                 {"d", 86'400'000.0},
                                                 {"w", 604'800'000.0}}};
  constexpr double limit = 10 * 366.0 * 86'400'000.0;
  if (text.empty()) return std::nullopt;
  double total = 0;
  bool first = true;
  while (!text.empty()) {
    double number = 0;
    double weight = 0;  // of the next digit after the point; 0 before it
    std::size_t digits = 0;
    while (!text.empty() && (is_digit(text[0]) || (text[0] == '.' && weight == 0))) {
      if (text[0] == '.') {
        weight = 0.1;
      } else if (weight == 0) {
        ++digits;
        number = number * 10 + (text[0] - '0');
      } else {
        // The fraction is summed up by itself, so that its length cannot overflow anything.
        ++digits;
        number += weight * (text[0] - '0');
        weight = std::max(weight / 10, 1e-300);
      }
      text.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    double factor = 0;
    if (text.empty() && first) {
      factor = 1000.0;
    } else {
      for (const auto& u : units)
        if (take(text, u.name)) {
          factor = u.milliseconds;
          break;
        }
    }
    if (factor == 0) return std::nullopt;
    total += number * factor;
    if (!(total <= limit)) return std::nullopt;
    first = false;
  }
  return duration{std::llround(total)};
}

std::string format_duration(duration d) {
  if (d < duration{0}) return std::string("-").append(format_duration(-d));
  if (d < std::chrono::seconds{1}) return std::to_string(d.count()) + " ms";
  const auto seconds = d.count() / 1000;
  const auto two = [](long long big, const char* big_unit, long long small,
                      const char* small_unit) {
    std::string out = std::to_string(big) + " " + big_unit;
    if (small != 0) out.append(" ").append(std::to_string(small)).append(" ").append(small_unit);
    return out;
  };
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return two(seconds / 60, "min", seconds % 60, "s");
  if (seconds < 86'400) return two(seconds / 3600, "h", seconds / 60 % 60, "min");
  return two(seconds / 86'400, "d", seconds / 3600 % 24, "h");
}

}  // namespace cmlrec::core
