// The words of plan.hpp and report.hpp.
#include "plan/plan.hpp"

#include <algorithm>

namespace cmlrec::plan {

const char* to_string(project_state state) {
  switch (state) {
    case project_state::converged:
      return "Converged";
    case project_state::progressing:
      return "Progressing";
    case project_state::degraded:
      return "Degraded";
    case project_state::suspended:
      return "Suspended";
    case project_state::unreachable:
      return "Unreachable";
  }
  return "Unreachable";
}

const char* to_string(job_state state) {
  switch (state) {
    case job_state::unknown:
      return "Unknown";
    case job_state::missing:
      return "Missing";
    case job_state::up_to_date:
      return "UpToDate";
    case job_state::watched:
      return "Watched";
    case job_state::pending:
      return "Pending";
    case job_state::queued:
      return "Queued";
    case job_state::running:
      return "Running";
    case job_state::overdue:
      return "Overdue";
    case job_state::waiting:
      return "Waiting";
    case job_state::backing_off:
      return "BackingOff";
    case job_state::failed:
      return "Failed";
    case job_state::blocked:
      return "Blocked";
    case job_state::stopped:
      return "Stopped";
    case job_state::suspended:
      return "Suspended";
    case job_state::ambiguous:
      return "Ambiguous";
    case job_state::guarded:
      return "Guarded";
  }
  return "Unknown";
}

const char* to_string(action_kind kind) {
  switch (kind) {
    case action_kind::create_project:
      return "create_project";
    case action_kind::update_project:
      return "update_project";
    case action_kind::create_job:
      return "create_job";
    case action_kind::update_job:
      return "update_job";
    case action_kind::delete_job:
      return "delete_job";
    case action_kind::start_run:
      return "start_run";
    case action_kind::stop_run:
      return "stop_run";
    case action_kind::run_check:
      return "run_check";
  }
  return "run_check";
}

const char* operation_of(action_kind kind) {
  switch (kind) {
    case action_kind::create_project:
      return "CreateProject";
    case action_kind::update_project:
      return "UpdateProject";
    case action_kind::create_job:
      return "CreateJob";
    case action_kind::update_job:
      return "UpdateJob";
    case action_kind::delete_job:
      return "DeleteJob";
    case action_kind::start_run:
      return "CreateJobRun";
    case action_kind::stop_run:
      return "StopJobRun";
    case action_kind::run_check:
      break;
  }
  return "";
}

const job_report* job_finder::find(const std::string& key) {
  if (next_ < of_.jobs.size() && of_.jobs[next_].key == key) return &of_.jobs[next_++];
  if (by_key_.empty()) {
    by_key_.reserve(of_.jobs.size());
    for (const auto& job : of_.jobs) by_key_.emplace(job.key, &job);
  }
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  next_ = static_cast<std::size_t>(found->second - &of_.jobs.front()) + 1;
  return found->second;
}

project_report unreachable(project_report last, const std::string& why) {
  last.state = project_state::unreachable;
  last.reachable = false;
  last.reasons = {why};
  last.activity.clear();
  return last;
}

std::string activity_line(const project_report& report, core::timestamp now) {
  const auto active = [](const job_report& j) { return j.active_run.has_value(); };
  const auto first = std::find_if(report.jobs.begin(), report.jobs.end(), active);
  if (first != report.jobs.end()) {
    const auto& run = *first->active_run;
    const auto since = run.running_at.value_or(run.created_at.value_or(now));
    auto line = first->key + ": " +
                (run.state == cml::run_state::unknown ? "in state '" + run.status + "'"
                                                      : std::string(cml::to_string(run.state))) +
                " for " + core::format_duration(std::max(core::duration{0}, now - since));
    if (first->timeout) line += " (timeout " + core::format_duration(*first->timeout) + ")";
    const auto more = std::count_if(first + 1, report.jobs.end(), active);
    if (more > 0) line += ", and " + std::to_string(more) + " more";
    return line;
  }
  return report.activity;
}

}  // namespace cmlrec::plan
