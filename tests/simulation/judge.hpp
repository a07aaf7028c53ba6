// At the end of a calm time: is everything as the file says, or is what keeps it from that true?
#pragma once

#include "config/desired.hpp"
#include "plan/policy.hpp"
#include "plan/report.hpp"
#include "simulation/world.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace cmlrec::simulation {

// When an operator has last forced a job of a project: it must have run since.
using forced_when = std::function<std::optional<core::timestamp>(const std::string& project,
                                                                 const std::string& job)>;

// Empty: it is. Otherwise the first thing that is not.
std::string judge(world& cml, const config::desired_state& file,
                  const std::map<std::string, plan::project_report>& reports,
                  const plan::policy& rules, core::timestamp now, const forced_when& forced);

}  // namespace cmlrec::simulation
