// simulate_mutants --seeds N: every deliberate wrong, each until a seed has caught it. A table says
// which seed did, and by which rule.
#include "mutants.hpp"
#include "simulation/simulation.hpp"

#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  std::uint64_t seeds = 2000;
  std::string only;
  CLI::App app("Deliberate wrongs, and the seeds that catch them");
  app.add_option("--seeds", seeds, "most for one wrong");
  app.add_option("--only", only, "this wrong alone");
  CLI11_PARSE(app, argc, argv);

  int caught = 0, all = 0;
  for (std::size_t i = 0; i < std::size(mutants::names); ++i) {
    if (!only.empty() && only != mutants::names[i]) continue;
    ++all;
    mutants::active = static_cast<int>(i);
    std::string by = "NOT CAUGHT";
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      const auto o = cmlrec::simulation::simulate(seed, false);
      if (!o.broken) continue;
      by = "seed " + std::to_string(seed) + ": " + o.broken->rule;
      ++caught;
      break;
    }
    std::printf("%-36s %s\n", mutants::names[i], by.c_str());
    std::fflush(stdout);
  }
  std::cout << "figure: mutants: " << caught << " of " << all << " caught\n";
  return caught == all ? 0 : 1;
}
