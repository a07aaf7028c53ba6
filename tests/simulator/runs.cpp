// Runs: how they start, go on, end and are stopped, and what starts after them.
#include "simulator/workspace.hpp"

#include <algorithm>
#include <charconv>

namespace cmlrec::simulator {
namespace {

duration timeout_of(const job& j) {
  const auto text = j.text("timeout");
  long long seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::chrono::seconds{seconds};
}

bool flag(const job& j, std::string_view name) {
  const auto* value = j.fields.if_contains(name);
  return value && value->is_bool() && value->get_bool();
}

long long count(const job& j, std::string_view name) {
  const auto* value = j.fields.if_contains(name);
  return value && value->is_int64() ? value->get_int64() : 0;
}

// Whether the job's own settings say that a run which ended so is tried again.
bool retries(const job& j, std::string_view status) {
  if (!flag(j, "retry_enabled")) return false;
  const bool script = flag(j, "retry_for_script_failure");
  const bool timed_out = flag(j, "retry_for_timedout_runs");
  const bool skipped = flag(j, "retry_for_skipped_runs");
  const bool none = !script && !timed_out && !skipped && !flag(j, "retry_for_system_failure");
  if (status == "ENGINE_FAILED") return script || none;
  if (status == "ENGINE_TIMEDOUT") return timed_out;
  return status == "ENGINE_SKIPPED" && skipped;
}

}  // namespace

json::object workspace::show(const project& p, const simulator::job& j,
                             const simulator::run& r) const {
  json::object out = r.fields;
  out["id"] = r.id;
  out["project_id"] = p.id;
  out["job_id"] = j.id;
  out["status"] = r.status;
  const auto stamp = [&](const char* name, const std::optional<timestamp>& at) {
    if (at) out[name] = core::format_timestamp(*at);
  };
  stamp("created_at", r.created_at);
  stamp("scheduling_at", r.created_at);
  stamp("starting_at", r.starting_at);
  stamp("running_at", r.running_at);
  stamp("finished_at", r.finished_at);
  return out;
}

run& workspace::start_run(const project& p, simulator::job& j, const json::object& body,
                          const std::string& cause, int attempt, bool skipped) {
  simulator::run& r = j.runs.emplace_back();
  r.id = random_text(16);
  r.cause = cause;
  r.attempt = attempt;
  r.created_at = now_;
  const auto* arguments = body.if_contains("arguments");
  const auto* environment = body.if_contains("environment");
  r.fields = {
      {"kernel", j.fields.at("kernel")},
      {"cpu", j.fields.at("cpu")},
      {"memory", j.fields.at("memory")},
      {"nvidia_gpu", j.fields.at("nvidia_gpu")},
      {"arguments", arguments ? *arguments : j.fields.at("arguments")},
      {"environment", environment ? json::value(environment_text(environment->as_object()))
                                  : j.fields.at("environment")},
      {"creator", user()},
      {"runtime_identifier", j.fields.at("runtime_identifier")},
      {"resource_group_id", j.fields.at("resource_group_id")},
  };
  if (skipped) {
    r.status = "ENGINE_SKIPPED";
    r.phase = run_phase::over;
    r.finished_at = now_;
    queue_retry(j, r);
  } else {
    r.number = ++j.runs_started;
    r.plan = plan_run(rules_, p.name(), j.text("name"), r.number);
    r.status = "ENGINE_SCHEDULING";
    r.phase = run_phase::scheduling;
    if (r.plan.ends != outcome::never_scheduled) r.next_at = now_ + r.plan.scheduling;
  }
  if (observer_) observer_->run_changed(p, j, r);
  return r;
}

void workspace::note_early_child(const project& p, const simulator::job& j) {
  const auto* parent = find_job(p, j.text("parent_id"));
  if (!parent || !observer_) return;
  const bool about_to_start =
      std::any_of(j.pending.begin(), j.pending.end(),
                  [](const pending_start& s) { return s.cause == "dependency"; });
  if (!parent->newest_success() || parent->active() || about_to_start)
    observer_->child_triggered_early(p, j);
}

answer<json::object> workspace::create_run(std::string_view project_id, std::string_view job_id,
                                           const json::object& body, const std::string& cause) {
  auto found = locate(project_id, job_id);
  if (!found) return found.error();
  project& p = *found->in;
  simulator::job& j = *found->what;
  if (!j.active()) {
    if (cause == "api") note_early_child(p, j);
    return show(p, j, start_run(p, j, body, cause, 0, false));
  }
  if (rules_.busy == busy_policy::reject)
    return precondition_failed("job run for job ID already active");
  const auto& skipped = start_run(p, j, body, cause, 0, true);
  if (rules_.busy == busy_policy::reject_and_skip)
    return precondition_failed("job run for job ID already active");
  return show(p, j, skipped);
}

void workspace::start_unattended(const project& p, simulator::job& j, const pending_start& due) {
  start_run(p, j, {}, due.cause, due.attempt, j.active() != nullptr);
}

answer<json::object> workspace::get_run(std::string_view project_id, std::string_view job_id,
                                        std::string_view id) const {
  auto found = const_cast<workspace*>(this)->locate(project_id, job_id);
  if (!found) return found.error();
  for (const auto& r : found->what->runs)
    if (r.id == id) return show(*found->in, *found->what, r);
  return not_found("job run " + std::string(id) + " not found");
}

answer<json::object> workspace::stop_run(std::string_view project_id, std::string_view job_id,
                                         std::string_view id) {
  auto found = locate(project_id, job_id);
  if (!found) return found.error();
  for (auto& r : found->what->runs) {
    if (r.id != id) continue;
    if (r.phase == run_phase::over)
      return precondition_failed("job run " + r.id + " is not running");
    begin_stop(*found->in, *found->what, r);
    return show(*found->in, *found->what, r);
  }
  return not_found("job run " + std::string(id) + " not found");
}

void workspace::begin_stop(const project& p, simulator::job& j, simulator::run& r) {
  if (r.phase == run_phase::stopping) return;
  r.phase = run_phase::stopping;
  r.status = "ENGINE_STOPPING";
  r.next_at = now_ + rules_.stopping_time;
  if (observer_) observer_->run_changed(p, j, r);
}

// The run's time has come to go on.
void workspace::step(project& p, simulator::job& j, simulator::run& r) {
  r.next_at.reset();
  switch (r.phase) {
    case run_phase::scheduling:
      r.phase = run_phase::starting;
      r.status = "ENGINE_STARTING";
      r.starting_at = now_;
      r.next_at = now_ + r.plan.starting;
      break;
    case run_phase::starting: {
      r.phase = run_phase::running;
      r.status = "ENGINE_RUNNING";
      r.running_at = now_;
      const auto limit = timeout_of(j) * (rules_.timeout_in_minutes ? 60 : 1);
      if (limit > duration{0} && flag(j, "kill_on_timeout") && r.plan.running > limit) {
        r.plan.running = limit;
        r.plan.ends = outcome::timedout;
      }
      r.next_at = now_ + r.plan.running;
      break;
    }
    case run_phase::running:
      switch (r.plan.ends) {
        case outcome::succeeded:
          return finish(p, j, r, "ENGINE_SUCCEEDED");
        case outcome::failed:
          return finish(p, j, r, "ENGINE_FAILED");
        case outcome::timedout:
          return finish(p, j, r, "ENGINE_TIMEDOUT");
        case outcome::never_scheduled:
          return;
        case outcome::odd_word:
          r.phase = run_phase::stuck;
          r.status = r.plan.word;
          break;
      }
      break;
    case run_phase::stopping:
      return finish(p, j, r, "ENGINE_STOPPED");
    case run_phase::stuck:
    case run_phase::over:
      return;
  }
  if (observer_) observer_->run_changed(p, j, r);
}

void workspace::finish(project& p, simulator::job& j, simulator::run& r, const char* status) {
  r.phase = run_phase::over;
  r.status = status;
  r.finished_at = now_;
  if (observer_) observer_->run_changed(p, j, r);
  after_finish(p, j, r);
}

void workspace::after_finish(project& p, simulator::job& j, const simulator::run& r) {
  if (r.status == "ENGINE_SUCCEEDED") {
    if (!rules_.auto_start) return;
    for (auto& child : p.jobs)
      if (child.text("parent_id") == j.id)
        child.pending.push_back({now_ + rules_.dependent_delay, "dependency", 0});
    return;
  }
  queue_retry(j, r);
}

void workspace::queue_retry(simulator::job& j, const simulator::run& r) {
  if (retries(j, r.status) && r.attempt < count(j, "max_retry"))
    j.pending.push_back(
        {now_ + std::chrono::seconds{count(j, "retry_delay")}, "retry", r.attempt + 1});
}

}  // namespace cmlrec::simulator
