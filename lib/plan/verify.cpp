// The rules for checks: when every job is up to date, and never after a failure.
#include "plan/work.hpp"

#include <algorithm>

namespace cmlrec::plan {
namespace {

constexpr core::duration between_attempts = std::chrono::seconds{5};

// What the checks are of: the newest success among the jobs that are not checks themselves.
std::optional<core::timestamp> deployment_of(const work& w) {
  std::optional<core::timestamp> newest;
  for (const auto& job : w.jobs) {
    if (is_check_job(w.wanted, job.spec->key) || job.facts.newest_success == nullptr) continue;
    if (job.spec->run == config::run_policy::never) continue;
    const auto at = job.facts.newest_success->finished_at;
    if (at && (!newest || *at > *newest)) newest = at;
  }
  return newest;
}

bool everything_is_up_to_date(const work& w) {
  return std::all_of(w.jobs.begin(), w.jobs.end(), [&](const job_work& job) {
    return is_check_job(w.wanted, job.spec->key) || job.up_to_date ||
           job.spec->run == config::run_policy::never;
  });
}

void wait_for_deployment(work& w) {
  for (auto& job : w.jobs) {
    if (!is_check_job(w.wanted, job.spec->key) || job.live == nullptr) continue;
    if (job.report.state != job_state::unknown) continue;
    job.report.state = job_state::waiting;
    job.report.reason = "it verifies the deployment: for every other job to be up to date";
  }
}

void check_by_request(work& w, const config::check_spec& check, const config::http_check& request,
                      bool same_deployment) {
  static const check_memory nothing;
  const auto found = w.memory.verify.checks.find(check.name);
  const auto& m =
      same_deployment && found != w.memory.verify.checks.end() ? found->second : nothing;
  if (m.passed) return;
  const auto began = same_deployment ? w.memory.verify.began_at : std::nullopt;
  const bool late = began && w.now.local >= *began + w.rules.verify_deadline;
  const bool spent = m.failures > request.retries;
  if (late || spent) w.troubles.push_back("check '" + check.name + "' has failed: " + m.message);
  if (m.last_at) {
    const auto next = *m.last_at + (late || spent ? w.rules.interval : between_attempts);
    if (w.now.local < next) {
      if (!late && !spent)
        w.in_progress("check " + check.name + ": attempt " + std::to_string(m.failures) + " of " +
                      std::to_string(request.retries + 1) + " failed: " + m.message);
      w.wait_until_local(next);
      return;
    }
  }
  action a;
  a.kind = action_kind::run_check;
  a.project_id = w.live->id;
  a.check = check.name;
  a.request = request;
  a.reason = "every job is up to date";
  if (!late && !spent) w.in_progress("check " + check.name + ": is being made");
  w.plan.actions.push_back(std::move(a));
}

}  // namespace

bool is_check_job(const config::project_spec& wanted, const std::string& key) {
  return std::any_of(wanted.verify.begin(), wanted.verify.end(), [&](const auto& check) {
    const auto* job = std::get_if<std::string>(&check.what);
    return job != nullptr && *job == key;
  });
}

void settle_verify(work& w) {
  if (w.wanted.verify.empty()) return;
  const auto deployment = deployment_of(w);
  w.plan.deployment = deployment;
  if (!everything_is_up_to_date(w)) {
    wait_for_deployment(w);
    return;
  }
  for (const auto& check : w.wanted.verify) {
    if (const auto* request = std::get_if<config::http_check>(&check.what)) {
      check_by_request(w, check, *request, w.memory.verify.deployment == deployment);
      continue;
    }
    auto* job = w.find(std::get<std::string>(check.what));
    if (job->live == nullptr || job->report.state == job_state::ambiguous) continue;
    auto asked = demands_of(w, *job);
    if (deployment) {
      // CML may have started it for the end of the deployment, with a stamp that is a touch early.
      const auto from = *deployment - w.rules.freshness_tolerance;
      if (!asked.forced_at || from > *asked.forced_at) {
        asked.forced_at = from;
        asked.forced_because = "the deployment is newer than its newest success";
      }
    }
    decide_runs(w, *job, asked);
  }
}

}  // namespace cmlrec::plan
