#include "reconcile/narrator.hpp"

#include <algorithm>
#include <string>
#include <utility>

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

narrator::narrator(plan::project_report before, plan::project_report after, core::timestamp at)
    : before_(std::move(before)), after_(std::move(after)), at_(at), former_(before_) {}

void narrator::add(severity level, std::string name, std::string job, std::string message) {
  out_.push_back({at_, level, std::move(name), after_.name, std::move(job), std::move(message)});
}

std::vector<event> narrator::go_on(std::size_t jobs) {
  if (next_ == 0 && !done_) tell_of_project_differences();
  for (; jobs > 0 && next_ < after_.jobs.size(); --jobs) tell_of_job(after_.jobs[next_++]);
  if (next_ == after_.jobs.size() && !done_) {
    tell_of_project_state();
    done_ = true;
  }
  return std::exchange(out_, {});
}

void narrator::tell_of_project_differences() {
  for (const auto& d : after_.differences)
    if (d.unappliable && !is_told(before_.differences, d))
      add(severity::warning, "project.unappliable", "", sentence(d));
}

void narrator::tell_of_job(const plan::job_report& job) {
  const auto* old = former_.find(job.key);
  for (const auto& d : job.differences)
    if (old == nullptr || !is_told(old->differences, d))
      add(d.unappliable ? severity::warning : severity::info,
          d.unappliable ? "job.unappliable" : "job.drifted", job.key, sentence(d));
  if (old == nullptr || old->state != job.state)
    add(level_of(job.state), "job.state", job.key,
        std::string(plan::to_string(job.state)) + ": " + job.reason);
}

void narrator::tell_of_project_state() {
  const bool new_reasons =
      level_of(after_.state) == severity::error && before_.reasons != after_.reasons;
  if (!before_.name.empty() && before_.state == after_.state && !new_reasons) return;
  std::string message = plan::to_string(after_.state);
  if (!after_.reasons.empty()) message += ": " + joined(after_.reasons);
  add(level_of(after_.state), "project.state", "", message);
}

std::vector<event> narrate(const plan::project_report& before, const plan::project_report& after,
                           core::timestamp at) {
  return narrator(before, after, at).go_on(after.jobs.size());
}

}  // namespace cmlrec::reconcile
