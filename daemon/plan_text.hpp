// What `plan`, `apply` and `validate` print: for people, and as JSON for programs.
#pragma once

#include <map>
#include <string>

#include "config/load.hpp"
#include "daemon/plan_preview.hpp"

namespace cmlrec::daemon {

std::string plan_text(const plan_preview& preview);
std::string plan_json(const plan_preview& preview);

// The last lines of `apply`: every job with its state.
std::string summary_text(const std::map<std::string, plan::project_plan>& plans);
// `result`: "converged", "failed", "refused", "unreachable" or "stopped"; the projects as /v1/status
// has them.
std::string summary_json(const std::map<std::string, plan::project_plan>& plans,
                         const std::string& result);

// `file`: what the findings are of.
std::string validity_json(const config::loaded& loaded, const std::string& file);

}  // namespace cmlrec::daemon
