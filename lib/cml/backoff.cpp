#include "cml/backoff.hpp"

#include <algorithm>

namespace cmlrec::cml {

core::duration backoff::next(double random, std::optional<core::duration> retry_after) {
  const auto ceiling = std::min(ceiling_, rule_.cap);
  const auto share = static_cast<double>(ceiling.count()) * std::clamp(random, 0.0, 1.0);
  const core::duration jittered{static_cast<core::duration::rep>(share)};
  // Doubled only below the cap, so that it cannot overflow however often it is asked.
  if (ceiling_ < rule_.cap) ceiling_ *= 2;
  return std::max(jittered, retry_after.value_or(core::duration::zero()));
}

}  // namespace cmlrec::cml
