#include "daemon/status_line.hpp"

namespace cmlrec::daemon {
namespace {

using plan::project_state;

bool in_trouble(const plan::project_report& r) {
  return r.state == project_state::degraded || r.state == project_state::unreachable;
}

// The one thing that a person would ask next.
std::string detail(const plan::project_report& r) {
  if (in_trouble(r) && !r.reasons.empty()) return r.reasons.front();
  return r.activity;
}

std::string of_one(const plan::project_report& r) {
  const auto more = detail(r);
  return r.name + ": " + plan::to_string(r.state) + (more.empty() ? "" : "; " + more);
}

std::string of_many(const std::map<std::string, plan::project_report>& reports) {
  std::map<project_state, int> counts;
  const plan::project_report* shown = nullptr;
  for (const auto& [name, report] : reports) {
    ++counts[report.state];
    const bool better = shown == nullptr || (in_trouble(report) && !in_trouble(*shown));
    if (report.state != project_state::converged && better) shown = &report;
  }
  std::string out;
  for (const auto& [state, count] : counts)
    out += (out.empty() ? "" : ", ") + std::to_string(count) + " " + plan::to_string(state);
  return shown == nullptr ? out : out + "; " + of_one(*shown);
}

}  // namespace

std::string status_line(const std::map<std::string, plan::project_report>& reports,
                        const std::optional<refused_reload>& refused,
                        const std::vector<std::string>& restart_needed) {
  std::string state = "first pass under way";
  if (reports.size() == 1) state = of_one(reports.begin()->second);
  if (reports.size() > 1) state = of_many(reports);
  if (!restart_needed.empty()) {
    std::string names;
    for (const auto& name : restart_needed) names += (names.empty() ? "" : ", ") + name;
    state = "a restart is needed for " + names + "; " + state;
  }
  if (!refused) return state;
  // First, because a long line is cut at its end.
  return "reload refused: " + refused->why + ", still on the file of " +
         core::format_timestamp(refused->running_since) + "; " + state;
}

}  // namespace cmlrec::daemon
