#include "plan/memory.hpp"

#include "plan/diff.hpp"

#include <algorithm>

namespace cmlrec::plan {
namespace {

constexpr core::duration written_window = std::chrono::minutes{10};

void add_refusal(std::map<action_kind, refusal>& refused, const action& a, const core::error& why,
                 core::instant now) {
  auto& r = refused[a.kind];
  if (r.count == 0 || r.write_hash != a.write_hash) r = refusal{};
  if (r.count == 0) r.first_at = now;
  r.write_hash = a.write_hash;
  r.message = core::describe(why);
  r.last_at = now;
  ++r.count;
  r.script_missing = why.message.find("not found in project") != std::string::npos;
  r.busy = why.kind == core::error_kind::conflict || why.kind == core::error_kind::throttled ||
           core::is_transient(why.kind);
}

// What a PATCH was to change and its answer still shows otherwise did not take.
template <class Differences>
void note_patch(std::map<std::string, rejected_value>& unappliable,
                std::map<std::string, written_value>& written, const action& a,
                const Differences& left, core::instant now) {
  for (const auto& [field, live_before] : a.replaced) {
    unappliable.erase(field);
    for (const auto& d : left)
      if (d.field == field) unappliable[field] = {d.desired, d.live};
    auto& w = written[field];
    const auto transition = live_before + " -> " + a.write_hash;
    if (w.transition != transition) w = {transition, {}};
    w.at.push_back(now);
    while (!w.at.empty() && w.at.front() + written_window < now) w.at.pop_front();
  }
}

}  // namespace

const suspension* active(const std::optional<suspension>& held, core::timestamp now) {
  return held && (!held->until || now < *held->until) ? &*held : nullptr;
}

void note_sent(project_memory& memory, const action& a, moment now) {
  switch (a.kind) {
    case action_kind::create_project:
      memory.create_sent = now.local;
      break;
    case action_kind::create_job:
      memory.jobs[a.job_name].create_sent = now.local;
      break;
    case action_kind::start_run: {
      auto& job = memory.jobs[a.job_name];
      job.start_sent = now.local;
      job.starts.push_back(now.cml);
      while (!job.starts.empty() && job.starts.front() + std::chrono::hours{1} < now.cml)
        job.starts.pop_front();
      break;
    }
    case action_kind::stop_run:
      memory.jobs[a.job_name].stopped_by_us.insert(a.run_id);
      break;
    case action_kind::delete_job:
      memory.deletions.push_back(now.local);
      break;
    default:
      break;
  }
}

void note_done(project_memory& memory, const action& a, const cml::job* job,
               core::timestamp attempts_from, moment now) {
  if (a.job_name.empty()) {
    memory.refused.erase(a.kind);
    return;
  }
  auto& m = memory.jobs[a.job_name];
  m.refused.erase(a.kind);
  if (a.kind != action_kind::update_job || job == nullptr) return;
  // The definition that failed is not the one that is there now.
  m.attempts_from = attempts_from;
  std::vector<field_difference> left;
  for (const auto& [field, value] : a.job.fields) {
    config::job_spec sent;
    sent.fields[field] = value;
    for (auto& d : compare_job(sent, false, std::nullopt, *job)) left.push_back(std::move(d));
  }
  if (a.job.parent_id && *a.job.parent_id != job->parent_id) {
    field_difference d;
    d.field = "parent_job_key";
    d.desired = core::canonical(core::text{*a.job.parent_id});
    d.live = core::canonical(core::text{job->parent_id});
    left.push_back(d);
  }
  note_patch(m.unappliable, m.written, a, left, now.local);
}

void note_started(project_memory& memory, const action& a, const cml::run& started, moment now) {
  auto& job = memory.jobs[a.job_name];
  job.start_sent.reset();
  if (started.state != cml::run_state::skipped) {
    job.refused.erase(a.kind);
    return;
  }
  if (!job.starts.empty()) job.starts.pop_back();
  core::error busy{core::error_kind::conflict,
                   "CML skipped the run at once: another run of the job is active"};
  add_refusal(job.refused, a, busy, now.local);
}

void note_project_updated(project_memory& memory, const action& a, const cml::project& answer,
                          moment now) {
  memory.refused.erase(a.kind);
  config::project_spec sent;
  sent.fields = a.project.fields;
  note_patch(memory.unappliable, memory.written, a, compare_project(sent, answer), now.local);
}

namespace {

// Of a POST that has certainly not been done: there is nothing to look up.
void forget_post(project_memory& memory, const action& a) {
  if (a.kind == action_kind::create_project) memory.create_sent.reset();
  if (a.kind == action_kind::create_job) memory.jobs[a.job_name].create_sent.reset();
  if (a.kind == action_kind::start_run) {
    auto& job = memory.jobs[a.job_name];
    job.start_sent.reset();
    if (!job.starts.empty()) job.starts.pop_back();
  }
}

}  // namespace

void note_not_sent(project_memory& memory, const action& a) {
  forget_post(memory, a);
  if (a.kind == action_kind::stop_run) memory.jobs[a.job_name].stopped_by_us.erase(a.run_id);
  if (a.kind == action_kind::delete_job && !memory.deletions.empty()) memory.deletions.pop_back();
}

void note_failed(project_memory& memory, const action& a, const core::error& why, moment now) {
  const bool creates = a.kind == action_kind::create_project || a.kind == action_kind::create_job ||
                       a.kind == action_kind::start_run;
  if (creates && !why.may_have_happened) forget_post(memory, a);
  // A stop that was not made is asked for again.
  if (a.kind == action_kind::stop_run) memory.jobs[a.job_name].stopped_by_us.erase(a.run_id);
  if (creates && why.may_have_happened) return;  // the look-up says how it went
  add_refusal(a.job_name.empty() ? memory.refused : memory.jobs[a.job_name].refused, a, why,
              now.local);
}

void note_observed(project_memory& memory, const config::project_spec& wanted,
                   const observation& seen, const policy& rules, moment now) {
  const auto settled = [&](const std::optional<core::instant>& sent) {
    return sent && seen.pass_began >= *sent + rules.write_settle;
  };
  if (project_to_read(wanted, seen)) {
    memory.create_sent.reset();
    if (!memory.first_seen) memory.first_seen = now.local;
  } else if (settled(memory.create_sent)) {
    memory.create_sent.reset();
  }
  if (memory.life_began && settled(memory.life_began)) memory.life_began.reset();
  if (memory.creation_fields.empty())
    for (const char* name : {"git_url", "git_ref", "template"})
      if (const auto found = wanted.fields.find(name); found != wanted.fields.end())
        memory.creation_fields.insert(*found);
  if (!active(memory.suspended, now.cml)) memory.suspended.reset();
  for (auto& [name, job] : memory.jobs)
    if (!active(job.suspended, now.cml)) job.suspended.reset();
  while (!memory.deletions.empty() && memory.deletions.front() + rules.interval <= now.local)
    memory.deletions.pop_front();
  if (!seen.jobs) return;
  std::unordered_set<std::string_view> live_names;
  live_names.reserve(seen.jobs->size());
  for (const auto& job : *seen.jobs) live_names.insert(job.name);
  for (auto& [name, job] : memory.jobs) {
    const bool live = live_names.contains(name);
    if (live || settled(job.create_sent)) job.create_sent.reset();
    // Whether the run shows or not: after this time it will not come any more.
    if (settled(job.start_sent)) job.start_sent.reset();
    if (!live) {
      job.unappliable.clear();
      job.written.clear();
    }
  }
}

void note_plan(project_memory& memory, const project_plan& plan, moment now) {
  const auto note = [&](const std::map<std::string, std::string>& runs,
                        known_end job_memory::*end) {
    for (const auto& [job, run] : runs) {
      auto& known = memory.jobs[job].*end;
      if (known.run_id != run) known = {run, now.local};
    }
  };
  note(plan.newest_success, &job_memory::success);
  note(plan.newest_failure, &job_memory::failure);
  if (memory.verify.began_at && memory.verify.deployment == plan.deployment) return;
  memory.verify = verify_memory{};
  memory.verify.deployment = plan.deployment;
  memory.verify.began_at = now.local;
}

void note_check(project_memory& memory, const std::string& check, bool passed,
                const std::string& message, moment now) {
  auto& c = memory.verify.checks[check];
  c.passed = passed;
  c.message = message;
  c.last_at = now.local;
  c.failures = passed ? 0 : c.failures + 1;
}

}  // namespace cmlrec::plan
