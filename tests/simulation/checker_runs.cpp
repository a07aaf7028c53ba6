// The rules about runs: they cost money.
#include "simulation/checker.hpp"

#include <algorithm>

namespace cmlrec::simulation {

using cml::run_state;
using namespace std::chrono_literals;

namespace {

constexpr const char* forced_cause = "forced";
// The daemon knows CML's calendar by whole seconds that are on their way for a while.
constexpr core::duration date_precision = 2s;

const cml::run* newest_success(const std::map<std::string, cml::run>& runs) {
  const cml::run* best = nullptr;
  for (const auto& [id, r] : runs)
    if (r.state == run_state::succeeded && (best == nullptr || r.finished_at > best->finished_at))
      best = &r;
  return best;
}

std::int64_t own_retries(const core::field_set& fields) {
  const auto on = fields.find("retry_enabled");
  const auto most = fields.find("max_retry");
  if (on == fields.end() || most == fields.end() || !std::get<bool>(on->second)) return 0;
  return std::get<std::int64_t>(most->second);
}

bool later_than(const std::vector<core::instant>& events, core::instant at) {
  return std::any_of(events.begin(), events.end(), [&](core::instant e) { return e >= at; });
}

}  // namespace

core::instant checker::sends_start_run(const std::string& project_id, const std::string& job_id,
                                       const cml::run_request&) {
  a_write();
  ++counted_.starts;
  note([&] { return "-> CreateJobRun of " + job_id; });
  const auto asked_at = runs_[job_id].asked_at;
  if (!lists_are_whole(project_id, "CreateJobRun of " + job_id)) return asked_at;
  const auto& k = *known(project_id);
  if (!runs_[job_id].runs_whole || asked_at < k.pass_began) {
    violated("no write from a failed or partial read",
             "CreateJobRun of " + job_id + " without its runs");
    return asked_at;
  }
  if (has_known_active(job_id))
    violated("no run while one is active and known", "CreateJobRun of " + job_id);
  const auto found = k.jobs.find(job_id);
  if (found == k.jobs.end()) {
    violated("own only what the file says", "CreateJobRun of a job that no list has shown");
    return asked_at;
  }
  const auto& live = found->second;
  touches(project_id, live.name, "CreateJobRun of " + live.name);
  std::size_t same_name = 0;
  for (const auto& [id, j] : k.jobs) same_name += j.name == live.name ? 1 : 0;
  if (same_name > 1) violated("nothing is done to what is ambiguous", "CreateJobRun " + live.name);

  const config::project_spec* by = nullptr;
  const config::job_spec* job = nullptr;
  for (const auto* spec : specs_of(project_id, in_.now() - 1ms)) {
    const auto* candidate = job_in(*spec, live.name);
    if (candidate == nullptr || candidate->suspend || spec->suspend ||
        candidate->run == config::run_policy::never)
      continue;
    by = spec;
    job = candidate;
    break;
  }
  if (job == nullptr)
    violated("own only what the file says", "CreateJobRun of " + live.name);
  else
    check_start(k, *by, *job, live);
  return asked_at;
}

bool checker::known_fresh(const known_project& k, const config::project_spec& spec,
                          const config::job_spec& job, int depth) const {
  const auto* live = known_live(k, job.name);
  if (live == nullptr || depth > 40) return false;
  const auto found = runs_.find(live->id);
  if (found == runs_.end()) return false;
  std::optional<core::timestamp> parent_end;
  if (job.parent_key)
    for (const auto& p : spec.jobs)
      if (p.key == *job.parent_key) {
        if (!known_fresh(k, spec, p, depth + 1)) return false;
        const auto* parent = known_live(k, p.name);
        const auto* success = newest_success(runs_.at(parent->id).runs);
        if (success != nullptr) parent_end = success->finished_at;
      }
  return std::any_of(found->second.runs.begin(), found->second.runs.end(), [&](const auto& e) {
    const auto& r = e.second;
    if (r.state != run_state::succeeded) return false;
    if (job.rerun_after && *job.rerun_after + date_precision <= in_.wall() &&
        *r.created_at < *job.rerun_after)
      return false;
    return !parent_end || *r.created_at + stamp_tolerance >= *parent_end;
  });
}

void checker::check_start(const known_project& k, const config::project_spec& spec,
                          const config::job_spec& job, const cml::job& live) {
  if (!job.parent_key) return;
  const config::job_spec* parent = nullptr;
  for (const auto& p : spec.jobs)
    if (p.key == *job.parent_key) parent = &p;
  const auto* parent_live = known_live(k, parent->name);
  if (parent_live == nullptr || !known_fresh(k, spec, *parent, 0) ||
      has_known_active(parent_live->id)) {
    violated("no child before its parent's success", "CreateJobRun of " + live.name);
    return;
  }
  const auto* success = newest_success(runs_[parent_live->id].runs);
  const cml::run* newest = nullptr;
  for (const auto& [id, r] : runs_[live.id].runs)
    if (r.state != run_state::skipped && (newest == nullptr || r.created_at > newest->created_at))
      newest = &r;
  const bool answered =
      newest != nullptr && *newest->created_at + stamp_tolerance >= *success->finished_at;
  if (answered) return;
  const auto since = in_.wall() - *success->finished_at;
  const auto list_age = in_.now() - runs_[live.id].asked_at;
  if (since - list_age >= rules_.child_start_grace) return;
  violated("CML starts a child itself: it is given time for it",
           "CreateJobRun of " + live.name + " " + core::format_duration(since) +
               " after its parent's success, by a list that was begun " +
               core::format_duration(list_age) + " ago");
}

// Empty: there is none. The truth, as far as the daemon could know it: all of its own doing, and
// what others had started before it last looked.
std::string checker::cause_of(const sim_job& job, const sim_run& run,
                              core::instant known_from) const {
  const sim_run* before = nullptr;
  int failures = 0;
  for (auto r = job.runs.rbegin(); r != job.runs.rend(); ++r) {
    if (r->run.id == run.run.id || r->run.state == run_state::skipped) continue;
    if (r->by != origin::daemon && r->began >= known_from) continue;
    before = &*r;
    break;
  }
  if (before == nullptr) return "it has never run";
  const auto specs = specs_of(job.project->project.id, known_from);
  const auto began = before->began;
  for (const auto* spec : specs)
    if (const auto* s = job_in(*spec, job.job.name))
      if (s->rerun_after && *s->rerun_after > *before->run.created_at &&
          *s->rerun_after <= in_.wall())
        return "rerun_after";

  // What is above it has succeeded since; for a job that verifies: anything else.
  const auto succeeded_above = [&](bool verifying_only, core::instant since) {
    for (const auto* spec : specs) {
      const auto* s = job_in(*spec, job.job.name);
      if (s == nullptr) continue;
      const bool verifies =
          std::any_of(spec->verify.begin(), spec->verify.end(), [&](const auto& c) {
            const auto* key = std::get_if<std::string>(&c.what);
            return key != nullptr && *key == s->key;
          });
      if (verifying_only && !verifies) continue;
      for (const auto& other : spec->jobs) {
        if (!(s->parent_key && other.key == *s->parent_key) && !verifies) continue;
        for (const auto& live : job.project->jobs)
          if (live->job.name == other.name && live.get() != &job)
            for (const auto& r : live->runs)
              if (r.run.state == run_state::succeeded && r.ended &&
                  *r.ended > since - stamp_tolerance)
                return true;
      }
    }
    return false;
  };
  const bool patched = patched_.contains(job.job.id) &&
                       later_than(patched_.at(job.job.id), began - rules_.write_settle);
  if (before->run.state == run_state::succeeded) {
    for (const auto* spec : specs) {
      const auto* s = job_in(*spec, job.job.name);
      if (s != nullptr && s->run == config::run_policy::on_change &&
          (patched || job.job.updated_at > before->run.created_at ||
           // A run bears the definition that there was when it was asked for.
           (versions_.size() > 1 && versions_.back().from >= began - rules_.write_settle)))
        return "its definition has changed";
    }
    if (succeeded_above(false, began)) return "its parent has succeeded since";
    // Until all runs are known, which may take a while, nobody can say what is older than the
    // demand.
    const auto used = forced_runs_.find(job.job.id);
    const auto all = forces_of(job, core::instant::min());
    const auto left = all > (used == forced_runs_.end() ? 0 : used->second);
    if (forces_of(job, began - 20min) > 0 && left) return forced_cause;
    return {};
  }
  if (!cml::is_finished(before->run.state)) return {};

  // Failed, or stopped: another attempt where there is one left.
  const auto anew = [&](core::instant at) {
    for (const auto* spec : specs)
      if (const auto* s = job_in(*spec, job.job.name))
        if (s->rerun_after && *s->rerun_after > in_.wall_at(at) && *s->rerun_after <= in_.wall())
          return true;
    // Both act when all runs have been read, which may take a while: what has ended by then is old.
    return later_than(attempts_anew_, at - 20min) || forces_of(job, at - 20min) > 0 ||
           was_retried(job, at - 20min) ||
           (patched_.contains(job.job.id) && later_than(patched_.at(job.job.id), at - 1min));
  };
  if (anew(began)) return "attempts are counted anew";
  if (succeeded_above(true, began)) return "it is of another deployment";
  if (before->run.state == run_state::stopped && before->stopped_by != origin::daemon) return {};
  for (auto r = job.runs.rbegin(); r != job.runs.rend(); ++r) {
    if (r->run.id == run.run.id || r->run.state == run_state::skipped) continue;
    if (r->by != origin::daemon && r->began >= known_from) continue;
    if (r->run.state == run_state::succeeded || anew(r->began)) break;
    if (succeeded_above(true, r->began)) break;  // of another deployment
    const bool by_a_person = r->run.state == run_state::stopped && r->stopped_by != origin::daemon;
    failures += by_a_person ? 0 : 1;
  }
  int most = 1;
  for (const auto* spec : specs)
    if (const auto* s = job_in(*spec, job.job.name)) most = std::max(most, s->retry.max_attempts);
  if (failures < most * (1 + own_retries(job.job.fields))) return "an attempt is left";
  return {};
}

void checker::run_made(sim_job& job, const sim_run& run, core::instant known_from) {
  ++counted_.runs_by_daemon;
  const auto cause = cause_of(job, run, known_from);
  note([&] { return "run " + run.run.id + " of " + job.job.name + ": cause: " + cause; });
  if (cause == forced_cause) ++forced_runs_[job.job.id];
  if (cause.empty()) violated("never a second run for one cause", "a run of " + job.job.name);
  const auto recent = std::count_if(job.runs.begin(), job.runs.end(), [&](const sim_run& r) {
    return r.by == origin::daemon && r.run.state != run_state::skipped && r.began + 1h > in_.now();
  });
  if (recent > rules_.max_runs_per_hour)
    violated("the run guard", std::to_string(recent) + " runs of " + job.job.name + " in an hour");
}

}  // namespace cmlrec::simulation
