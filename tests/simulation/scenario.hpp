// What a seed draws: the file, the workspace as it is found, CML's temper, the faults, and what
// people do meanwhile.
#pragma once

#include "config/desired.hpp"
#include "plan/policy.hpp"
#include "simulation/random.hpp"
#include "simulation/weather.hpp"
#include "simulation/world.hpp"

#include <optional>
#include <vector>

namespace cmlrec::simulation {

struct scenario {
  temper of_cml;
  plan::policy rules;
  config::desired_state file;
  double fault_rate = 0;
  std::vector<fault> fault_kinds;
  std::optional<core::duration> calm_after;  // nothing: it never calms down
  core::duration stormy_for{0};              // how long it is looked at then
  int deeds = 0;                             // of people
  int file_changes = 0;
  int orders = 0;                  // of operators, to the daemon
  std::size_t calls_at_once = 64;  // of one project
  int key_troubles = 0;
  int kills = 0;
  int stops = 0;       // SIGTERM
  bool apply = false;  // run after run of `apply` in place of the daemon
  bool force = false;
  bool journal = false;  // a state directory
  bool checks_pass = true;
  core::duration wall_offset{0};
};

scenario draw_scenario(random_source& random);
// The workspace before the daemon comes.
void furnish(world& cml, const scenario& of, kernel& in, random_source& random);
// Another version of the file, as a person might write it. `takes_away`: a job is no more there, or
// suspended.
config::desired_state edited(const config::desired_state& file, core::timestamp now,
                             bool takes_away, random_source& random);
// Somebody does something in the workspace. What, in words.
std::string do_a_deed(world& cml, const config::desired_state& file, random_source& random);

}  // namespace cmlrec::simulation
