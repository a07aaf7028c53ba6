#include "simulator/faults.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace cmlrec::simulator {
namespace {

using enum fault_kind;

constexpr std::array kinds = {
    std::pair{"lost_before", lost_before},
    std::pair{"lost_after", lost_after},
    std::pair{"reset", reset},
    std::pair{"late_commit", late_commit},
    std::pair{"error_after", error_after},
    std::pair{"server_error", server_error},
    std::pair{"bad_gateway", bad_gateway},
    std::pair{"unavailable", unavailable},
    std::pair{"gateway_timeout", gateway_timeout},
    std::pair{"throttled", throttled},
    std::pair{"throttled_bare", throttled_bare},
    std::pair{"out_of_quota", out_of_quota},
    std::pair{"unauthorized", unauthorized},
    std::pair{"malformed_key", malformed_key},
    std::pair{"html", html},
    std::pair{"html_redirect", html_redirect},
    std::pair{"garbage", garbage},
    std::pair{"truncated", truncated},
    std::pair{"hang", hang},
    std::pair{"hang_after", hang_after},
};

// The gateway has been seen to finish an operation this long after it gave up on it.
constexpr double longest_delay_seconds = 30;

std::optional<fault_kind> find_kind(std::string_view name) {
  for (const auto& [known, kind] : kinds)
    if (name == known) return kind;
  return std::nullopt;
}

std::string unknown_kind(std::string_view name) {
  return "there is no fault '" + std::string(name) + "'; known are " + fault_names();
}

bool applies(std::string_view to, std::string_view operation, bool is_write) {
  if (to == "*" || to == operation) return true;
  return (to == "writes" && is_write) || (to == "reads" && !is_write);
}

}  // namespace

const char* to_string(fault_kind kind) {
  for (const auto& [name, known] : kinds)
    if (known == kind) return name;
  return "?";
}

std::string fault_names() {
  std::string out;
  for (const auto& entry : kinds) out += (out.empty() ? "" : ", ") + std::string(entry.first);
  return out;
}

bool is_done_first(fault_kind kind) {
  return kind == lost_after || kind == error_after || kind == truncated || kind == hang_after;
}

double fault_source::random() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return static_cast<double>((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

std::optional<std::string> fault_source::set_rates(std::string_view spec) {
  std::vector<rate> rates;
  double total = 0;
  while (!spec.empty()) {
    const auto comma = spec.find(',');
    const auto item = spec.substr(0, comma);
    spec = comma == std::string_view::npos ? std::string_view() : spec.substr(comma + 1);
    const auto equals = item.find('=');
    if (equals == std::string_view::npos)
      return "'" + std::string(item) + "' is not of the form [OPERATION:]FAULT=PERCENT";
    rate r;
    auto name = item.substr(0, equals);
    r.operation = "*";
    if (const auto colon = name.find(':'); colon != std::string_view::npos) {
      r.operation = std::string(name.substr(0, colon));
      name = name.substr(colon + 1);
    }
    const auto kind = find_kind(name);
    if (!kind) return unknown_kind(name);
    r.kind = *kind;
    const std::string number(item.substr(equals + 1));
    char* end = nullptr;
    r.percent = std::strtod(number.c_str(), &end);
    if (number.empty() || *end != '\0' || !(r.percent >= 0 && r.percent <= 100))
      return "'" + number + "' is not a percentage";
    total += r.operation == "*" ? r.percent : 0;
    rates.push_back(std::move(r));
  }
  if (total > 100) return "the percentages add up to more than 100";
  rates_ = std::move(rates);
  return std::nullopt;
}

std::optional<std::string> fault_source::order(const boost::json::object& wanted) {
  fault_order o;
  bool has_kind = false;
  bool has_delay = false;
  for (const auto& item : wanted) {
    const auto& value = item.value();
    if (item.key() == "operation" && value.is_string()) {
      o.operation = std::string(value.get_string());
    } else if (item.key() == "fault" && value.is_string()) {
      const auto kind = find_kind(value.get_string());
      if (!kind) return unknown_kind(value.get_string());
      o.what.kind = *kind;
      has_kind = true;
    } else if (item.key() == "count" && value.is_int64() && value.get_int64() > 0) {
      o.count = static_cast<int>(std::min<std::int64_t>(value.get_int64(), 1'000'000'000));
    } else if (item.key() == "delay_seconds" && value.is_number() &&
               value.to_number<double>() >= 0 && value.to_number<double>() <= 86'400) {
      o.what.delay = core::duration{std::llround(value.to_number<double>() * 1000)};
      has_delay = true;
    } else if (item.key() == "retry_after_seconds" && value.is_int64() && value.get_int64() >= 0 &&
               value.get_int64() <= 86'400) {
      o.what.retry_after = static_cast<int>(value.get_int64());
    } else {
      return "member '" + std::string(item.key()) +
             "' is unknown or has a wrong value; known are operation, fault, count, "
             "delay_seconds, retry_after_seconds";
    }
  }
  if (!has_kind) return "member 'fault' is missing; known are " + fault_names();
  if (!has_delay) o.what.delay = std::chrono::seconds{30};
  orders_.push_back(std::move(o));
  return std::nullopt;
}

void fault_source::clear() {
  orders_.clear();
  rates_.clear();
}

boost::json::array fault_source::waiting() const {
  boost::json::array out;
  for (const auto& o : orders_)
    out.push_back(boost::json::object{{"operation", o.operation},
                                      {"fault", to_string(o.what.kind)},
                                      {"count", o.count},
                                      {"delay_seconds", o.what.delay.count() / 1000},
                                      {"retry_after_seconds", o.what.retry_after}});
  for (const auto& r : rates_)
    out.push_back(boost::json::object{
        {"operation", r.operation}, {"fault", to_string(r.kind)}, {"percent", r.percent}});
  return out;
}

std::optional<fault> fault_source::next(std::string_view operation, bool is_write) {
  for (auto it = orders_.begin(); it != orders_.end(); ++it) {
    if (!applies(it->operation, operation, is_write)) continue;
    const auto what = it->what;
    if (--it->count == 0) orders_.erase(it);
    return what;
  }
  if (rates_.empty()) return std::nullopt;
  auto dice = random() * 100;
  for (const auto& r : rates_) {
    if (!applies(r.operation, operation, is_write)) continue;
    if (dice < r.percent) {
      fault f{r.kind, {}, 1 + static_cast<int>(random() * 5)};
      f.delay = core::duration{std::llround(random() * longest_delay_seconds * 1000)};
      return f;
    }
    dice -= r.percent;
  }
  return std::nullopt;
}

}  // namespace cmlrec::simulator
