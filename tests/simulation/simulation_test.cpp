// That the simulation can be believed: it is deterministic, it does what it says, and its rules can
// be broken. The seeds themselves are run by `simulate`, the wrongs by `simulate_mutants`.
#include "simulation/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace cmlrec::simulation {
namespace {

// The first 300 seeds, once for all tests: with a sanitizer they take minutes.
const std::vector<outcome>& first_seeds() {
  static const auto all = [] {
    std::vector<outcome> out;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) out.push_back(simulate(seed, false));
    return out;
  }();
  return all;
}

TEST(Simulation, TheSameSeedGivesTheSameTrace) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    EXPECT_EQ(simulate(seed, true).trace, simulate(seed, true).trace) << seed;
}

TEST(Simulation, LookingOnChangesNothing) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    EXPECT_EQ(simulate(seed, true).counted.writes, first_seeds()[seed - 1].counted.writes) << seed;
}

TEST(Simulation, DifferentSeedsAreDifferentDays) {
  EXPECT_NE(simulate(1, true).trace, simulate(2, true).trace);
}

TEST(Simulation, EverythingThatASeedCanDrawHappens) {
  std::array<std::size_t, fault_kinds> faults{};
  std::size_t kills = 0, stops = 0, reloads = 0, deeds = 0, calmed = 0;
  for (const auto& o : first_seeds()) {
    for (std::size_t i = 0; i < fault_kinds; ++i) faults[i] += o.faults[i];
    kills += o.kills;
    stops += o.stops;
    reloads += o.reloads;
    deeds += o.deeds;
    calmed += o.calmed ? 1 : 0;
  }
  for (std::size_t i = 0; i < fault_kinds; ++i)
    EXPECT_GT(faults[i], 0U) << to_string(static_cast<fault>(i));
  for (const auto count : {kills, stops, reloads, deeds, calmed}) EXPECT_GT(count, 10U);
}

TEST(Simulation, AFewSeedsBreakNoRule) {
  for (std::size_t i = 0; i < first_seeds().size(); ++i) {
    const auto& o = first_seeds()[i];
    EXPECT_FALSE(o.broken) << "seed " << i + 1 << ": " << o.broken->rule << ": " << o.broken->what;
  }
}

}  // namespace
}  // namespace cmlrec::simulation
