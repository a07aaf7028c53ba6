#include "reconcile/reconciler.hpp"

#include "reconcile/executor.hpp"
#include "reconcile/journal.hpp"
#include "reconcile/narrator.hpp"
#include "reconcile/turns.hpp"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>
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
  std::shared_ptr<const config::project_spec> wanted;  // another one where the file's has changed
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
  int times_held = 0;  // by an operator: what a pass that is under way has planned may be held now
  core::instant began{};
  core::instant status_at{};
  std::string status_subject;
};

enum class pass_end {
  done,
  overtaken,  // by a reload, or by an operator who suspends something: nothing was decided
};

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
        options_(std::move(o)),
        hands_{clock,
               api,
               checks,
               watcher,
               options_.call_timeout,
               [this](const std::string& project) { return journal_.written(project); },
               options_.most_at_once,
               {}},
        finished_(clock.make_alarm()),
        life_began_(clock.now()),
        journal_(
            clock, store, [this](saved_state& state, const auto* only) { gather(state, only); },
            [this](const std::string& why) { tell(severity::error, "state.not_saved", "", why); }) {
    if (store != nullptr) read_journal();
    if (options_.how == mode::dry_run) life_began_.reset();
    if (!options_.force) journal_.state().force_rebuild_taken = false;
  }

  void set_desired(config::desired_state desired) {
    hands_.file = desired.version;
    std::set<std::string> names;
    for (auto& project : desired.projects) {
      names.insert(project.name);
      const auto found = workers_.find(project.name);
      if (found != workers_.end()) {
        found->second->removed = false;
        if (!(*found->second->wanted == project))
          found->second->wanted =
              std::make_shared<const config::project_spec>(std::move(project));
        found->second->wake->ring();
        continue;
      }
      auto w = std::make_shared<worker>();
      const auto& former = journal_.state().projects;
      if (const auto saved = former.find(project.name); saved != former.end())
        w->memory = from_saved(saved->second, clock_.now());
      w->memory.life_began = life_began_;
      // Who runs `apply` again wants what had failed tried again.
      w->attempts_from_now = options_.how != mode::keep;
      if (options_.force && !journal_.state().force_rebuild_taken) w->memory.force_requested = true;
      w->wanted = std::make_shared<const config::project_spec>(std::move(project));
      w->wake = clock_.make_alarm();
      workers_[w->wanted->name] = w;
      if (running_) start(w);
    }
    for (auto& [name, w] : workers_)
      if (!names.contains(name)) {
        w->removed = true;
        w->wake->ring();
      }
    if (running_) journal_.write();
  }

  void set_rules(const plan::policy& rules, core::duration call_timeout) {
    options_.rules = rules;
    hands_.call_timeout = call_timeout;
  }

  asio::awaitable<outcome> run() {
    running_ = true;
    if (options_.force && options_.how == mode::keep) journal_.state().force_rebuild_taken = true;
    journal_.write();
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

  bool demand(const plan::order& o) {
    const auto found = workers_.find(o.project);
    if (found == workers_.end()) return false;
    if (plan::note_order(found->second->memory, o, now(hands_))) ++found->second->times_held;
    journal_.write();
    found->second->wake->ring();
    return true;
  }

  bool journal_works() const { return journal_.works(); }

  std::vector<const config::project_spec*> projects() const {
    std::vector<const config::project_spec*> out;
    for (const auto& [name, w] : workers_)
      if (!w->removed) out.push_back(w->wanted.get());
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

  std::map<std::string, plan::project_plan> plans() const {
    std::map<std::string, plan::project_plan> out;
    for (const auto& [name, w] : workers_)
      if (!w->plan.report.name.empty()) out[name] = w->plan;
    return out;
  }

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
      if (passed && *passed == pass_end::overtaken) continue;
      w->passed_once = true;
      core::duration wait{};
      if (passed) {
        wait = succeeded(*w);
      } else {
        auto shown = failed(*w, passed.error());
        wait = co_await std::move(shown);
      }
      watcher_.on_pass(w->wanted->name, result_of(w->plan.report.state), clock_.now() - began);
      if (is_over(*w)) break;
      if (wait > core::duration{0} && !stopping_) co_await w->wake->wait_until(clock_.now() + wait);
    }
    if (w->removed) {
      workers_.erase(w->wanted->name);
      watcher_.on_removed(w->wanted->name);
      journal_.write();
    }
  }

  // Observe, plan, execute: once.
  asio::awaitable<core::result<pass_end>> pass(worker& w) {
    // A reload or an operator may come whenever others have their turn: one pass is about one file.
    const auto wanted = w.wanted;
    const auto is_current = [&w, wanted, held = w.times_held] {
      return !w.removed && w.wanted == wanted && w.times_held == held;
    };
    const auto rules = options_.rules;
    w.seen.username = username_;
    auto observed = co_await observe(hands_, *wanted, w.seen, w.memory, rules);
    if (!observed) co_return observed.error();
    plan::project_plan plan;
    for (;;) {
      auto at = now(hands_);
      at.cml = plan::calendar(w.seen, at.cml);
      plan::note_observed(w.memory, *wanted, w.seen, rules, at);
      co_await let_others_go_on();
      plan::planning deciding(*wanted, w.seen, w.memory, rules, at);
      for (bool more = deciding.go_on(jobs_per_turn); more; more = deciding.go_on(jobs_per_turn))
        co_await let_others_go_on();
      plan = deciding.take();
      if (!plan.reads.empty()) {
        auto reads = std::move(plan.reads);
        auto reading = read_histories(hands_, plan.report.id, std::move(reads), w.seen);
        auto read = co_await std::move(reading);
        if (!read) co_return read.error();
        continue;
      }
      if (w.attempts_from_now) {
        // Who runs `apply` again wants what had failed by then tried again.
        w.attempts_from_now = false;
        plan::stamp_attempts(w.memory, *wanted, w.seen);
        continue;
      }
      if (!plan::has_requests(w.memory, *wanted, w.seen)) break;
      plan::stamp_force(w.memory, *wanted, w.seen, at);
      plan::stamp_retries(w.memory, *wanted, w.seen);
      journal_.write();
    }
    // Nothing is begun that the newest file may not want any more, or that is held still by now.
    if (!is_current()) co_return pass_end::overtaken;
    plan::note_plan(w.memory, plan, now(hands_));
    auto published = publish(w, std::move(plan));
    co_await std::move(published);
    if (options_.how == mode::dry_run) co_return pass_end::done;
    auto actions = std::move(w.plan.actions);
    w.plan.actions.clear();
    auto may_begin = [this, is_current] { return !stopping_ && is_current(); };
    auto deeds =
        execute(hands_, wanted->name, std::move(actions), std::move(may_begin), w.seen, w.memory);
    auto executed = co_await std::move(deeds);
    if (!executed) co_return executed.error();
    co_return pass_end::done;
  }

  asio::awaitable<void> publish(worker& w, plan::project_plan plan) {
    {
      narrator news(w.plan.report, plan.report, clock_.wall());
      for (;;) {
        for (const auto& e : news.go_on(jobs_per_turn)) watcher_.on_event(e);
        if (news.is_done()) break;
        co_await let_others_go_on();
      }
    }
    auto old = std::exchange(w.plan, std::move(plan));
    watcher_.on_report(w.plan.report);
    finished_->ring();  // the status line may have news
    auto gone = discard(old.report.jobs.release());
    co_await std::move(gone);
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

  asio::awaitable<core::duration> failed(worker& w, core::error why) {
    ++w.failed_passes;
    w.trouble = why;
    if (!w.unreachable_since) w.unreachable_since = clock_.now();
    auto report = w.plan.report;
    report.name = w.wanted->name;
    plan::project_plan plan;
    plan.look_again = w.plan.look_again;
    plan.report = plan::unreachable(std::move(report), core::describe(why));
    auto published = publish(w, std::move(plan));
    co_await std::move(published);
    if (why.kind == core::error_kind::credentials) co_return slow_probe;
    auto wait = std::chrono::duration_cast<core::duration>(std::chrono::seconds{1});
    for (int i = 1; i < w.failed_passes && wait < longest_backoff; ++i) wait *= 2;
    wait = std::min(wait, longest_backoff);
    // Full jitter above a floor, so that many daemons do not come back as one.
    co_return wait / 2 + std::chrono::duration_cast<core::duration>(wait / 2 * options_.random());
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
      return "project " + w.wanted->name + ": waiting for CML to answer for " +
             core::format_duration(at - w.began);
    if (w.trouble)
      return "project " + w.wanted->name + ": unreachable for " +
             core::format_duration(at - *w.unreachable_since) + ": " + core::describe(*w.trouble);
    return plan::activity_line(w.plan.report, api_.server_time());
  }

  // A journal that is complete says which writes may still be under way. One that was begun less
  // than write_settle ago does not know of those before it, nor does one whose newest lines may have
  // gone with the machine.
  void read_journal() {
    auto& saved = journal_.state();
    if (!journal_.load()) {
      saved.complete_from = clock_.wall() + options_.rules.write_settle;
      return;
    }
    life_began_.reset();
    if (!saved.of_this_boot) saved.complete_from = clock_.wall() + options_.rules.write_settle;
    saved.of_this_boot = true;
    if (!saved.complete_from) return;
    const auto left = *saved.complete_from - clock_.wall();
    if (left <= core::duration{0}) return;
    life_began_ =
        clock_.now() - options_.rules.write_settle + std::min(left, options_.rules.write_settle);
  }

  void gather(saved_state& state, const std::set<std::string>* only) const {
    for (const auto& [name, w] : workers_)
      if (only == nullptr || only->contains(name)) state.projects[name] = to_saved(w->memory);
  }

  asio::any_io_executor executor_;
  core::clock& clock_;
  cml::api& api_;
  observer& watcher_;
  options options_;
  hands hands_;
  std::unique_ptr<core::alarm> finished_;
  std::optional<core::instant> life_began_;  // nothing: no write of a former life is unknown
  std::map<std::string, std::shared_ptr<worker>> workers_;
  journal journal_;
  std::string username_;
  int active_ = 0;
  bool running_ = false;
  bool stopping_ = false;
  bool reached_once_ = false;
  bool out_of_time_ = false;
  bool crashed_ = false;
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
bool reconciler::demand(const plan::order& o) { return impl_->demand(o); }
bool reconciler::journal_works() const { return impl_->journal_works(); }
std::vector<const config::project_spec*> reconciler::projects() const { return impl_->projects(); }
bool reconciler::first_pass_done() const { return impl_->first_pass_done(); }
bool reconciler::reachable() const { return impl_->reachable(); }
std::map<std::string, plan::project_plan> reconciler::plans() const { return impl_->plans(); }

}  // namespace cmlrec::reconcile
