// What would be done, field by field, for people.
#pragma once

#include <map>
#include <string>

#include "config/desired.hpp"
#include "plan/plan.hpp"

namespace cmlrec::daemon {

struct plan_text {
  std::string text;
  bool changes = false;  // something would be written or started
};

plan_text render_plan(const config::desired_state& desired,
                      const std::map<std::string, plan::project_plan>& plans);

// The last lines of `apply`: every job with its state.
std::string render_summary(const std::map<std::string, plan::project_plan>& plans);

}  // namespace cmlrec::daemon
