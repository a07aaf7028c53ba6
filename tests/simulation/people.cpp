// The workspace as it is found, and what people do to it and to the file.
#include "simulation/checker.hpp"
#include "simulation/scenario.hpp"

#include <algorithm>

namespace cmlrec::simulation {

using cml::run_state;
using core::text;
using namespace std::chrono_literals;

namespace {

cml::job_write definition_of(const config::job_spec& job, bool mark) {
  cml::job_write body;
  body.fields = job.fields;
  if (mark) {
    auto& env = body.fields["environment"];
    if (!std::holds_alternative<core::text_map>(env)) env = core::text_map{};
    std::get<core::text_map>(env)["CML_RECONCILER_OWNER"] = text{"cml-reconciler"};
  }
  return body;
}

cml::job_write foreign(const std::string& name, bool mark) {
  config::job_spec job;
  job.fields["name"] = text{name};
  job.fields["script"] = text{"theirs.py"};
  return definition_of(job, mark);
}

void drift(sim_job& job, random_source& random) {
  switch (random.below(5)) {
    case 0:
      job.job.fields["cpu"] = static_cast<double>(random.between(9, 12));
      break;
    case 1:
      job.job.fields["memory"] = static_cast<double>(random.between(40, 50));
      break;
    case 2:
      job.job.fields["script"] = text{"old.py"};
      break;
    case 3:
      job.job.fields["paused"] = random.chance(0.5);
      break;
    default: {
      auto& env = job.job.fields["environment"];
      if (auto* map = std::get_if<core::text_map>(&env)) (*map)["THEIRS"] = text{"x"};
    }
  }
}

void add_past(world& cml, sim_job& job, random_source& random) {
  const int runs = random.chance(0.2) ? 1 : random.between(0, 8);
  auto ago = random.between(10min, 90min);
  for (int i = 0; i < runs && ago > 2min; ++i) {
    const auto took = random.between(1s, 90s);
    const auto state = random.chance(0.15)  ? run_state::skipped
                       : random.chance(0.6) ? run_state::succeeded
                       : random.chance(0.8) ? run_state::failed
                       : random.chance(0.5) ? run_state::stopped
                                            : run_state::timed_out;
    cml.add_past_run(job, state, ago, took);
    ago -= random.between(2min, 20min);
  }
}

void furnish_project(world& cml, const config::project_spec& spec, random_source& random) {
  auto& project = cml.add_project(spec.name, "svc-deploy", random.chance(0.85));
  std::map<std::string, sim_job*> made;
  for (const auto& job : spec.jobs) {
    if (!random.chance(0.7)) continue;
    auto& live = cml.add_job(project, definition_of(job, spec.prune && random.chance(0.8)));
    made[job.key] = &live;
    if (job.parent_key && made.contains(*job.parent_key) && random.chance(0.9))
      live.job.parent_id = made[*job.parent_key]->job.id;
    if (random.chance(0.3)) drift(live, random);
    if (random.chance(0.5)) add_past(cml, live, random);
    if (random.chance(0.1)) cml.begin_by(live, origin::person);
    if (random.chance(0.02)) cml.add_job(project, definition_of(job, false));
    if (job.fields.contains("schedule")) cml.keep_schedule(live, random.between(2min, 10min));
  }
  const int others = random.chance(0.4) ? random.between(1, 6) : 0;
  for (int i = 0; i < others; ++i)
    cml.add_job(project, foreign("theirs" + std::to_string(i), random.chance(0.4)));
}

}  // namespace

void furnish(world& cml, const scenario& of, kernel&, random_source& random) {
  // A neighbour whose name holds the others': what is in it is nobody's business here.
  if (random.chance(0.3)) {
    auto& neighbour = cml.add_project("old-ray-2-copy", "anna", true);
    for (const auto& job : of.file.projects.front().jobs)
      cml.add_job(neighbour, definition_of(job, true));
  }
  for (const auto& spec : of.file.projects) {
    if (random.chance(0.5)) continue;
    furnish_project(cml, spec, random);
    if (random.chance(0.03)) cml.add_project(spec.name, "anna", true);
  }
}

config::desired_state edited(const config::desired_state& file, core::timestamp now,
                             bool takes_away, random_source& random) {
  auto out = file;
  auto& project = out.projects[random.below(out.projects.size())];
  auto& job = project.jobs[random.below(project.jobs.size())];
  switch (takes_away ? (random.chance(0.5) ? 3 : 6) : random.below(9)) {
    case 0:
      job.fields["cpu"] = static_cast<double>(random.between(1, 8));
      break;
    case 1:
      job.fields["memory"] = static_cast<double>(random.between(1, 32));
      break;
    case 2: {
      auto& env = job.fields["environment"];
      if (!std::holds_alternative<core::text_map>(env)) env = core::text_map{};
      std::get<core::text_map>(env)["NEW"] = text{std::string(secret_text) + "-new", true};
      break;
    }
    case 3:
      job.suspend = !job.suspend;
      break;
    case 4:
    case 8: {  // twice as often: what it does depends on when it comes
      // A point in the past, present or future.
      const auto when = now + random.between(core::duration{-20min}, core::duration{10min});
      for (auto& j : project.jobs)
        if (random.chance(0.5)) j.rerun_after = when;
      break;
    }
    case 5: {
      config::job_spec added;
      added.key = "added" + std::to_string(random.below(3));
      added.name = added.key;
      const bool there = std::any_of(project.jobs.begin(), project.jobs.end(),
                                     [&](const auto& j) { return j.key == added.key; });
      if (there) break;
      added.fields["name"] = text{added.name};
      added.fields["script"] = text{"added.py"};
      project.jobs.push_back(added);
      break;
    }
    case 6: {
      // Takes out a job that nothing else names.
      const auto key = job.key;
      const bool needed =
          std::any_of(project.jobs.begin(), project.jobs.end(),
                      [&](const auto& j) { return j.parent_key && *j.parent_key == key; }) ||
          std::any_of(project.verify.begin(), project.verify.end(), [&](const auto& c) {
            const auto* of = std::get_if<std::string>(&c.what);
            return of != nullptr && *of == key;
          });
      if (!needed && project.jobs.size() > 1)
        std::erase_if(project.jobs, [&](const auto& j) { return j.key == key; });
      break;
    }
    default:
      if (out.projects.size() > 1 && random.chance(0.3))
        out.projects.pop_back();
      else
        project.prune = !project.prune;
  }
  return out;
}

std::string do_a_deed(world& cml, const config::desired_state& file, random_source& random) {
  const auto& spec = random.pick(file.projects);
  sim_project* project = nullptr;
  for (auto& p : cml.projects())
    if (p->project.name == spec.name) project = p.get();
  if (project == nullptr) return {};
  std::vector<sim_job*> live;
  for (auto& j : project->jobs)
    if (j->alive) live.push_back(j.get());
  if (live.empty()) return {};
  auto& job = *random.pick(live);
  const auto& name = job.job.name;
  switch (random.below(9)) {
    case 0:
    case 1: {
      cml::job_write body;
      body.fields["cpu"] = static_cast<double>(random.between(9, 12));
      (void)cml.update_job(project->project.id, job.job.id, body);
      return "a person changes cpu of " + name;
    }
    case 2: {
      cml::job_write body;
      body.fields["kernel"] = text{"python3"};
      (void)cml.update_job(project->project.id, job.job.id, body);
      return "a person changes the kernel of " + name;
    }
    case 3:
      (void)cml.delete_job(project->project.id, job.job.id);
      return "a person deletes " + name;
    case 4:
    case 5:
      cml.begin_by(job, origin::person);
      return "a person starts " + name;
    case 6:
      if (const auto* run = job.active())
        (void)cml.stop_run(job.job.id, run->run.id, origin::person);
      return "a person stops " + name;
    case 7:
      cml.add_job(*project,
                  foreign("theirs" + std::to_string(random.below(9)), random.chance(0.5)));
      return "a person adds a job";
    default: {
      if (random.chance(0.8)) {
        cml::job_write body;
        core::text_map env;
        if (const auto* now = std::get_if<core::text_map>(&job.job.fields["environment"]))
          env = *now;
        env["THEIRS"] = text{"y"};
        body.fields["environment"] = env;
        (void)cml.update_job(project->project.id, job.job.id, body);
        return "a person adds a variable to " + name;
      }
      const auto& wanted = random.pick(spec.jobs);
      cml.add_job(*project, definition_of(wanted, false));
      return "a person adds another " + wanted.name;
    }
  }
}

}  // namespace cmlrec::simulation
