// simulate --seeds N --from S: runs the seeds S to S + N - 1 and prints what they came to.
// simulate --trace SEED: one seed, with all that happens.
#include "simulation/simulation.hpp"

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

namespace {

using namespace cmlrec;

struct totals {
  std::size_t seeds = 0, broken = 0, calmed = 0;
  simulation::figures counted;
  std::array<std::size_t, simulation::fault_kinds> faults{};
  std::size_t kills = 0, stops = 0, reloads = 0, deeds = 0;
  core::duration longest_settling{0};
  core::duration virtual_time{0};

  void add(const simulation::outcome& o) {
    ++seeds;
    broken += o.broken ? 1 : 0;
    calmed += o.calmed ? 1 : 0;
    counted.passes += o.counted.passes;
    counted.writes += o.counted.writes;
    counted.runs_by_daemon += o.counted.runs_by_daemon;
    counted.objects_by_daemon += o.counted.objects_by_daemon;
    counted.orders += o.counted.orders;
    for (std::size_t i = 0; i < faults.size(); ++i) faults[i] += o.faults[i];
    kills += o.kills;
    stops += o.stops;
    reloads += o.reloads;
    deeds += o.deeds;
    longest_settling = std::max(longest_settling, o.settled_after);
    virtual_time += o.lasted;
  }

  void print(double seconds) const {
    std::cout << "figure: simulation: seeds " << seeds << " (" << calmed << " with a calm end), "
              << static_cast<long>(static_cast<double>(seeds) / std::max(seconds, 0.001))
              << " per second\n"
              << "figure: virtual time: " << core::format_duration(virtual_time)
              << "; passes: " << counted.passes << "; writes: " << counted.writes
              << "; runs started: " << counted.runs_by_daemon
              << "; objects made: " << counted.objects_by_daemon << "\n"
              << "figure: simulated kills: " << kills << "; stops: " << stops
              << "; reloads: " << reloads << "; deeds of people: " << deeds
              << "; orders of operators: " << counted.orders << "\n"
              << "figure: longest settling: " << core::format_duration(longest_settling)
              << " (bound " << core::format_duration(simulation::settling_bound)
              << ")\nfigure: faults injected:";
    for (std::size_t i = 1; i < faults.size(); ++i)
      std::cout << " " << simulation::to_string(static_cast<simulation::fault>(i)) << "="
                << faults[i];
    std::cout << "\nbroken: " << broken << "\n";
  }
};

void print_broken(std::uint64_t seed, const simulation::breach& b) {
  std::cout << "seed " << seed << ": broken: " << b.rule << ": " << b.what << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seeds = 1000, from = 1;
  std::optional<std::uint64_t> traced;
  std::size_t most_told = 5;
  CLI::App app("Simulated days of the reconciler, each from a seed");
  app.add_option("--seeds", seeds, "how many");
  app.add_option("--from", from, "the first one");
  app.add_option("--trace", traced, "run this one seed and print all that happens");
  app.add_option("--tell", most_told, "traces of so many broken seeds are printed");
  CLI11_PARSE(app, argc, argv);

  if (traced) {
    const auto o = simulation::simulate(*traced, true);
    std::cout << o.trace;
    if (o.broken) print_broken(*traced, *o.broken);
    return o.broken ? 1 : 0;
  }
  totals all;
  const auto began = std::chrono::steady_clock::now();
  for (auto seed = from; seed < from + seeds; ++seed) {
    const auto o = simulation::simulate(seed, false);
    all.add(o);
    if (!o.broken) continue;
    print_broken(seed, *o.broken);
    if (all.broken <= most_told) {
      const auto again = simulation::simulate(seed, true);
      const auto& t = again.trace;
      constexpr std::size_t most = 6000;
      std::cout << (t.size() > most ? "[...]" + t.substr(t.size() - most) : t)
                << "all of it: simulate --trace " << seed << "\n";
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  all.print(took.count());
  return all.broken == 0 ? 0 : 1;
}
