#include "reconcile/reconciler.hpp"

#include "reconcile/executor.hpp"
#include "reconcile/narrator.hpp"

#include <algorithm>
#include <exception>
#include <set>
#include <vector>

#include <boost/asio/co_spawn.hpp>

namespace cmlrec::reconcile {
namespace {

namespace asio = boost::asio;

constexpr core::duration slow_probe = std::chrono::seconds{60};
constexpr core::duration longest_backoff = std::chrono::seconds{60};
constexpr core::duration status_every = std::chrono::seconds{9};
constexpr core::duration subject_change_after = std::chrono::seconds{1};
constexpr core::duration first_contact_patience = std::chrono::seconds{60};

struct worker {
  config::project_spec wanted;
  plan::project_memory memory;
  plan::observation seen;
  plan::project_plan plan;
  std::unique_ptr<core::alarm> wake;
  std::optional<core::error> trouble;  // of the newest pass
  std::optional<core::instant> unreachable_since;
  int failed_passes = 0;
  bool passed_once = false;
  bool removed = false;
  bool attempts_from_now = false;
  core::instant began{};
  core::instant status_at{};
  std::string status_subject;
};

enum class pass_end {
  done,
  by_another_file,  // a reload came while CML was read: nothing was decided
};

saved_project to_saved(const plan::project_memory& m) {
  saved_project out;
  out.create_sent = m.create_sent.has_value();
  out.force_requested = m.force_requested;
  out.force_at = m.force_at;
  out.jobs_to_force = m.jobs_to_force;
  out.retry_requested = m.retry_requested;
  out.jobs_to_retry = m.jobs_to_retry;
  out.suspended = m.suspended;
  for (const auto& [name, job] : m.jobs) {
    saved_job j{job.create_sent.has_value(), job.start_sent.has_value(), job.force_at,
                job.attempts_from, job.suspended};
    if (!(j == saved_job{})) out.jobs[name] = j;
  }
  return out;
}

// The steady clock of a former life says nothing: what was under way then is taken as sent now.
plan::project_memory from_saved(const saved_project& saved, core::instant now) {
  plan::project_memory m;
  if (saved.create_sent) m.create_sent = now;
  m.force_requested = saved.force_requested;
  m.force_at = saved.force_at;
  m.jobs_to_force = saved.jobs_to_force;
  m.retry_requested = saved.retry_requested;
  m.jobs_to_retry = saved.jobs_to_retry;
  m.suspended = saved.suspended;
  for (const auto& [name, job] : saved.jobs) {
    auto& j = m.jobs[name];
    if (job.create_sent) j.create_sent = now;
    if (job.start_sent) j.start_sent = now;
    j.force_at = job.force_at;
    j.attempts_from = job.attempts_from;
    j.suspended = job.suspended;
  }
  return m;
}

pass_result result_of(plan::project_state state) {
  switch (state) {
    case plan::project_state::converged:
      return pass_result::converged;
    case plan::project_state::degraded:
      return pass_result::degraded;
    case plan::project_state::suspended:
      return pass_result::suspended;
    case plan::project_state::unreachable:
      return pass_result::failed;
    case plan::project_state::progressing:
      return pass_result::progressing;
  }
  return pass_result::progressing;
}

}  // namespace

class reconciler::impl {
 public:
  impl(asio::any_io_executor executor, core::clock& clock, cml::api& api, prober& checks,
       observer& watcher, state_store* store, options o)
      : executor_(std::move(executor)),
        clock_(clock),
        api_(api),
        watcher_(watcher),
        store_(store),
        options_(std::move(o)),
        hands_{clock, api, checks, watcher, options_.call_timeout, [this] { remember(); }, {}},
        finished_(clock.make_alarm()),
        life_began_(clock.now()) {
    if (store_ != nullptr) read_journal();
    if (options_.how == mode::dry_run) life_began_.reset();
    if (!options_.force) saved_.force_rebuild_taken = false;
  }

  void set_desired(config::desired_state desired) {
    hands_.file = desired.version;
    std::set<std::string> names;
    for (auto& project : desired.projects) {
      names.insert(project.name);
      const auto found = workers_.find(project.name);
      if (found != workers_.end()) {
        found->second->removed = false;
        found->second->wanted = std::move(project);
        found->second->wake->ring();
        continue;
      }
      auto w = std::make_shared<worker>();
      if (const auto saved = saved_.projects.find(project.name); saved != saved_.projects.end())
        w->memory = from_saved(saved->second, clock_.now());
      w->memory.life_began = life_began_;
      // Who runs `apply` again wants what had failed tried again.
      w->attempts_from_now = options_.how != mode::keep;
      if (options_.force && !saved_.force_rebuild_taken) w->memory.force_requested = true;
      w->wanted = std::move(project);
      w->wake = clock_.make_alarm();
      workers_[w->wanted.name] = w;
      if (running_) start(w);
    }
    for (auto& [name, w] : workers_)
      if (!names.contains(name)) {
        w->removed = true;
        w->wake->ring();
      }
    if (running_) remember();
  }

  void set_rules(const plan::policy& rules, core::duration call_timeout) {
    options_.rules = rules;
    hands_.call_timeout = call_timeout;
  }

  asio::awaitable<outcome> run() {
    running_ = true;
    if (options_.force && options_.how == mode::keep) saved_.force_rebuild_taken = true;
    remember();
    const auto deadline = clock_.now() + options_.once_timeout;
    if (!co_await check_key()) {
      if (options_.how != mode::keep) co_return outcome::refused;
    }
    for (auto& [name, w] : workers_) start(w);
    while (active_ > 0) {
      auto until = stopping_ ? core::instant::max() : status_lines();
      if (options_.how != mode::keep && !stopping_) until = std::min(until, deadline);
      const auto latest = clock_.now() + std::chrono::hours{1};
      co_await finished_->wait_until(std::min(until, latest));
      if (options_.how != mode::keep && clock_.now() >= deadline && !stopping_) {
        out_of_time_ = true;
        stop();
      }
    }
    co_return verdict();
  }

  void stop() {
    stopping_ = true;
    for (auto& [name, w] : workers_) w->wake->ring();
    finished_->ring();
  }

  void reconcile_now() {
    for (auto& [name, w] : workers_) w->wake->ring();
  }

  bool demand(const order& o) {
    const auto found = workers_.find(o.project);
    if (found == workers_.end()) return false;
    auto& memory = found->second->memory;
    switch (o.what) {
      case order::kind::force:
        o.job ? void(memory.jobs_to_force.insert(o.job->key)) : void(memory.force_requested = true);
        break;
      case order::kind::retry:
        o.job ? void(memory.jobs_to_retry.insert(o.job->key)) : void(memory.retry_requested = true);
        break;
      case order::kind::suspend:
        (o.job ? memory.jobs[o.job->name].suspended : memory.suspended) = o.held;
        break;
      case order::kind::resume:
        if (o.job) {
          memory.jobs[o.job->name].suspended.reset();
          break;
        }
        memory.suspended.reset();
        for (auto& [name, job] : memory.jobs) job.suspended.reset();
        break;
    }
    remember();
    found->second->wake->ring();
    return true;
  }

  bool journal_works() const { return store_ != nullptr && !store_failed_; }

  std::vector<const config::project_spec*> projects() const {
    std::vector<const config::project_spec*> out;
    for (const auto& [name, w] : workers_)
      if (!w->removed) out.push_back(&w->wanted);
    return out;
  }

  bool first_pass_done() const {
    return !workers_.empty() && std::all_of(workers_.begin(), workers_.end(),
                                            [](const auto& e) { return e.second->passed_once; });
  }

  bool reachable() const {
    return !workers_.empty() && std::all_of(workers_.begin(), workers_.end(), [](const auto& e) {
      return e.second->passed_once && !e.second->trouble;
    });
  }

  const std::map<std::string, plan::project_plan>& plans() const { return plans_; }

 private:
  void start(const std::shared_ptr<worker>& w) {
    ++active_;
    w->began = w->status_at = clock_.now();
    asio::co_spawn(executor_, keep_in_step(w), [this](std::exception_ptr e) {
      --active_;
      if (e) {
        tell(severity::error, "worker.crashed", "", message_of(e));
        crashed_ = true;
        stop();
      }
      finished_->ring();
    });
  }

  static std::string message_of(const std::exception_ptr& e) {
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& x) {
      return x.what();
    } catch (...) {
      return "an unknown exception";
    }
  }

  void tell(severity level, const std::string& name, const std::string& project,
            const std::string& message) {
    watcher_.on_event({clock_.wall(), level, name, project, "", message});
  }

  // Says at once, and in words of its own, that a key is refused; any other trouble is left to the
  // first pass.
  asio::awaitable<bool> check_key() {
    const auto deadline = clock_.now() + std::chrono::seconds{5};
    const auto r = co_await api_.validate_key(deadline);
    if (r && r->valid) {
      username_ = r->username;
      co_return true;
    }
    std::string why;
    if (r)
      why = "CML says that the API key is not valid" +
            (r->message.empty() ? std::string() : ": " + r->message);
    else if (r.error().kind == core::error_kind::credentials)
      why = core::describe(r.error());
    else
      co_return true;
    tell(severity::error, "key.refused", "",
         why + "; give a valid API v2 key in CML_API_KEY or CML_API_KEY_FILE");
    co_return false;
  }

  asio::awaitable<void> keep_in_step(std::shared_ptr<worker> w) {
    while (!stopping_ && !w->removed) {
      const auto began = clock_.now();
      auto passed = co_await pass(*w);
      if (w->removed) break;
      if (passed && *passed == pass_end::by_another_file) continue;
      w->passed_once = true;
      core::duration wait = passed ? succeeded(*w) : failed(*w, passed.error());
      watcher_.on_pass(w->wanted.name, result_of(w->plan.report.state), clock_.now() - began);
      if (is_over(*w)) break;
      if (wait > core::duration{0} && !stopping_) co_await w->wake->wait_until(clock_.now() + wait);
    }
    if (w->removed) {
      workers_.erase(w->wanted.name);
      plans_.erase(w->wanted.name);
      watcher_.on_removed(w->wanted.name);
      remember();
    }
  }

  // Observe, plan, execute: once.
  asio::awaitable<core::result<pass_end>> pass(worker& w) {
    // A reload may come while we wait for CML: one pass is about one file.
    const auto wanted = w.wanted;
    const auto rules = options_.rules;
    w.seen.username = username_;
    auto observed = co_await observe(hands_, wanted, w.seen, w.memory, rules);
    if (!observed) co_return observed.error();
    plan::project_plan plan;
    for (;;) {
      auto at = now(hands_);
      at.cml = plan::calendar(w.seen, at.cml);
      plan::note_observed(w.memory, wanted, w.seen, rules, at);
      plan = plan::decide(wanted, w.seen, w.memory, rules, at);
      if (!plan.reads.empty()) {
        auto read = co_await read_histories(hands_, plan.report.id, plan.reads, w.seen);
        if (!read) co_return read.error();
        continue;
      }
      if (w.attempts_from_now) {
        // Who runs `apply` again wants what had failed by then tried again.
        w.attempts_from_now = false;
        plan::stamp_attempts(w.memory, wanted, w.seen);
        continue;
      }
      if (!plan::has_requests(w.memory, wanted, w.seen)) break;
      plan::stamp_force(w.memory, wanted, w.seen, at);
      plan::stamp_retries(w.memory, wanted, w.seen);
      remember();
    }
    // Nothing is begun that the newest file may not want any more.
    if (w.removed || !(w.wanted == wanted)) co_return pass_end::by_another_file;
    plan::note_plan(w.memory, plan, now(hands_));
    publish(w, plan);
    if (options_.how == mode::dry_run || plan.actions.empty() || stopping_)
      co_return pass_end::done;
    auto actions = plan.actions;
    auto executed = co_await execute(hands_, wanted.name, std::move(actions), w.seen, w.memory);
    if (!executed) co_return executed.error();
    co_return pass_end::done;
  }

  void publish(worker& w, const plan::project_plan& plan) {
    for (const auto& e : narrate(w.plan.report, plan.report, clock_.wall())) watcher_.on_event(e);
    w.plan = plan;
    plans_[w.wanted.name] = plan;
    watcher_.on_report(plan.report);
    finished_->ring();  // the status line may have news
  }

  core::duration succeeded(worker& w) {
    w.failed_passes = 0;
    w.trouble.reset();
    w.unreachable_since.reset();
    reached_once_ = true;
    auto wait = w.plan.look_again;
    if (wait >= options_.rules.interval)
      wait += std::chrono::duration_cast<core::duration>(options_.rules.interval *
                                                         (0.2 * options_.random() - 0.1));
    return wait;
  }

  core::duration failed(worker& w, const core::error& why) {
    ++w.failed_passes;
    w.trouble = why;
    if (!w.unreachable_since) w.unreachable_since = clock_.now();
    auto report = w.plan.report;
    report.name = w.wanted.name;
    auto plan = w.plan;
    plan.report = plan::unreachable(std::move(report), core::describe(why));
    plan.actions.clear();
    plan.final = false;
    publish(w, plan);
    if (why.kind == core::error_kind::credentials) return slow_probe;
    auto wait = std::chrono::duration_cast<core::duration>(std::chrono::seconds{1});
    for (int i = 1; i < w.failed_passes && wait < longest_backoff; ++i) wait *= 2;
    wait = std::min(wait, longest_backoff);
    // Full jitter above a floor, so that many daemons do not come back as one.
    return wait / 2 + std::chrono::duration_cast<core::duration>(wait / 2 * options_.random());
  }

  bool is_over(const worker& w) const {
    if (options_.how == mode::keep) return false;
    if (!w.trouble) return w.plan.final || options_.how == mode::dry_run;
    if (w.trouble->kind == core::error_kind::credentials) return true;
    // A command has somebody in front of it who can mend it.
    if (w.trouble->permanent && !reached_once_) return true;
    const auto patience = reached_once_ ? options_.once_patience
                                        : std::min(options_.once_patience, first_contact_patience);
    return clock_.now() - *w.unreachable_since >= patience;
  }

  outcome verdict() const {
    bool bad = crashed_;
    for (const auto& [name, w] : workers_) {
      if (w->trouble)
        return w->trouble->kind == core::error_kind::credentials ? outcome::refused
                                                                 : outcome::unreachable;
      bad = bad || w->plan.report.state == plan::project_state::degraded;
    }
    if (out_of_time_) return outcome::unreachable;
    if (stopping_ && !crashed_) return outcome::stopped;
    return bad ? outcome::failed : outcome::done;
  }

  // While something is in progress, a line at least every ten seconds says what. When the next one
  // is due, unless a pass brings news before.
  core::instant status_lines() {
    const auto at = clock_.now();
    auto next = core::instant::max();
    for (auto& [name, w] : workers_) {
      const auto line = line_of(*w, at);
      if (line.empty()) continue;
      const auto subject = line.substr(0, line.find(':'));
      auto due =
          w->status_at + (subject == w->status_subject ? status_every : subject_change_after);
      if (at >= due) {
        w->status_subject = subject;
        w->status_at = at;
        tell(severity::info, "status", name, line);
        due = at + status_every;
      }
      next = std::min(next, due);
    }
    return next;
  }

  std::string line_of(const worker& w, core::instant at) const {
    if (!w.passed_once)
      return "project " + w.wanted.name + ": waiting for CML to answer for " +
             core::format_duration(at - w.began);
    if (w.trouble)
      return "project " + w.wanted.name + ": unreachable for " +
             core::format_duration(at - *w.unreachable_since) + ": " + core::describe(*w.trouble);
    return plan::activity_line(w.plan.report, api_.server_time());
  }

  // A journal that is complete says which writes may still be under way. One that was begun less
  // than write_settle ago does not know of those before it.
  void read_journal() {
    auto saved = store_->load();
    if (!saved) {
      saved_.complete_from = clock_.wall() + options_.rules.write_settle;
      return;
    }
    saved_ = std::move(*saved);
    life_began_.reset();
    if (!saved_.complete_from) return;
    const auto left = *saved_.complete_from - clock_.wall();
    if (left <= core::duration{0}) return;
    life_began_ =
        clock_.now() - options_.rules.write_settle + std::min(left, options_.rules.write_settle);
  }

  void remember() {
    if (store_ == nullptr) return;
    for (const auto& [name, w] : workers_) saved_.projects[name] = to_saved(w->memory);
    std::string why;
    if (store_->save(saved_, why)) {
      store_failed_ = false;
    } else if (!store_failed_) {
      store_failed_ = true;
      tell(severity::error, "state.not_saved", "", why);
    }
  }

  asio::any_io_executor executor_;
  core::clock& clock_;
  cml::api& api_;
  observer& watcher_;
  state_store* store_;
  options options_;
  hands hands_;
  std::unique_ptr<core::alarm> finished_;
  std::optional<core::instant> life_began_;  // nothing: no write of a former life is unknown
  std::map<std::string, std::shared_ptr<worker>> workers_;
  std::map<std::string, plan::project_plan> plans_;
  saved_state saved_;
  std::string username_;
  int active_ = 0;
  bool running_ = false;
  bool stopping_ = false;
  bool reached_once_ = false;
  bool out_of_time_ = false;
  bool crashed_ = false;
  bool store_failed_ = false;
};

reconciler::reconciler(asio::any_io_executor executor, core::clock& clock, cml::api& api,
                       prober& checks, observer& watcher, state_store* store, options o)
    : impl_(std::make_shared<impl>(std::move(executor), clock, api, checks, watcher, store,
                                   std::move(o))) {}
reconciler::~reconciler() = default;
void reconciler::set_desired(config::desired_state desired) {
  impl_->set_desired(std::move(desired));
}
void reconciler::set_rules(const plan::policy& rules, core::duration call_timeout) {
  impl_->set_rules(rules, call_timeout);
}
asio::awaitable<outcome> reconciler::run() { return impl_->run(); }
void reconciler::stop() { impl_->stop(); }
void reconciler::reconcile_now() { impl_->reconcile_now(); }
bool reconciler::demand(const order& o) { return impl_->demand(o); }
bool reconciler::journal_works() const { return impl_->journal_works(); }
std::vector<const config::project_spec*> reconciler::projects() const { return impl_->projects(); }
bool reconciler::first_pass_done() const { return impl_->first_pass_done(); }
bool reconciler::reachable() const { return impl_->reachable(); }
const std::map<std::string, plan::project_plan>& reconciler::plans() const {
  return impl_->plans();
}

}  // namespace cmlrec::reconcile
