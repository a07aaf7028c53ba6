// One stream of numbers from a seed. Our own distributions: the same seed gives the same simulation
// whatever the standard library.
#pragma once

#include "core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cmlrec::simulation {

class random_source {
 public:
  explicit random_source(std::uint64_t seed) : state_(seed) {}

  // splitmix64
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  // [0, n); 0 for n = 0
  std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(next() % n); }
  // [low, high]
  int between(int low, int high) {
    return low + static_cast<int>(below(static_cast<std::size_t>(high - low + 1)));
  }
  // [0, 1)
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  bool chance(double probability) { return unit() < probability; }
  core::duration between(core::duration low, core::duration high) {
    return low + core::duration{static_cast<core::duration::rep>(
                     unit() * static_cast<double>((high - low).count() + 1))};
  }
  template <class T>
  const T& pick(const std::vector<T>& of) {
    return of[below(of.size())];
  }
  // A stream of its own, so that what is drawn there does not move what is drawn here.
  random_source fork() { return random_source(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace cmlrec::simulation
