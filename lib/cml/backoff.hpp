// How long to wait before an attempt is repeated: exponential, with full jitter. Pure: the random
// value comes in.
#pragma once

#include "core/time.hpp"

#include <optional>

namespace cmlrec::cml {

struct backoff_rule {
  core::duration base = std::chrono::milliseconds{200};
  core::duration cap = std::chrono::seconds{10};
};

class backoff {
 public:
  explicit backoff(backoff_rule rule = {}) : rule_(rule), ceiling_(rule.base) {}

  // Between nothing and base * 2^(number of calls so far), at most the cap; `random` in [0, 1).
  // What the server has asked for is the least that it returns.
  core::duration next(double random, std::optional<core::duration> retry_after);

 private:
  backoff_rule rule_;
  core::duration ceiling_;
};

}  // namespace cmlrec::cml
