// A token bucket that hands out reservations: who asks is told when it may go. Pure.
#pragma once

#include "core/time.hpp"

#include <optional>

namespace cmlrec::cml {

class rate_limit {
 public:
  // Up to one second's worth may go at once. per_second <= 0: no limit.
  explicit rate_limit(double per_second);

  // The instant from which the asker may go, never before `now`; places are given in the order of
  // asking. Nothing, and no place taken, where that would be after `latest`.
  std::optional<core::instant> reserve(core::instant now, core::instant latest);

 private:
  double per_second_;
  double most_;
  double tokens_;  // below zero: that many are waiting for theirs
  std::optional<core::instant> counted_at_;
};

}  // namespace cmlrec::cml
