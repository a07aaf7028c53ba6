// At the end of a calm time: is everything as the file says, or is what keeps it from that true?
#pragma once

#include "config/desired.hpp"
#include "plan/policy.hpp"
#include "plan/report.hpp"
#include "simulation/world.hpp"

#include <map>
#include <string>

namespace cmlrec::simulation {

// Empty: it is. Otherwise the first thing that is not.
std::string judge(world& cml, const config::desired_state& file,
                  const std::map<std::string, plan::project_report>& reports,
                  const plan::policy& rules, core::timestamp now);

}  // namespace cmlrec::simulation
