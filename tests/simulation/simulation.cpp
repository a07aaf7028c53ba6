#include "simulation/simulation.hpp"

#include "simulation/judge.hpp"
#include "simulation/process.hpp"
#include "telemetry/make_telemetry.hpp"

#include <cmath>
#include <functional>
#include <utility>

namespace cmlrec::simulation {

using namespace std::chrono_literals;

namespace {

constexpr core::duration judged_every = 1min;
constexpr int quiet_passes = 3;

class run_of_a_seed {
 public:
  run_of_a_seed(std::uint64_t seed, bool trace)
      : told_in_json_(seed % 4 == 0),
        told_in_metrics_(seed % 16 == 0),
        random_(seed),
        plan_(draw_scenario(random_)),
        cml_(in_, plan_.of_cml, random_.fork()),
        faults_(random_.fork()),
        rules_(in_, cml_, plan_.rules, trace) {
    cml_.set_witness(&rules_);
    faults_.rate = plan_.fault_rate;
    faults_.kinds = plan_.fault_kinds;
    furnish(cml_, plan_, in_, random_);
    rules_.file_is(plan_.file);
    storm_ = plan_.calm_after.value_or(plan_.stormy_for);
    began_ = in_.now();
    draw_happenings();
  }

  outcome run() {
    begin_life();
    const auto storm_end = began_ + storm_;
    go_on_until(storm_end);
    if (plan_.calm_after && !rules_.broken()) {
      calm_down();
      settle();
    }
    told_in_full();
    outcome out;
    out.broken = rules_.broken();
    out.trace = rules_.trace();
    out.counted = rules_.counted();
    out.faults = faults_.counts;
    out.kills = kills_;
    out.stops = stops_;
    out.reloads = reloads_;
    out.deeds = deeds_;
    out.calmed = plan_.calm_after.has_value();
    out.settled_after = settled_after_;
    out.lasted = in_.now() - began_;
    return out;
  }

 private:
  core::instant some_time() { return began_ + random_.between(core::duration{0}, storm_); }

  // More often at the next write after that: there it has something to stop.
  void some_time_or_in_the_midst(std::function<void(bool in_the_midst)> what) {
    in_.at(some_time(), [this, what = std::move(what), in_the_midst = random_.chance(0.7)] {
      if (!in_the_midst) {
        what(false);
        return;
      }
      at_next_write_ = [what] { what(true); };
      writes_before_ = rules_.counted().writes;
    });
  }

  void change_the_file(bool takes_away) {
    ++reloads_;
    const auto file = edited(rules_.file(), in_.wall(), takes_away, random_);
    rules_.file_is(file);
    if (process_) process_->reload(file);
  }

  void draw_happenings() {
    for (int i = 0; i < plan_.deeds; ++i)
      in_.at(some_time(), [this] {
        const auto what = do_a_deed(cml_, rules_.file(), random_);
        rules_.note([&] { return what; });
        deeds_ += what.empty() ? 0 : 1;
      });
    for (int i = 0; i < plan_.file_changes; ++i)
      some_time_or_in_the_midst(
          [this](bool in_the_midst) { change_the_file(in_the_midst && random_.chance(0.7)); });
    for (int i = 0; i < plan_.orders; ++i)
      some_time_or_in_the_midst([this](bool) { give_an_order(); });
    for (int i = 0; i < plan_.key_troubles; ++i) {
      const auto at = some_time();
      in_.at(at, [this] { cml_.key_is_valid = false; });
      in_.at(std::min(at + random_.between(1s, 5min), began_ + storm_),
             [this] { cml_.key_is_valid = true; });
    }
    for (int i = 0; i < plan_.stops; ++i)
      in_.at(some_time(), [this] {
        if (!process_ || plan_.apply) return;
        rules_.note([] { return "SIGTERM"; });
        ++stops_;
        process_->stop();
      });
  }

  void give_an_order() {
    using kind = plan::order::kind;
    if (!process_ || process_->ended()) return;
    const auto& spec = random_.pick(rules_.file().projects);
    const double what = random_.unit();
    plan::order o;
    o.what = what < 0.35   ? kind::force
             : what < 0.6  ? kind::retry
             : what < 0.85 ? kind::suspend
                           : kind::resume;
    o.project = spec.name;
    if (random_.chance(0.5)) o.job = &random_.pick(spec.jobs);
    if (o.what == kind::suspend) {
      o.held = plan::suspension{std::nullopt, "ada"};
      if (random_.chance(0.5)) o.held->until = in_.wall() + random_.between(10s, 5min);
    }
    if (process_->demand(o)) rules_.ordered(o, spec);
  }

  void resume_everything() {
    for (const auto& spec : rules_.file().projects) {
      plan::order o;
      o.what = plan::order::kind::resume;
      o.project = spec.name;
      if (process_ && !process_->ended() && process_->demand(o)) rules_.ordered(o, spec);
    }
  }

  void begin_life() {
    const bool force = plan_.force && (plan_.apply || lives_ == 0 || plan_.journal);
    // Within FORCE_REBUILD of the daemon the journal remembers that it has been taken.
    rules_.life_begins(plan_.apply, force && (plan_.apply || lives_ == 0), plan_.journal);
    rules_.note([] { return "a process begins"; });
    life_began_ = in_.now();
    process_.emplace(in_, cml_, faults_, rules_, plan_, plan_.journal ? &disk_ : nullptr, ++lives_,
                     force, random_.fork());
    // Most lives are short: every point where it can be killed is near some seed's.
    kill_after_ = -1;
    kill_at_.reset();
    if (kills_ >= static_cast<std::size_t>(plan_.kills) || calm_) return;
    // While a write is on its way is where it hurts, and most while a run is being started.
    if (random_.chance(0.5)) {
      const auto what = random_.chance(0.4) ? &figures::starts : &figures::writes;
      const auto more = static_cast<std::size_t>(random_.between(1, 4));
      kill_at_ = sent{what, rules_.counted().*what + more};
    } else {
      kill_after_ = static_cast<long>(std::exp(random_.unit() * 7.5));
    }
  }

  void end_life(core::duration gap) {
    process_.reset();
    in_.after(gap, [this] { begin_life(); });
  }

  // One thing after the other until `end`, or until a rule is broken.
  void go_on_until(core::instant end) {
    while (!rules_.broken()) {
      if (process_ && process_->has_ready()) {
        if (kill_after_ == 0) {
          rules_.note([] { return "kill -9"; });
          ++kills_;
          end_life(random_.chance(0.5) ? random_.between(100ms, 3s) : random_.between(3s, 60s));
          continue;
        }
        if (kill_after_ > 0) --kill_after_;
        process_->run_one();
        if (at_next_write_ && rules_.counted().writes > writes_before_)
          std::exchange(at_next_write_, nullptr)();
        if (kill_at_ && rules_.counted().*kill_at_->what >= kill_at_->number) {
          kill_at_.reset();
          kill_after_ = random_.between(0, 8);
        }
        continue;
      }
      if (process_) {
        rules_.waited(process_->longest_wait());
        if (process_->ended()) {
          rules_.note([] { return "the process has ended"; });
          if (plan_.apply && calm_ && life_began_ >= calm_at_) apply_verdict_ = verdict();
          end_life(plan_.apply ? random_.between(30s, 5min) : random_.between(100ms, 30s));
          continue;
        }
      }
      if (!in_.step(end)) return;
    }
  }

  void calm_down() {
    rules_.note([] { return "---- the storm is over"; });
    calm_ = true;
    kill_after_ = -1;
    kill_at_.reset();
    at_next_write_ = nullptr;
    faults_.clear_up();
    cml_.key_is_valid = true;
    cml_.calm_down();
    // Or what is suspended stays so.
    if (plan_.orders > 0 && random_.chance(0.5)) resume_everything();
    calm_at_ = in_.now();
  }

  std::string verdict() {
    const auto forced = [this](const std::string& project, const std::string& job) {
      // Where the file changes, a job may go and come back: nothing is said of it then.
      return plan_.file_changes > 0 ? std::nullopt : rules_.last_force_of(project, job);
    };
    return judge(cml_, rules_.file_with_orders(), rules_.reports(), plan_.rules, in_.wall(),
                 forced);
  }

  void settle() {
    std::string wrong = "nothing has been judged";
    while (!rules_.broken() && !wrong.empty() && in_.now() < calm_at_ + settling_bound) {
      go_on_until(in_.now() + judged_every);
      if (!rules_.broken()) wrong = plan_.apply ? apply_verdict_ : verdict();
    }
    settled_after_ = in_.now() - calm_at_;
    if (rules_.broken()) return;
    if (!wrong.empty()) {
      rules_.violated("it gets there in the end", wrong);
      return;
    }
    stays_quiet();
  }

  // Everything is as the file says: nothing but lists.
  void stays_quiet() {
    for (const auto& [name, report] : rules_.reports())
      if (report.state != plan::project_state::converged) return;
    if (plan_.apply && plan_.force) return;  // each run of it forces anew
    for (const auto& project : rules_.file().projects)
      for (const auto& job : project.jobs)
        if (job.rerun_after && *job.rerun_after > in_.wall_at(calm_at_)) return;  // has its time
    // What people have done shows when the runs of each job have been looked at once more.
    if (plan_.deeds > 0) go_on_until(in_.now() + plan_.rules.runs_refresh + 10 * judged_every);
    for (const auto& [name, report] : rules_.reports())
      if (report.state != plan::project_state::converged) return;
    const auto from = in_.now();
    go_on_until(from + quiet_passes * plan_.rules.interval * 12 / 10);
    if (!rules_.broken() && rules_.last_write() > from)
      rules_.violated("a converged pass is nothing but lists", "there was a write");
  }

  // What operators see, as a whole. Each event and reason is looked at anyway.
  void told_in_full() {
    if (!told_in_json_) return;
    rules_.says(telemetry::status_json(rules_.reports(), "0", ""), "status");
    std::deque<reconcile::event> events(rules_.events().begin(), rules_.events().end());
    rules_.says(telemetry::events_json(events), "events");
    if (!told_in_metrics_) return;
    telemetry::options o;
    o.level = "debug";
    const auto lines = [this](std::string_view line) { rules_.says(std::string(line), "log"); };
    const auto told = telemetry::make_telemetry(o, lines, [this] { return in_.wall(); });
    for (const auto& e : events) told->on_event(e);
    for (const auto& [name, report] : rules_.reports()) told->on_report(report);
    rules_.says(told->metrics_text(), "metrics");
  }

  bool told_in_json_;  // both take a while: not with every seed
  bool told_in_metrics_;
  kernel in_;
  random_source random_;
  scenario plan_;
  world cml_;
  weather faults_;
  checker rules_;
  disk disk_;
  std::optional<process> process_;
  core::duration storm_{0};
  core::instant began_{};
  core::instant calm_at_{};
  core::instant life_began_{};
  core::duration settled_after_{0};
  std::string apply_verdict_ = "no apply has ended";
  bool calm_ = false;
  int lives_ = 0;
  long kill_after_ = -1;
  struct sent {
    std::size_t figures::*what;
    std::size_t number;
  };
  std::optional<sent> kill_at_;
  std::function<void()> at_next_write_;
  std::size_t writes_before_ = 0;
  std::size_t kills_ = 0;
  std::size_t stops_ = 0;
  std::size_t reloads_ = 0;
  std::size_t deeds_ = 0;
};

}  // namespace

outcome simulate(std::uint64_t seed, bool trace) { return run_of_a_seed(seed, trace).run(); }

}  // namespace cmlrec::simulation
