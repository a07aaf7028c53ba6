#include "simulation/scenario.hpp"

#include "simulation/checker.hpp"

#include <algorithm>
#include <set>

namespace cmlrec::simulation {

using core::text;
using namespace std::chrono_literals;

namespace {

text plain(const std::string& value) { return text{value}; }
text secret(random_source& random) {
  return text{std::string(secret_text) + "-" + std::to_string(random.below(1000)), true};
}

core::text_map draw_environment(random_source& random) {
  core::text_map env;
  const int count = random.between(0, 3);
  for (int i = 0; i < count; ++i)
    env["KEY_" + std::to_string(random.below(4))] =
        random.chance(0.4) ? secret(random) : plain("value" + std::to_string(random.below(5)));
  return env;
}

void draw_owned_fields(config::job_spec& job, random_source& random) {
  auto& f = job.fields;
  f["name"] = plain(job.name);
  f["script"] = plain("jobs/" + job.name + ".py");
  if (random.chance(0.6)) f["cpu"] = static_cast<double>(random.between(1, 8));
  if (random.chance(0.5)) f["memory"] = static_cast<double>(random.between(1, 32));
  if (random.chance(0.2)) f["nvidia_gpu"] = std::int64_t{random.between(0, 2)};
  if (random.chance(0.6)) f["timeout"] = std::int64_t{random.between(20, 900)};
  if (random.chance(0.5))
    f["runtime_identifier"] = plain("runtime-" + std::to_string(random.below(3)));
  if (f.contains("runtime_identifier") && random.chance(0.4))
    f["runtime_addon_identifiers"] =
        core::text_list{plain("spark-" + std::to_string(random.below(2)))};
  if (random.chance(0.4)) f["environment"] = draw_environment(random);
  if (random.chance(0.2)) f["arguments"] = random.chance(0.2) ? secret(random) : plain("--fast");
  if (random.chance(0.1)) {
    f["retry_enabled"] = true;
    f["max_retry"] = std::int64_t{random.between(1, 2)};
    f["retry_delay"] = std::int64_t{random.between(0, 30)};
  }
  if (random.chance(0.1)) f["paused"] = random.chance(0.5);
  if (random.chance(0.05)) f["timezone"] = plain("Europe/Berlin");
}

void draw_policy(config::job_spec& job, random_source& random) {
  if (random.chance(0.2)) job.run = config::run_policy::on_change;
  if (random.chance(0.04)) job.run = config::run_policy::never;
  job.retry.max_attempts = random.chance(0.5) ? 1 : random.between(2, 3);
  job.retry.backoff = random.between(1s, 40s);
  job.retry.max_backoff = std::max(job.retry.backoff, core::duration{2min});
  if (random.chance(0.25)) job.env_policy = config::environment_policy::merge;
  job.suspend = random.chance(0.03);
}

// What depends on a watched job is watched.
void settle_watched(config::project_spec& project) {
  for (bool changed = true; changed;) {
    changed = false;
    for (auto& job : project.jobs) {
      if (!job.parent_key || job.run == config::run_policy::never) continue;
      for (const auto& parent : project.jobs)
        if (parent.key == *job.parent_key && parent.run == config::run_policy::never) {
          job.run = config::run_policy::never;
          changed = true;
        }
    }
  }
}

config::job_spec draw_job(int number, const config::project_spec& in, random_source& random) {
  config::job_spec job;
  job.key = "key" + std::to_string(number);
  job.name = "job" + std::to_string(number);
  draw_owned_fields(job, random);
  draw_policy(job, random);
  if (!in.jobs.empty() && random.chance(0.65)) {
    job.parent_key = random.chance(0.5) ? in.jobs.back().key : random.pick(in.jobs).key;
    job.owns_parent = true;
  } else if (random.chance(0.15)) {
    job.fields["schedule"] = plain("*/10 * * * *");
    job.run = config::run_policy::never;
  } else {
    job.owns_parent = random.chance(0.5);
  }
  return job;
}

void draw_verify(config::project_spec& project, random_source& random) {
  if (random.chance(0.15)) {
    // A job that nothing depends upon verifies the rest.
    auto& job = project.jobs.back();
    const bool watched = std::any_of(project.jobs.begin(), project.jobs.end(), [](const auto& j) {
      return j.run == config::run_policy::never;
    });
    if (!watched && project.jobs.size() > 1) {
      job.run = config::run_policy::once;
      project.verify.push_back({"smoke", job.key});
    }
  }
  if (random.chance(0.1)) {
    config::http_check check;
    check.url = "http://127.0.0.1:1/health";
    check.retries = random.between(0, 3);
    project.verify.push_back({"http", check});
  }
}

int draw_count(int most, double more, random_source& random) {
  int n = 1;
  while (n < most && random.chance(more)) ++n;
  return n;
}

config::project_spec draw_project(const std::string& name, random_source& random) {
  config::project_spec p;
  p.name = name;
  p.fields["name"] = plain(name);
  if (random.chance(0.95))
    p.fields["git_url"] = random.chance(0.3) ? secret(random) : plain("https://example.com/o/r");
  if (random.chance(0.2)) p.fields["description"] = plain("made by hand");
  if (random.chance(0.1)) p.fields["environment"] = draw_environment(random);
  p.prune = random.chance(0.3);
  p.prune_limit = random.between(1, 3);
  p.suspend = random.chance(0.02);
  const int most = random.chance(0.05) ? 30 : 9;
  const int jobs = draw_count(most, most == 30 ? 0.95 : 0.72, random);
  for (int i = 0; i < jobs; ++i) p.jobs.push_back(draw_job(i, p, random));
  draw_verify(p, random);
  settle_watched(p);
  return p;
}

temper draw_temper(random_source& random) {
  temper t;
  t.starts_children = random.chance(0.7);
  t.child_delay_most = random.chance(0.2) ? 45s : random.between(100ms, 15s);
  t.stamp_skew = random.chance(0.3) ? 3s : 0s;
  t.busy = static_cast<temper::when_busy>(random.below(3));
  for (const char* field : {"paused", "timezone"})
    if (random.chance(0.4)) t.ignored_job_fields.insert(field);
  if (random.chance(0.05)) t.ignored_job_fields.insert("memory");
  if (random.chance(0.1)) t.ignored_project_fields.insert("description");
  t.injects_addons = random.chance(0.4);
  t.omits_zero = random.chance(0.3);
  t.echoes_environment = random.chance(0.8);
  t.says_creator = random.chance(0.8);
  t.updated_at_moves = random.chance(0.15);
  t.clone_least = 1s;
  t.clone_most = random.chance(0.05) ? 20min : random.between(2s, 90s);
  t.clone_fails = random.chance(0.05) ? 1 : 0;
  const std::vector<std::string> cloned = {"success", "success", "succeeded", "ready", ""};
  t.cloned_word = random.pick(cloned);
  t.cloning_word = random.chance(0.1) ? "unknown" : "creating";
  if (random.chance(0.3)) t.script_delay = random.between(1s, 100s);
  t.run_fails = random.chance(0.4) ? 0 : random.chance(0.1) ? 0.9 : random.unit() * 0.4;
  t.run_stuck = random.chance(0.04) ? 0.2 : 0;
  t.run_lost = random.chance(0.04) ? 0.2 : 0;
  t.odd_words = random.chance(0.2) ? 0.3 : 0;
  t.run_most = random.chance(0.1) ? random.between(1min, 10min) : random.between(3s, 40s);
  t.sorts_runs = random.chance(0.8);
  t.sorts_lists = random.chance(0.7);
  t.page_size = random.chance(0.5) ? 50 : random.between(1, 5);
  return t;
}

void draw_faults(scenario& s, random_source& random) {
  if (random.chance(0.08)) return;
  s.fault_rate = random.chance(0.15) ? 0.2 + random.unit() * 0.3 : random.unit() * 0.15;
  if (random.chance(0.2)) {
    // Whoever is killed now leaves something behind that is still to happen.
    s.fault_kinds = {fault::slow, fault::late_commit, fault::hang};
    return;
  }
  if (random.chance(0.6)) return;
  const auto kinds = random.between(1, 4);
  for (int i = 0; i < kinds; ++i)
    s.fault_kinds.push_back(static_cast<fault>(1 + random.below(fault_kinds - 1)));
}

}  // namespace

scenario draw_scenario(random_source& random) {
  scenario s;
  s.of_cml = draw_temper(random);
  auto& rules = s.rules;
  if (random.chance(0.3)) rules.interval = random.between(20s, 3min);
  if (random.chance(0.2))
    rules.runs_refresh = random.chance(0.5) ? core::duration{0} : core::duration{2min};
  if (random.chance(0.3)) rules.max_runs_per_hour = random.between(2, 6);
  if (random.chance(0.3)) rules.stop_overdue = true;
  if (random.chance(0.4)) rules.scheduling_deadline = random.between(1min, 10min);
  if (random.chance(0.4)) rules.overdue_margin = random.between(20s, 5min);
  // Names that are parts of each other: CML's filter finds them all.
  const std::vector<std::string> names = {"ray", "ray-2", "ray-23", "my-ray", "array"};
  const int projects = draw_count(5, 0.22, random);
  for (int i = 0; i < projects; ++i)
    s.file.projects.push_back(draw_project(names[static_cast<std::size_t>(i)], random));
  draw_faults(s, random);
  const auto storm = random.between(1min, 8min);
  if (random.chance(0.5)) s.calm_after = storm;
  s.stormy_for = storm + 4min;
  // Where finished runs are never looked at again, what people start goes unseen: that is asked
  // for.
  if (random.chance(0.5) && rules.runs_refresh > 0s) s.deeds = random.between(1, 6);
  if (random.chance(0.35)) s.file_changes = random.between(1, 3);
  if (random.chance(0.1)) s.key_troubles = 1;
  if (random.chance(0.7)) s.kills = random.between(1, 5);
  if (random.chance(0.15)) s.stops = random.between(1, 2);
  s.apply = random.chance(0.15);
  s.journal = random.chance(0.5);
  s.force = random.chance(0.1) && (s.apply || s.journal);
  if (!s.apply && random.chance(0.35)) s.orders = random.between(1, 5);
  if (random.chance(0.5)) s.calls_at_once = static_cast<std::size_t>(random.between(1, 3));
  s.checks_pass = random.chance(0.8);
  s.wall_offset = random.chance(0.3) ? random.between(core::duration{-10min}, core::duration{10min})
                                     : core::duration{0};
  return s;
}

}  // namespace cmlrec::simulation
