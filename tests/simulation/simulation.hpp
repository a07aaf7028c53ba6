// One seed from its beginning to its end: the real loop and planner in virtual time.
#pragma once

#include "simulation/checker.hpp"
#include "simulation/weather.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace cmlrec::simulation {

struct outcome {
  std::optional<breach> broken;
  std::string trace;  // where it was asked for
  figures counted;
  std::array<std::size_t, fault_kinds> faults{};
  std::size_t kills = 0;
  std::size_t stops = 0;
  std::size_t reloads = 0;
  std::size_t deeds = 0;
  bool calmed = false;              // the faults stopped, and the end was judged
  core::duration settled_after{0};  // of the calm
  core::duration lasted{0};         // virtual time
};

// After the last fault everything is as the file says, or Degraded for a reason that is true,
// within this. It is made of the design's waits: a clone's time (15 min) and its scripts (2 min),
// the run guard's hour, CML's grace per generation, and the deadlines of runs that never end.
inline constexpr core::duration settling_bound = std::chrono::hours{4};

outcome simulate(std::uint64_t seed, bool trace);

}  // namespace cmlrec::simulation
