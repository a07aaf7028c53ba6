// A clock that stands still until it is told to go on: days pass in milliseconds, the same way each
// time.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/clock.hpp"

namespace cmlrec::test {

class virtual_clock final : public core::clock {
 public:
  explicit virtual_clock(boost::asio::io_context& io) : io_(io) {}

  core::instant now() const override { return now_; }
  core::timestamp wall() const override { return wall_; }
  std::unique_ptr<core::alarm> make_alarm() override {
    return std::make_unique<virtual_alarm>(*this);
  }

  // Runs what is ready, then goes on to the next alarm, until `done` holds or `most` has passed.
  // False: it has not come to hold.
  bool run_until(const std::function<bool()>& done, core::duration most) {
    const auto end = now_ + most;
    for (;;) {
      io_.restart();
      while (io_.poll() > 0) {
      }
      if (done()) return true;
      auto next = core::instant::max();
      for (const auto* alarm : waiting_) next = std::min(next, alarm->due_);
      if (next > end) {
        advance_to(end);
        return done();
      }
      advance_to(next);
      const auto due = waiting_;
      for (auto* alarm : due)
        if (alarm->due_ <= now_) alarm->fire();
    }
  }

 private:
  class virtual_alarm final : public core::alarm {
   public:
    explicit virtual_alarm(virtual_clock& clock) : clock_(clock), timer_(clock.io_) {}
    ~virtual_alarm() override { std::erase(clock_.waiting_, this); }

    boost::asio::awaitable<bool> wait_until(core::instant until) override {
      if (rung_) {
        rung_ = false;
        co_return false;
      }
      if (until <= clock_.now_) co_return true;
      due_ = until;
      fired_ = false;
      clock_.waiting_.push_back(this);
      timer_.expires_at(std::chrono::steady_clock::time_point::max());
      co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
      std::erase(clock_.waiting_, this);
      const bool by_time = fired_ && !rung_;
      rung_ = false;
      co_return by_time;
    }
    void ring() override {
      rung_ = true;
      timer_.cancel();
    }
    void fire() {
      fired_ = true;
      std::erase(clock_.waiting_, this);
      timer_.cancel();
    }

    core::instant due_{};

   private:
    virtual_clock& clock_;
    boost::asio::steady_timer timer_;
    bool rung_ = false;
    bool fired_ = false;
  };

  void advance_to(core::instant at) {
    wall_ += at - now_;
    now_ = at;
  }

  boost::asio::io_context& io_;
  core::instant now_{core::duration{1'000'000}};
  core::timestamp wall_ = *core::parse_timestamp("2026-03-01T12:00:00Z");
  std::vector<virtual_alarm*> waiting_;
};

}  // namespace cmlrec::test
