// What runs do: from SCHEDULING to their end, and what CML starts because of it.
#include "simulation/world.hpp"

#include <algorithm>

namespace cmlrec::simulation {

using cml::run_state;
using namespace std::chrono_literals;

namespace {

std::int64_t number_in(const core::field_set& fields, const char* name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return 0;
  const auto* value = std::get_if<std::int64_t>(&found->second);
  return value == nullptr ? 0 : *value;
}

bool flag_in(const core::field_set& fields, const char* name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return false;
  const auto* value = std::get_if<bool>(&found->second);
  return value != nullptr && *value;
}

bool has_schedule(const core::field_set& fields) {
  const auto found = fields.find("schedule");
  if (found == fields.end()) return false;
  const auto* value = std::get_if<core::text>(&found->second);
  return value != nullptr && !value->value.empty();
}

}  // namespace

sim_run& world::begin(sim_job& job, origin by, int life, const std::optional<core::text_map>& env) {
  sim_run r;
  r.run.id = "run" + std::to_string(1'000'000 + ++last_run_);
  r.run.job_id = job.job.id;
  r.run.state = run_state::scheduling;
  r.run.status = word_of(r.run.state);
  r.run.creator = by == origin::person ? "anna" : job.job.creator;
  r.run.created_at = in_.wall();
  if (by == origin::child_start)
    *r.run.created_at -= random_.between(core::duration{0}, temper_.stamp_skew);
  const auto found = job.job.fields.find("environment");
  if (found != job.job.fields.end())
    if (const auto* own = std::get_if<core::text_map>(&found->second)) r.run.environment = *own;
  if (env)
    for (const auto& [key, value] : *env) r.run.environment[key] = core::text{value.value};
  r.by = by;
  r.life = life;
  r.began = in_.now();
  if (temper_.updated_at_moves) job.job.updated_at = in_.wall() + 1s;
  job.runs.push_back(r);
  tell([&] { return "run " + r.run.id + " of " + job.job.name + " begins, by " + to_string(by); });
  let_it_run(job, job.forgotten + job.runs.size() - 1);
  return job.runs.back();
}

void world::change(sim_job& job, std::size_t number, core::duration after, run_state to,
                   std::string word) {
  in_.after(after, [this, &job, number, to, word] {
    auto* found = job.run_at(number);
    if (found == nullptr) return;
    auto& r = found->run;
    if (cml::is_finished(r.state) || r.state == run_state::stopping) return;
    if (cml::is_finished(to)) {
      end(job, number, to);
      return;
    }
    r.state = to;
    r.status = to == run_state::unknown ? word : word_of(to);
    if (to == run_state::running && !r.running_at) r.running_at = in_.wall();
  });
}

void world::let_it_run(sim_job& job, std::size_t number) {
  if (random_.chance(temper_.run_stuck)) return;
  auto at = random_.between(500ms, 20s);
  change(job, number, at, run_state::starting);
  at += random_.between(200ms, 3s);
  change(job, number, at, run_state::running);
  const auto takes = random_.between(temper_.run_least, temper_.run_most);
  if (random_.chance(temper_.run_lost)) {
    change(job, number, at + takes / 2, run_state::unknown,
           random_.chance(0.5) ? "ENGINE_GONE" : "");
    return;
  }
  if (random_.chance(temper_.odd_words)) {
    change(job, number, at + takes / 4, run_state::unknown, "ENGINE_REBALANCING");
    change(job, number, at + takes / 2, run_state::running);
  }
  const auto timeout = std::chrono::seconds{number_in(job.job.fields, "timeout")};
  if (timeout > 0s && takes > timeout) {
    change(job, number, at + timeout, run_state::timed_out);
    return;
  }
  change(job, number, at + takes,
         random_.chance(temper_.run_fails) ? run_state::failed : run_state::succeeded);
}

void world::end(sim_job& job, std::size_t number, run_state how) {
  auto* found = job.run_at(number);
  if (found == nullptr) return;
  auto& r = *found;
  r.run.state = how;
  r.run.status = word_of(how);
  r.run.finished_at = in_.wall();
  r.ended = in_.now();
  tell([&] { return "run " + r.run.id + " of " + job.job.name + " ends: " + cml::to_string(how); });
  if (how == run_state::succeeded) {
    job.own_retries = 0;
    if (temper_.starts_children) start_children(job);
    return;
  }
  const bool retries = flag_in(job.job.fields, "retry_enabled") &&
                       job.own_retries < number_in(job.job.fields, "max_retry") &&
                       how != run_state::stopped;
  if (!retries) {
    job.own_retries = 0;
    return;
  }
  ++job.own_retries;
  const auto wait =
      std::chrono::seconds{number_in(job.job.fields, "retry_delay")} + random_.between(500ms, 10s);
  in_.after(wait, [this, &job] { begin_by(job, origin::own_retry); });
}

void world::start_children(const sim_job& parent) {
  for (const auto& child : parent.project->jobs) {
    if (!child->alive || child->job.parent_id != parent.job.id) continue;
    in_.after(random_.between(0ms, temper_.child_delay_most),
              [this, job = child.get()] { begin_by(*job, origin::child_start); });
  }
}

void world::begin_by(sim_job& job, origin by) {
  if (!job.alive || job.active() != nullptr) return;
  begin(job, by, 0, std::nullopt);
}

void world::keep_schedule(sim_job& job, core::duration every) {
  in_.after(every, [this, &job, every] {
    if (!job.alive) return;
    if (has_schedule(job.job.fields) && !flag_in(job.job.fields, "paused"))
      begin_by(job, origin::schedule);
    keep_schedule(job, every);
  });
}

void world::add_past_run(sim_job& job, run_state state, core::duration ago, core::duration took) {
  sim_run r;
  r.run.id = "run" + std::to_string(1'000'000 + ++last_run_);
  r.run.job_id = job.job.id;
  r.run.state = state;
  r.run.status = word_of(state);
  r.run.creator = job.job.creator;
  r.run.created_at = in_.wall() - ago;
  r.run.running_at = *r.run.created_at + 1s;
  r.run.finished_at = *r.run.created_at + took;
  r.began = in_.now() - ago;
  r.ended = r.began + took;
  if (state == run_state::stopped) r.stopped_by = origin::person;
  r.by = origin::person;
  job.runs.push_back(std::move(r));
}

void world::forget_old_runs(std::size_t keep) {
  for (auto& [id, job] : jobs_by_id_) {
    auto& runs = job->runs;
    while (runs.size() > keep && cml::is_finished(runs.front().run.state)) {
      runs.erase(runs.begin());
      ++job->forgotten;
    }
  }
}

void world::calm_down() {
  temper_.odd_words = 0;
  temper_.run_stuck = 0;
  temper_.run_lost = 0;
}

}  // namespace cmlrec::simulation
