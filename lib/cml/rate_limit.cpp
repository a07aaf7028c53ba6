#include "cml/rate_limit.hpp"

#include <algorithm>
#include <cmath>

namespace cmlrec::cml {
namespace {

constexpr double milliseconds_per_second = 1000.0;

}  // namespace

rate_limit::rate_limit(double per_second)
    : per_second_(per_second), most_(std::max(1.0, per_second)), tokens_(most_) {}

std::optional<core::instant> rate_limit::reserve(core::instant now, core::instant latest) {
  if (per_second_ <= 0) return now;
  if (counted_at_ && now > *counted_at_) {
    const auto passed = static_cast<double>((now - *counted_at_).count());
    tokens_ = std::min(most_, tokens_ + passed * per_second_ / milliseconds_per_second);
  }
  if (!counted_at_ || now > *counted_at_) counted_at_ = now;
  auto at = now;
  if (tokens_ < 1.0) {
    const auto wait = std::ceil((1.0 - tokens_) * milliseconds_per_second / per_second_);
    at += core::duration{static_cast<core::duration::rep>(wait)};
  }
  if (at > latest) return std::nullopt;
  tokens_ -= 1.0;
  return at;
}

}  // namespace cmlrec::cml
