#include "plan/work.hpp"

#include <algorithm>

namespace cmlrec::plan {

job_work* work::find(const std::string& key) {
  const auto found = by_key.find(key);
  return found == by_key.end() ? nullptr : &jobs[found->second];
}

void work::look_within(core::duration wait) {
  plan.look_again = std::min(plan.look_again, std::max(wait, core::duration{100}));
}

void work::wait_until_local(core::instant at) { look_within(at - now.local); }

void work::in_progress(const std::string& activity) {
  busy = true;
  if (plan.report.activity.empty()) plan.report.activity = activity;
}

namespace {

std::string words(const suspension& s) {
  return "suspended " + (s.until ? "until " + core::format_timestamp(*s.until) : "until resumed") +
         (s.by.empty() ? "" : " by " + s.by);
}

}  // namespace

std::string work::held() const {
  if (wanted.suspend) return "suspended in the file";
  const auto* by_operator = active(memory.suspended, now.cml);
  return by_operator ? words(*by_operator) : "";
}

std::string work::held(const job_work& job) {
  if (job.spec->suspend) return "suspended in the file";
  const auto* by_operator = active(job.memory->suspended, now.cml);
  if (!by_operator) return "";
  if (by_operator->until) look_within(*by_operator->until - now.cml);
  return words(*by_operator);
}

bool work::absence_is_certain(const std::optional<core::instant>& sent, std::string& why) {
  const auto certain_from = [&](core::instant at) { return at + rules.write_settle; };
  if (sent && seen.pass_began < certain_from(*sent)) {
    why = "a request was sent " + core::format_duration(now.local - *sent) +
          " ago and may still take effect; looked up until " +
          core::format_duration(rules.write_settle) + " have passed";
    wait_until_local(certain_from(*sent));
    look_within(poll_after(now.local - *sent));
    return false;
  }
  if (memory.life_began && seen.pass_began < certain_from(*memory.life_began)) {
    why = "a former process may have asked for it just before this one began; looked up for " +
          core::format_duration(certain_from(*memory.life_began) - now.local) +
          " more (--state-dir spares this wait)";
    wait_until_local(certain_from(*memory.life_began));
    look_within(poll_after(now.local - *memory.life_began));
    return false;
  }
  return true;
}

bool work::may_repeat(const std::map<action_kind, refusal>& refused, action_kind kind,
                      const std::string& write_hash, std::string& why) {
  const auto found = refused.find(kind);
  if (found == refused.end() || found->second.write_hash != write_hash) return true;
  const auto& r = found->second;
  const auto next = r.last_at + refusal_wait(r.count);
  if (now.local >= next) return true;
  // Without a time that runs: a trouble that changes with every pass would be news with every pass.
  why = r.message + "; tried again " + core::format_duration(refusal_wait(r.count)) +
        " after attempt " + std::to_string(r.count);
  wait_until_local(next);
  return false;
}

const job_memory& memory_of(const project_memory& memory, const std::string& job_name) {
  static const job_memory nothing;
  const auto found = memory.jobs.find(job_name);
  return found == memory.jobs.end() ? nothing : found->second;
}

namespace {

void begin(work& w, const job_graph& graph) {
  w.plan.look_again = w.rules.interval;
  auto& report = w.plan.report;
  report.name = w.wanted.name;
  report.reachable = true;
  report.observed_at = w.now.cml;
  for (const auto* spec : graph.in_order()) {
    job_work job;
    job.spec = spec;
    job.memory = &memory_of(w.memory, spec->name);
    job.report.key = spec->key;
    job.report.name = spec->name;
    job.report.parent_key = spec->parent_key.value_or("");
    job.report.description = spec->description;
    job.report.max_attempts = spec->retry.max_attempts;
    w.by_key[spec->key] = w.jobs.size();
    w.jobs.push_back(std::move(job));
  }
  if (w.seen.jobs)
    for (const auto& live : *w.seen.jobs) w.live_by_name[live.name].push_back(&live);
}

bool is_settled(const job_work& job) {
  switch (job.report.state) {
    case job_state::up_to_date:
    case job_state::watched:
      return true;
    default:
      return false;
  }
}

void finish(work& w, bool whole) {
  auto& plan = w.plan;
  auto& report = plan.report;
  // The report keeps the order of the file.
  for (const auto& spec : w.wanted.jobs) {
    auto& job = *w.find(spec.key);
    if (job.report.reason.empty())
      job.report.reason = whole ? "nothing is to be done" : "for the project to be ready";
    if (job.report.state == job_state::unknown && !whole) job.report.state = job_state::waiting;
    report.jobs.push_back(job.report);
  }
  const auto is_held = [](const difference& d) {
    return d.note.find("acts when a project is created") == std::string::npos;
  };
  report.in_sync = whole &&
                   std::none_of(report.differences.begin(), report.differences.end(), is_held) &&
                   std::all_of(w.jobs.begin(), w.jobs.end(), [](const job_work& j) {
                     return j.live != nullptr && j.report.differences.empty();
                   });
  report.healthy = whole && std::all_of(w.jobs.begin(), w.jobs.end(), is_settled);
  for (const auto& trouble : w.troubles) report.reasons.push_back(trouble);

  const bool some_suspended = std::any_of(w.jobs.begin(), w.jobs.end(), [](const job_work& j) {
    return j.report.state == job_state::suspended;
  });
  if (const auto why = w.held(); !why.empty()) {
    plan.actions.clear();
    report.state = project_state::suspended;
    report.reasons = {"the project is " + why + ": it is watched and left alone"};
    if (w.memory.suspended && w.memory.suspended->until)
      w.look_within(*w.memory.suspended->until - w.now.cml);
    report.activity.clear();
    w.busy = false;
  } else if (!w.troubles.empty()) {
    report.state = project_state::degraded;
  } else if (w.busy || !plan.actions.empty()) {
    report.state = project_state::progressing;
    if (!report.activity.empty()) report.reasons.push_back(report.activity);
  } else if (some_suspended) {
    report.state = project_state::suspended;
    for (const auto& job : w.jobs)
      if (job.report.state == job_state::suspended)
        report.reasons.push_back(job.spec->key + " is suspended");
  } else if (!report.healthy) {
    // Nothing is under way and not everything is as the file says: whatever the reason, it is said.
    report.state = project_state::degraded;
    for (const auto& job : w.jobs)
      if (!is_settled(job))
        report.reasons.push_back(job.spec->key + ": " + to_string(job.report.state) + ", " +
                                 job.report.reason);
  } else {
    report.state = project_state::converged;
  }
  plan.final = !w.busy && plan.actions.empty();
  if (!plan.actions.empty()) plan.look_again = core::duration{0};
}

}  // namespace

project_plan decide(const config::project_spec& wanted, const observation& seen,
                    const project_memory& memory, const policy& rules, moment now) {
  const job_graph graph(wanted.jobs);
  work w{wanted, seen, memory, rules, now, nullptr, {}, {}, {}, {}, {}, false, {}};
  begin(w, graph);
  bool whole = false;
  if (settle_project(w) && seen.jobs) {
    settle_definitions(w);
    for (auto& job : w.jobs) {
      if (job.live == nullptr) continue;
      const auto history = seen.histories.find(job.live->id);
      if (history != seen.histories.end()) job.history = &history->second;
    }
    whole = settle_runs(w);
    if (whole) {
      settle_verify(w);
      settle_orphans(w);
      whole = w.plan.reads.empty();
    }
  }
  const bool held = !w.held().empty();
  if (held) w.plan.reads.clear();
  finish(w, whole || held);
  // Half of the evidence is no evidence: nothing is done before the reads have been made.
  if (!w.plan.reads.empty()) w.plan.actions.clear();
  return std::move(w.plan);
}

std::vector<run_read> due_for_refresh(const config::project_spec& wanted, const observation& seen,
                                      project_memory& memory, const policy& rules, moment now) {
  std::vector<run_read> due;
  if (rules.runs_refresh <= core::duration{0} || !seen.jobs) return due;
  if (memory.rotated_at && now.local < *memory.rotated_at + rules.interval * 9 / 10) return due;
  memory.rotated_at = now.local;
  struct candidate {
    core::instant read_at;
    run_read read;
  };
  std::vector<candidate> candidates;
  std::map<std::string_view, const config::job_spec*> specs;
  for (const auto& spec : wanted.jobs) specs[spec.name] = &spec;
  for (const auto& live : *seen.jobs) {
    const auto spec = specs.find(live.name);
    if (spec == specs.end()) continue;
    const auto history = seen.histories.find(live.id);
    if (history == seen.histories.end() || history->second.began.local >= seen.pass_began) continue;
    const int most = spec->second->run == config::run_policy::never ? 10 : 1000;
    candidates.push_back({history->second.began.local, {live.id, live.name, most}});
  }
  const auto total = static_cast<std::int64_t>(candidates.size());
  const auto share = (total * rules.interval.count() + rules.runs_refresh.count() - 1) /
                     rules.runs_refresh.count();
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.read_at < b.read_at; });
  for (std::int64_t i = 0; i < std::min(share, total); ++i)
    due.push_back(candidates[static_cast<std::size_t>(i)].read);
  return due;
}

}  // namespace cmlrec::plan
