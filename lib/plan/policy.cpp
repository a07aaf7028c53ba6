#include "plan/policy.hpp"

#include <algorithm>

namespace cmlrec::plan {
namespace {

core::duration doubled(core::duration first, core::duration most, int count) {
  auto wait = std::min(first, most);
  for (int i = 1; i < count && wait < most; ++i) wait = std::min(wait * 2, most);
  return wait;
}

}  // namespace

core::duration poll_after(core::duration running_for) {
  return std::clamp<core::duration>(running_for / 10, std::chrono::seconds{1},
                                    std::chrono::seconds{10});
}

core::duration refusal_wait(int count) {
  return doubled(std::chrono::seconds{5}, std::chrono::minutes{5}, count);
}

core::duration retry_wait(int failures, core::duration backoff, core::duration max_backoff) {
  return doubled(backoff, max_backoff, failures);
}

}  // namespace cmlrec::plan
