// The machine's clock, except that alarms are not waited for: the time jumps to them. What was
// waited is kept for the test to look at.
#pragma once

#include "core/clock.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

namespace cmlrec::test {

class jumping_clock final : public core::clock {
 public:
  core::instant now() const override {
    return core::instant{std::chrono::duration_cast<core::duration>(
               std::chrono::steady_clock::now().time_since_epoch())} +
           skipped_;
  }
  core::timestamp wall() const override { return wall_; }
  std::unique_ptr<core::alarm> make_alarm() override { return std::make_unique<jump>(*this); }

  core::instant in(core::duration d) const { return now() + d; }
  void skip(core::duration d) { skipped_ += d; }

  std::vector<core::duration> waits;

 private:
  class jump final : public core::alarm {
   public:
    explicit jump(jumping_clock& clock) : clock_(clock) {}
    boost::asio::awaitable<bool> wait_until(core::instant until) override {
      const auto wait = std::max(until - clock_.now(), core::duration::zero());
      clock_.waits.push_back(wait);
      clock_.skipped_ += wait;
      co_return true;
    }
    void ring() override {}

   private:
    jumping_clock& clock_;
  };

  core::duration skipped_{};
  core::timestamp wall_ = std::chrono::sys_days{std::chrono::year{2026} / 1 / 2};
};

}  // namespace cmlrec::test
