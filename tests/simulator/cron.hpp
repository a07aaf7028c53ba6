// Five-field cron, in UTC: enough to know when a scheduled job starts.
#pragma once

#include "core/time.hpp"

#include <bitset>
#include <optional>
#include <string_view>

namespace cmlrec::simulator {

class cron {
 public:
  // "m h dom mon dow" with lists, ranges, steps, names, and the macros @hourly .. @yearly.
  static std::optional<cron> parse(std::string_view text);
  // The first minute strictly after `after`; nothing if there is none in 8 years.
  std::optional<core::timestamp> next(core::timestamp after) const;

 private:
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool any_day_ = false;
  bool any_weekday_ = false;
};

}  // namespace cmlrec::simulator
