#include "cml/places.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cmlrec::cml {

namespace asio = boost::asio;

// In the queue for as long as it lives; what was granted and not taken goes to the next.
class places::queued {
 public:
  queued(places& of, waiter& who)
      : of_(of), who_(who), at_(of.queue_.insert(of.queue_.end(), &who)) {}
  ~queued() {
    // Thousands may wait: they are not searched for the one that leaves.
    if (who_.in_line) of_.queue_.erase(at_);
    if (who_.granted) of_.give_back();
  }
  queued(const queued&) = delete;
  queued& operator=(const queued&) = delete;

 private:
  places& of_;
  waiter& who_;
  std::list<waiter*>::iterator at_;
};

asio::awaitable<std::optional<places::place>> places::take(
    std::chrono::steady_clock::time_point until) {
  const auto self = shared_from_this();
  if (free_ > 0) {
    --free_;
    co_return std::optional<place>(std::in_place, self);
  }
  waiter w(executor_);
  const queued in_line(*this, w);
  w.timer.expires_at(until);
  while (!w.granted) {
    const auto [ec] = co_await w.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (!w.granted && (!ec || state.cancelled() != asio::cancellation_type::none))
      co_return std::nullopt;
  }
  w.granted = false;
  co_return std::optional<place>(std::in_place, self);
}

void places::give_back() {
  if (queue_.empty()) {
    ++free_;
    return;
  }
  auto* next = queue_.front();
  queue_.pop_front();
  next->in_line = false;
  next->granted = true;
  next->timer.cancel();
}

}  // namespace cmlrec::cml
