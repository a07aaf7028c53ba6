#include "plan/orders.hpp"
#include "plan/work.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <optional>

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

void begin(work& w) {
  w.plan.look_again = w.rules.interval;
  auto& report = w.plan.report;
  report.name = w.wanted.name;
  report.reachable = true;
  report.observed_at = w.now.cml;
  w.jobs.reserve(w.wanted.jobs.size());
  w.by_key.reserve(w.wanted.jobs.size());
  w.asked = asked_of(w.memory, w.wanted);
  if (w.seen.jobs) w.live_by_name.reserve(w.seen.jobs->size());
}

void begin_job(work& w, const config::job_spec& spec) {
  job_work job;
  job.spec = &spec;
  job.memory = &memory_of(w.memory, spec.name);
  job.report.key = spec.key;
  job.report.name = spec.name;
  job.report.parent_key = spec.parent_key.value_or("");
  job.report.description = spec.description;
  job.report.max_attempts = spec.retry.max_attempts;
  w.by_key[spec.key] = w.jobs.size();
  w.jobs.push_back(std::move(job));
}

void find_history(work& w, job_work& job) {
  if (job.live == nullptr) return;
  const auto history = w.seen.histories.find(job.live->id);
  if (history != w.seen.histories.end()) job.history = &history->second;
  // What was never read comes first, all at once; and what is to tell which runs are older than
  // what an operator has asked for.
  if (needs_history(w, job, false) || !w.memory.requested_at) return;
  if (job.history->began.local < *w.memory.requested_at && w.asked.contains(job.spec->name))
    read_history(w, job);
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

void finish_job(job_work& job, bool whole) {
  if (job.report.reason.empty())
    job.report.reason = whole ? "nothing is to be done" : "for the project to be ready";
  if (job.report.state == job_state::unknown && !whole) job.report.state = job_state::waiting;
}

void conclude(work& w, bool whole) {
  auto& plan = w.plan;
  auto& report = plan.report;
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

// The rules in their order, each for one thing after the other.
class planning::course {
 public:
  course(const config::project_spec& wanted, const observation& seen, const project_memory& memory,
         const policy& rules, moment now)
      : w_{wanted, seen, memory, rules, now, nullptr, {}, {}, {}, {}, {}, {}, false, {}, {}} {
    const auto once = [](auto what) {
      return step{[] { return std::size_t{1}; }, [what](std::size_t) { what(); }};
    };
    const auto each_job = [this](auto applies, auto what) {
      return step{[this, applies] { return applies() ? w_.jobs.size() : 0; },
                  [this, what](std::size_t i) { what(w_.jobs[i]); }};
    };
    const auto listed = [this] { return listed_; };
    const auto read = [this] { return listed_ && w_.plan.reads.empty(); };
    const auto always = [] { return true; };
    steps_ = {
        once([this] {
          graph_.emplace(w_.wanted.jobs);
          begin(w_);
        }),
        {[this] { return graph_->in_order().size(); },
         [this](std::size_t i) { begin_job(w_, *graph_->in_order()[i]); }},
        {[this] { return w_.seen.jobs ? w_.seen.jobs->size() : 0; },
         [this](std::size_t i) {
           const auto& live = (*w_.seen.jobs)[i];
           w_.live_by_name[live.name].push_back(&live);
         }},
        once([this] { listed_ = settle_project(w_) && w_.seen.jobs; }),
        each_job(listed, [this](job_work& job) { settle_definition(w_, job); }),
        once([this] { settle_descent(w_); }),
        each_job(listed, [this](job_work& job) { find_history(w_, job); }),
        each_job(read, [this](job_work& job) { settle_run(w_, job); }),
        once([this] {
          if (listed_ && w_.plan.reads.empty()) {
            settle_verify(w_);
            settle_orphans(w_);
            whole_ = w_.plan.reads.empty();
          }
          if (w_.held().empty()) return;
          w_.plan.reads.clear();
          whole_ = true;
        }),
        each_job(always, [this](job_work& job) { finish_job(job, whole_); }),
        once([this] {
          conclude(w_, whole_);
          // Half of the evidence is no evidence: nothing is done before the reads have been made.
          if (!w_.plan.reads.empty()) w_.plan.actions.clear();
          reports_.reserve(w_.jobs.size());
        }),
        // The report keeps the order of the file.
        {[this] { return w_.wanted.jobs.size(); },
         [this](std::size_t i) {
           reports_.push_back(std::move(w_.find(w_.wanted.jobs[i].key)->report));
         }},
        once([this] {
          w_.plan.report.jobs = core::shared_list<job_report>(std::move(reports_));
        }),
    };
  }

  bool go_on(std::size_t most) {
    for (; at_ < steps_.size(); ++at_, item_ = 0, items_.reset()) {
      // Asked but once: what the first jobs lead to must not end the rule for the others.
      if (!items_) items_ = steps_[at_].items();
      for (; item_ < *items_; ++item_) {
        if (most-- == 0) return true;
        steps_[at_].one(item_);
      }
    }
    return false;
  }

  project_plan take() { return std::move(w_.plan); }

 private:
  struct step {
    std::function<std::size_t()> items;  // how many there are, when its turn has come
    std::function<void(std::size_t)> one;
  };

  work w_;
  std::optional<job_graph> graph_;
  bool listed_ = false;  // the project is there, and so are its jobs
  bool whole_ = false;   // every rule has had its say
  std::vector<job_report> reports_;
  std::vector<step> steps_;
  std::size_t at_ = 0;
  std::size_t item_ = 0;
  std::optional<std::size_t> items_;  // of the step that is under way
};

planning::planning(const config::project_spec& wanted, const observation& seen,
                   const project_memory& memory, const policy& rules, moment now)
    : course_(std::make_unique<course>(wanted, seen, memory, rules, now)) {}
planning::~planning() = default;
bool planning::go_on(std::size_t most) { return course_->go_on(most); }
project_plan planning::take() { return course_->take(); }

project_plan decide(const config::project_spec& wanted, const observation& seen,
                    const project_memory& memory, const policy& rules, moment now) {
  planning all(wanted, seen, memory, rules, now);
  while (all.go_on(std::numeric_limits<std::size_t>::max())) {
  }
  return all.take();
}

std::vector<run_read> due_for_refresh(const config::project_spec& wanted, const observation& seen,
                                      project_memory& memory, const policy& rules, moment now) {
  std::vector<run_read> due;
  if (rules.runs_refresh <= core::duration{0} || !seen.jobs) return due;
  if (memory.rotated_at && now.local < *memory.rotated_at + rules.interval * 9 / 10) return due;
  memory.rotated_at = now.local;
  struct candidate {
    core::instant read_at;
    const cml::job* job;
    int most;
  };
  std::vector<candidate> candidates;
  std::unordered_map<std::string_view, const config::job_spec*> specs;
  specs.reserve(wanted.jobs.size());
  for (const auto& spec : wanted.jobs) specs[spec.name] = &spec;
  for (const auto& live : *seen.jobs) {
    const auto spec = specs.find(live.name);
    if (spec == specs.end()) continue;
    const auto history = seen.histories.find(live.id);
    if (history == seen.histories.end() || history->second.began.local >= seen.pass_began) continue;
    const int most = spec->second->run == config::run_policy::never ? 10 : 1000;
    candidates.push_back({history->second.began.local, &live, most});
  }
  const auto total = static_cast<std::int64_t>(candidates.size());
  const auto share = (total * rules.interval.count() + rules.runs_refresh.count() - 1) /
                     rules.runs_refresh.count();
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.read_at < b.read_at; });
  candidates.resize(static_cast<std::size_t>(std::min(share, total)));
  for (const auto& c : candidates) due.push_back({c.job->id, c.job->name, c.most});
  return due;
}

}  // namespace cmlrec::plan
