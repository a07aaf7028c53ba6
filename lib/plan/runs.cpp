// The rules for runs: like make, with CML's own starts awaited and every start accounted for.
#include "plan/work.hpp"

#include <algorithm>

namespace cmlrec::plan {
namespace {

using core::format_duration;

std::optional<core::timestamp> later(std::optional<core::timestamp> a,
                                     std::optional<core::timestamp> b) {
  if (!a) return b;
  return b && *b > *a ? b : a;
}

std::optional<core::duration> timeout_of(const job_work& job) {
  for (const auto* fields : {&job.live->fields, &job.spec->fields})
    if (const auto found = fields->find("timeout"); found != fields->end())
      if (const auto* seconds = std::get_if<std::int64_t>(&found->second))
        if (*seconds > 0) return std::chrono::seconds{*seconds};
  return std::nullopt;
}

template <class T>
T live_value(const job_work& job, const char* name, T otherwise) {
  const auto found = job.live->fields.find(name);
  if (found == job.live->fields.end()) return otherwise;
  const auto* value = std::get_if<T>(&found->second);
  return value == nullptr ? otherwise : *value;
}

constexpr std::size_t most_recent_runs = 5;

// For those who look: what a run was started with may be secret, and may be long.
cml::run without_parameters(const cml::run& run) {
  cml::run out;
  out.id = run.id;
  out.job_id = run.job_id;
  out.status = run.status;
  out.state = run.state;
  out.creator = run.creator;
  out.created_at = run.created_at;
  out.running_at = run.running_at;
  out.finished_at = run.finished_at;
  return out;
}

// A forced rebuild of a job is one of all below it.
std::optional<core::timestamp> forced_at(work& w, const job_work& job) {
  auto at = later(w.memory.force_at, job.memory->force_at);
  for (const auto* spec = job.spec; spec->parent_key;) {
    const auto* parent = w.find(*spec->parent_key);
    at = later(at, parent->memory->force_at);
    spec = parent->spec;
  }
  return at;
}

// How long before `at` a run ended, by whichever of the two clocks has gone further.
core::duration time_since(moment at, core::timestamp ended, const cml::run& run,
                          const known_end& known) {
  auto since = at.cml - ended;
  if (known.run_id == run.id) since = std::max(since, at.local - known.since);
  return since;
}

// What CML starts by itself within `wait` of the end of a run shows only in a list that was begun
// after that; the run may have become known long after the job's own list. True: the list is read
// again first.
bool reads_anew(work& w, const job_work& job, const cml::run& run, const known_end& known,
                core::duration wait) {
  if (time_since(job.history->began, *run.finished_at, run, known) >= wait) return false;
  read_history(w, job);
  return true;
}

void report_active(work& w, job_work& job) {
  const auto& run = *job.facts.active;
  auto& report = job.report;
  const auto created = run.created_at.value_or(w.now.cml);
  const auto age = std::max(core::duration{0}, w.now.cml - created);
  const auto since = run.running_at.value_or(created);
  const auto running_for = std::max(core::duration{0}, w.now.cml - since);
  report.active_run = run;
  report.running_for = running_for;
  report.state = job_state::running;
  report.reason = (run.state == cml::run_state::unknown
                       ? "run " + run.id + " is in state '" + run.status + "'"
                       : "run " + run.id + " is " + cml::to_string(run.state)) +
                  " for " + format_duration(running_for);
  if (report.timeout) report.reason += " (timeout " + format_duration(*report.timeout) + ")";
  w.in_progress(job.spec->key + ": " + report.reason);
  w.look_within(poll_after(age));

  if (run.state == cml::run_state::scheduling && age > w.rules.scheduling_deadline) {
    report.state = job_state::queued;
    report.reason = "run " + run.id + " has been waiting for resources for " +
                    format_duration(age) +
                    "; it may ask for more CPU, memory or GPUs than the cluster has";
    w.troubles.push_back(job.spec->key + ": run " + run.id +
                         " has been waiting for resources since " +
                         core::format_timestamp(created) +
                         "; it may ask for more CPU, memory or GPUs than the cluster has");
    return;
  }
  // A state that nobody knows is not terminal, but must not be waited for without end.
  std::optional<core::duration> limit = report.timeout;
  if (!limit && run.state == cml::run_state::unknown) limit = std::chrono::hours{1};
  if (!limit || running_for <= *limit + w.rules.overdue_margin) return;
  report.state = job_state::overdue;
  report.reason = "run " + run.id + " has been " + cml::to_string(run.state) + " for " +
                  format_duration(running_for) + ", past its timeout of " + format_duration(*limit);
  w.troubles.push_back(job.spec->key + ": run " + run.id + " is past its timeout of " +
                       format_duration(*limit) + ", since " +
                       core::format_timestamp(since + *limit));
  if (!w.rules.stop_overdue || run.state == cml::run_state::stopping ||
      job.memory->stopped_by_us.contains(run.id))
    return;
  action a;
  a.kind = action_kind::stop_run;
  a.project_id = w.live->id;
  a.job_key = job.spec->key;
  a.job_name = job.spec->name;
  a.job_id = job.live->id;
  a.run_id = run.id;
  a.write_hash = run.id;
  a.reason = report.reason;
  std::string why;
  if (!w.may_repeat(job.memory->refused, a.kind, a.write_hash, why)) {
    report.reason += "; CML refused to stop it: " + why;
    return;
  }
  w.plan.actions.push_back(std::move(a));
}

void set_waiting(work& w, job_work& job, std::string why) {
  job.report.state = job_state::waiting;
  job.report.reason = std::move(why);
  w.in_progress(job.spec->key + ": " + job.report.reason);
}

// CML's own retries of a failed run come first.
bool cml_retries(work& w, job_work& job) {
  const auto& facts = job.facts;
  if (!live_value<bool>(job, "retry_enabled", false)) return false;
  const auto most = live_value<std::int64_t>(job, "max_retry", 0);
  if (most <= 0 || facts.newest_failure == nullptr || facts.failures % (most + 1) == 0)
    return false;
  const auto ended = facts.newest_failure->finished_at.value_or(w.now.cml);
  const core::duration delay =
      std::chrono::seconds{live_value<std::int64_t>(job, "retry_delay", 0)};
  const auto since = time_since(w.now, ended, *facts.newest_failure, job.memory->failure);
  const auto left = delay + w.rules.child_start_grace - since;
  if (left <= core::duration{0})
    return facts.newest_failure->finished_at &&
           reads_anew(w, job, *facts.newest_failure, job.memory->failure,
                      delay + w.rules.child_start_grace);
  set_waiting(w, job, "its run failed; CML retries it by itself (retry_enabled)");
  w.look_within(poll_after(since));
  job.report.next_at = w.now.cml + left;
  return true;
}

// True when the parent leaves the job nothing to do but wait.
bool held_by_parent(work& w, job_work& job) {
  if (!job.spec->parent_key) return false;
  const auto& parent = *w.find(*job.spec->parent_key);
  const auto& key = parent.spec->key;
  auto& report = job.report;
  // All the way up: what runs above ends in a run of this job too, and one before it is wasted.
  for (const auto* above = &parent; above != nullptr;
       above = above->spec->parent_key ? w.find(*above->spec->parent_key) : nullptr) {
    const auto whom = (above == &parent ? "its parent " : "its ancestor ") + above->spec->key;
    if (!above->up_to_date) {
      if (above->for_good) {
        report.state = job_state::blocked;
        report.reason = whom + " has not succeeded and will not by itself";
        job.for_good = true;
      } else {
        report.state = job_state::waiting;
        report.reason = above->report.state == job_state::suspended
                            ? whom + " is suspended and has not succeeded"
                            : "for " + whom + " to succeed";
      }
      return true;
    }
    if (above->facts.active != nullptr) {
      report.state = job_state::waiting;
      report.reason = "for the active run of " + whom + " to end";
      return true;
    }
  }
  const auto* success = parent.facts.newest_success;
  if (success == nullptr || !success->finished_at) return false;
  const auto since = time_since(w.now, *success->finished_at, *success, parent.memory->success);
  if (since >= w.rules.child_start_grace)
    return reads_anew(w, job, *success, parent.memory->success, w.rules.child_start_grace);
  const auto left = w.rules.child_start_grace - std::max(core::duration{0}, since);
  if (needs_history(w, job, true)) return true;
  set_waiting(w, job,
              "for CML to start it: its parent " + key + " succeeded " +
                  format_duration(std::max(core::duration{0}, since)) + " ago (grace " +
                  format_duration(w.rules.child_start_grace) + ")");
  report.next_action = "start a run, if CML has not";
  report.next_at = w.now.cml + left;
  w.look_within(std::min(poll_after(since), left));
  return true;
}

// True when the newest runs failed and that decides the matter.
bool held_by_failures(work& w, job_work& job, std::string& start_reason) {
  const auto& facts = job.facts;
  auto& report = job.report;
  report.attempts = facts.failures;
  report.max_attempts = job.spec->retry.max_attempts;
  if (facts.stopped) {
    report.state = job_state::stopped;
    report.reason = "run " + facts.newest_finished->id +
                    " was stopped by a person; not started again until it is forced, retried or "
                    "changed";
    w.troubles.push_back(job.spec->key + ": " + report.reason);
    job.for_good = true;
    return true;
  }
  if (facts.failures == 0) return false;
  if (cml_retries(w, job)) return true;
  std::int64_t per_attempt = 1;
  if (live_value<bool>(job, "retry_enabled", false))
    per_attempt += std::max<std::int64_t>(0, live_value<std::int64_t>(job, "max_retry", 0));
  const auto attempts = static_cast<int>((facts.failures + per_attempt - 1) / per_attempt);
  const auto& failure = *facts.newest_failure;
  const std::string outcome =
      "run " + failure.id + (failure.state == cml::run_state::timed_out ? " timed out" : " failed");
  report.attempts = attempts;
  if (attempts >= job.spec->retry.max_attempts) {
    report.state = job_state::failed;
    report.reason = outcome + " (attempt " + std::to_string(attempts) + " of " +
                    std::to_string(job.spec->retry.max_attempts) + ")";
    w.troubles.push_back(job.spec->key + ": " + report.reason);
    job.for_good = true;
    return true;
  }
  const auto ended = failure.finished_at.value_or(failure.created_at.value_or(w.now.cml));
  const auto left = retry_wait(attempts, job.spec->retry.backoff, job.spec->retry.max_backoff) -
                    time_since(w.now, ended, failure, job.memory->failure);
  start_reason = outcome + "; attempt " + std::to_string(attempts + 1) + " of " +
                 std::to_string(job.spec->retry.max_attempts);
  if (left <= core::duration{0}) return false;
  report.state = job_state::backing_off;
  report.reason = outcome + " (attempt " + std::to_string(attempts) + " of " +
                  std::to_string(job.spec->retry.max_attempts) + "); the next one is in " +
                  format_duration(left);
  report.next_action = "start a run";
  report.next_at = w.now.cml + left;
  w.in_progress(job.spec->key + ": " + report.reason);
  w.look_within(left);
  return true;
}

void plan_start(work& w, job_work& job, const demands& asked, std::string reason) {
  auto& report = job.report;
  if (job.definition_open) {
    set_waiting(w, job, "for its definition to be brought in line");
    return;
  }
  // Its success would come too early for CML to start what is not there.
  if (const auto* open = job.open_below) {
    set_waiting(w, job, "for the job " + open->spec->key + " below it to be in place");
    return;
  }
  if (job.facts.starts_last_hour >= w.rules.max_runs_per_hour) {
    report.state = job_state::guarded;
    report.reason = "the run guard holds it back: " + std::to_string(job.facts.starts_last_hour) +
                    " runs in the last hour (max_runs_per_hour " +
                    std::to_string(w.rules.max_runs_per_hour) + "); " + reason;
    if (job.facts.oldest_start) {
      report.next_at = *job.facts.oldest_start + std::chrono::hours{1};
      report.next_action = "start a run";
    }
    w.troubles.push_back(job.spec->key + ": " + report.reason);
    job.for_good = true;
    return;
  }
  if (needs_history(w, job, true)) return;
  std::string why;
  if (!w.absence_is_certain(job.memory->start_sent, why)) {
    set_waiting(w, job, "to be certain that no run of it is on its way: " + why);
    return;
  }
  action a;
  a.kind = action_kind::start_run;
  a.project_id = w.live->id;
  a.job_key = job.spec->key;
  a.job_name = job.spec->name;
  a.job_id = job.live->id;
  a.write_hash = job.live->id;
  a.reason = reason;
  if (!asked.spec_hash.empty()) {
    core::text_map env;
    if (const auto found = job.live->fields.find("environment"); found != job.live->fields.end())
      if (const auto* map = std::get_if<core::text_map>(&found->second)) env = *map;
    env[spec_mark] = core::text{asked.spec_hash};
    a.run.environment = std::move(env);
  }
  if (!w.may_repeat(job.memory->refused, a.kind, a.write_hash, why)) {
    const auto& r = job.memory->refused.at(a.kind);
    if (r.busy && r.count < 10) {
      set_waiting(w, job, "CML refused a run: " + why);
    } else {
      report.state = job_state::failed;
      report.reason = "CML refuses to start a run: " + why;
      w.troubles.push_back(job.spec->key + ": " + report.reason);
      job.for_good = true;
    }
    return;
  }
  report.state = job_state::pending;
  report.reason = std::move(reason);
  report.next_action = "start a run";
  w.in_progress(job.spec->key + ": a run is being started");
  w.plan.actions.push_back(std::move(a));
}

}  // namespace

demands demands_of(work& w, const job_work& job) {
  demands asked;
  // One that is still to come does not apply yet: nothing could be newer than it.
  if (job.spec->rerun_after && *job.spec->rerun_after <= w.now.cml)
    asked.rerun_after = job.spec->rerun_after;
  asked.forced_at = forced_at(w, job);
  asked.defined_at = job.live->updated_at;
  std::string parent_name;
  if (job.spec->parent_key) {
    const auto* parent = w.find(*job.spec->parent_key);
    parent_name = parent->spec->name;
    asked.parent_key = parent->spec->key;
    if (parent->facts.newest_success != nullptr)
      asked.parent_success = parent->facts.newest_success->finished_at;
  }
  if (job.spec->run == config::run_policy::on_change)
    asked.spec_hash = spec_hash(*job.spec, parent_name);
  return asked;
}

void read_history(work& w, const job_work& job) {
  // Of a watched job only the newest runs are shown.
  if (w.histories_asked.insert(job.live->id).second)
    w.plan.reads.push_back(
        {job.live->id, job.spec->name, job.spec->run == config::run_policy::never ? 10 : 1000});
}

bool needs_history(work& w, const job_work& job, bool of_this_pass) {
  if (job.history != nullptr && (!of_this_pass || job.history->began.local >= w.seen.pass_began))
    return false;
  read_history(w, job);
  return true;
}

void decide_runs(work& w, job_work& job, const demands& asked) {
  auto& report = job.report;
  const auto floor = later(later(job.memory->attempts_from, asked.forced_at), asked.rerun_after);
  job.facts = examine(*job.history, asked, floor, *job.memory, w.seen.username, w.rules, w.now.cml);
  const auto& facts = job.facts;
  if (facts.newest_finished != nullptr) report.last_run = *facts.newest_finished;
  for (const auto& run : job.history->runs) {
    if (report.recent_runs.size() == most_recent_runs) break;
    if (run.state == cml::run_state::skipped) continue;
    report.recent_runs.push_back(without_parameters(run));
  }
  if (facts.newest_success != nullptr) {
    report.last_success = facts.newest_success->finished_at;
    w.plan.newest_success[job.spec->name] = facts.newest_success->id;
  }
  if (facts.newest_failure != nullptr)
    w.plan.newest_failure[job.spec->name] = facts.newest_failure->id;
  report.timeout = timeout_of(job);
  job.up_to_date = facts.counting_success != nullptr;
  if (report.state == job_state::suspended) {
    if (facts.active != nullptr) report.active_run = *facts.active;
    return;
  }
  if (job.spec->run == config::run_policy::never) {
    report.state = job_state::watched;
    job.up_to_date = facts.newest_success != nullptr;
    report.reason = facts.active != nullptr ? "watched only: run " + facts.active->id + " is " +
                                                  cml::to_string(facts.active->state)
                    : facts.newest_finished != nullptr
                        ? "watched only: its newest run " +
                              std::string(cml::to_string(facts.newest_finished->state))
                        : "watched only: it has not run yet";
    if (facts.active != nullptr) report.active_run = *facts.active;
    return;
  }
  if (facts.active != nullptr) {
    report_active(w, job);
    return;
  }
  if (job.up_to_date) {
    report.state = job_state::up_to_date;
    report.reason = "run " + facts.counting_success->id + " succeeded";
    if (facts.counting_success->finished_at)
      report.reason += " at " + core::format_timestamp(*facts.counting_success->finished_at);
    return;
  }
  if (held_by_parent(w, job)) return;
  std::string reason = facts.stale_because;
  if (held_by_failures(w, job, reason)) return;
  plan_start(w, job, asked, std::move(reason));
}

void settle_run(work& w, job_work& job) {
  if (is_check_job(w.wanted, job.spec->key)) return;
  if (job.live == nullptr) {
    if (job.spec->run == config::run_policy::never && !job.definition_open && !job.for_good &&
        w.held(job).empty())
      job.report.state = job_state::watched;
    return;
  }
  if (job.report.state == job_state::ambiguous) return;
  // A job that waits for somebody else is looked at once per interval: people start runs too.
  const bool settled = job.history->began.local + w.rules.interval > w.now.local ||
                       job.history->began.local >= w.seen.pass_began;
  decide_runs(w, job, demands_of(w, job));
  const auto state = job.report.state;
  const bool idle = state == job_state::waiting || state == job_state::blocked ||
                    state == job_state::failed || state == job_state::stopped ||
                    state == job_state::backing_off || state == job_state::guarded;
  if (idle && !settled) needs_history(w, job, true);
}

}  // namespace cmlrec::plan
