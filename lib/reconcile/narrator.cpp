#include "reconcile/narrator.hpp"

#include <algorithm>
#include <string>

namespace cmlrec::reconcile {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : "; ") + part;
  return out;
}

severity level_of(plan::project_state state) {
  switch (state) {
    case plan::project_state::degraded:
    case plan::project_state::unreachable: return severity::error;
    default: return severity::info;
  }
}

severity level_of(plan::job_state state) {
  switch (state) {
    case plan::job_state::failed:
    case plan::job_state::blocked:
    case plan::job_state::stopped:
    case plan::job_state::ambiguous:
    case plan::job_state::guarded:
    case plan::job_state::overdue:
    case plan::job_state::queued:
    case plan::job_state::backing_off: return severity::warning;
    case plan::job_state::waiting:
    case plan::job_state::pending:
    case plan::job_state::missing:
    case plan::job_state::unknown: return severity::debug;
    default: return severity::info;
  }
}

bool is_told(const std::vector<plan::difference>& differences, const plan::difference& d) {
  return std::any_of(differences.begin(), differences.end(), [&](const plan::difference& other) {
    return other.field == d.field && other.live == d.live && other.desired == d.desired &&
           other.unappliable == d.unappliable;
  });
}

std::string sentence(const plan::difference& d) {
  return d.field + " is " + d.live + " and should be " + d.desired +
         (d.unappliable ? "; it cannot be applied: " + d.note : "");
}

}  // namespace

std::vector<event> narrate(const plan::project_report& before, const plan::project_report& after,
                           core::timestamp at) {
  std::vector<event> out;
  const auto add = [&](severity level, std::string name, std::string job, std::string message) {
    out.push_back({at, level, std::move(name), after.name, std::move(job), std::move(message)});
  };
  for (const auto& d : after.differences)
    if (d.unappliable && !is_told(before.differences, d))
      add(severity::warning, "project.unappliable", "", sentence(d));
  for (const auto& job : after.jobs) {
    const auto old = std::find_if(before.jobs.begin(), before.jobs.end(),
                                  [&](const plan::job_report& j) { return j.key == job.key; });
    const bool known = old != before.jobs.end();
    for (const auto& d : job.differences)
      if (!known || !is_told(old->differences, d))
        add(d.unappliable ? severity::warning : severity::info,
            d.unappliable ? "job.unappliable" : "job.drifted", job.key, sentence(d));
    if (!known || old->state != job.state)
      add(level_of(job.state), "job.state", job.key,
          std::string(plan::to_string(job.state)) + ": " + job.reason);
  }
  if (before.name.empty() || before.state != after.state ||
      (level_of(after.state) == severity::error && before.reasons != after.reasons)) {
    std::string message = plan::to_string(after.state);
    if (!after.reasons.empty()) message += ": " + joined(after.reasons);
    add(level_of(after.state), "project.state", "", message);
  }
  return out;
}

}  // namespace cmlrec::reconcile
