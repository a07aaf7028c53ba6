#include "notify/outgoing.hpp"

#include <utility>

namespace cmlrec::notify {
namespace {

// Too early, too slow, too many, or the server's trouble: the same message may be taken later.
bool may_succeed_later(int status) {
  return status == 0 || status == 408 || status == 425 || status == 429 || status >= 500;
}

}  // namespace

std::optional<std::uint64_t> outgoing::put(message m) {
  waiting_.push_back(std::move(m));
  if (waiting_.size() <= most_) return std::nullopt;
  const auto oldest = waiting_.begin() + (under_way_ ? 1 : 0);
  const auto number = oldest->number;
  waiting_.erase(oldest);
  return number;
}

const message& outgoing::begin() {
  under_way_ = true;
  return waiting_.front();
}

verdict outgoing::judge(const reply& r, core::instant now, double random) {
  under_way_ = false;
  const bool taken = r.status >= 200 && r.status < 300;
  if (!taken && may_succeed_later(r.status)) {
    // Half of the wait is certain: a webhook in trouble is not asked twice in a row.
    const auto wait = pace.base / 2 + wait_.next(random, r.retry_after);
    if (now + wait - waiting_.front().since < patience_) {
      next_try_ = now + wait;
      return verdict::again;
    }
  }
  waiting_.pop_front();
  wait_ = cml::backoff(pace);
  next_try_ = {};
  return taken ? verdict::delivered : verdict::failed;
}

}  // namespace cmlrec::notify
