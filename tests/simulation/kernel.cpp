#include "simulation/kernel.hpp"

#include <algorithm>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cmlrec::simulation {

namespace asio = boost::asio;

void kernel::at(core::instant when, std::function<void()> what) {
  auto place = to_be_done_.size();
  if (free_places_.empty()) {
    to_be_done_.push_back(std::move(what));
  } else {
    place = free_places_.back();
    free_places_.pop_back();
    to_be_done_[place] = std::move(what);
  }
  heap_.push_back({std::max(when, now_), ++order_, place});
  std::push_heap(heap_.begin(), heap_.end());
}

bool kernel::step(core::instant end) {
  if (heap_.empty() || heap_.front().when > end) {
    now_ = std::max(now_, end);
    return false;
  }
  std::pop_heap(heap_.begin(), heap_.end());
  const auto next = heap_.back();
  heap_.pop_back();
  now_ = next.when;
  // It may ask for more to happen: out of the vector with it first.
  const auto what = std::exchange(to_be_done_[next.place], nullptr);
  free_places_.push_back(next.place);
  what();
  return true;
}

void life::run_one() {
  // Any order of what is ready is one that a real loop may take.
  const auto chosen = order_.below(ready_.size());
  auto next = std::move(ready_[chosen]);
  ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(chosen));
  next->run();
}

void life::kill() {
  *self_ = nullptr;
  // Destroying a frame may end waits of others: they must not find the containers half destroyed.
  while (!ready_.empty() || !waits_.empty()) {
    const auto tasks = std::move(ready_);
    const auto waits = std::move(waits_);
    ready_.clear();
    waits_.clear();
  }
}

std::uint64_t life::begin_wait(core::instant until, handler resume) {
  const auto wait = ++last_wait_;
  waits_.emplace(wait, std::move(resume));
  in_.at(until, [self = self_, wait] {
    if (*self != nullptr) (*self)->end_wait(wait);
  });
  return wait;
}

void life::end_wait(std::uint64_t wait) {
  const auto found = waits_.find(wait);
  if (found == waits_.end()) return;
  auto resume = std::move(found->second);
  waits_.erase(found);
  asio::post(get_executor(), std::move(resume));
}

asio::awaitable<void> life::sleep_until(core::instant until) {
  auto begin = [this, until](auto resume) { begin_wait(until, handler(std::move(resume))); };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(begin, asio::use_awaitable);
}

class life_alarm final : public core::alarm {
 public:
  explicit life_alarm(life_clock& clock) : clock_(clock) {}

  asio::awaitable<bool> wait_until(core::instant until) override {
    if (rung_) {
      rung_ = false;
      co_return false;
    }
    const auto now = clock_.in_.now();
    if (until <= now) co_return true;
    clock_.longest_wait_ = std::max(clock_.longest_wait_, until - now);
    auto begin = [this, until](auto resume) {
      waiting_ = clock_.of_.begin_wait(until, life::handler(std::move(resume)));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(begin,
                                                                         asio::use_awaitable);
    waiting_ = 0;
    const bool by_time = !rung_;
    rung_ = false;
    co_return by_time;
  }
  void ring() override {
    rung_ = true;
    if (waiting_ != 0) clock_.of_.end_wait(waiting_);
  }

 private:
  life_clock& clock_;
  std::uint64_t waiting_ = 0;
  bool rung_ = false;
};

std::unique_ptr<core::alarm> life_clock::make_alarm() {
  return std::make_unique<life_alarm>(*this);
}

}  // namespace cmlrec::simulation
