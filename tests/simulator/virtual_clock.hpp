// The simulator's calendar: it starts at the real time and runs `speed` times as fast. At speed 0
// it stands still and moves by advance() alone.
#pragma once

#include "core/time.hpp"

#include <functional>
#include <utility>

namespace cmlrec::simulator {

class virtual_clock {
 public:
  // `steady` says how much real time has passed since any fixed moment.
  virtual_clock(core::timestamp start, double speed, std::function<core::duration()> steady)
      : steady_(std::move(steady)), base_(start), base_real_(steady_()), speed_(speed) {}

  core::timestamp now() const {
    const auto real = static_cast<double>((steady_() - base_real_).count());
    return base_ + core::duration{static_cast<core::duration::rep>(real * speed_)};
  }
  void advance(core::duration by) { base_ += by; }
  void start_at(core::timestamp start) {
    base_ = start;
    base_real_ = steady_();
  }
  double speed() const { return speed_; }

 private:
  std::function<core::duration()> steady_;
  core::timestamp base_;
  core::duration base_real_;
  double speed_;
};

}  // namespace cmlrec::simulator
