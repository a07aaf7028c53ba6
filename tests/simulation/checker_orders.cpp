// What operators ask of the running daemon, and what follows from it.
#include "simulation/checker.hpp"

#include <algorithm>
#include <utility>

namespace cmlrec::simulation {

using namespace std::chrono_literals;
using kind = plan::order::kind;

namespace {

// CML's Date header has whole seconds.
constexpr core::duration clocks_differ = 2s;

std::set<std::string> with_all_below(const config::project_spec& spec,
                                     const config::job_spec& top) {
  std::set<std::string> keys{top.key};
  std::set<std::string> names{top.name};
  for (bool more = true; std::exchange(more, false);)
    for (const auto& job : spec.jobs)
      if (job.parent_key && keys.contains(*job.parent_key) && keys.insert(job.key).second) {
        names.insert(job.name);
        more = true;
      }
  return names;
}

}  // namespace

void checker::ordered(const plan::order& o, const config::project_spec& spec) {
  note([&] {
    static constexpr const char* words[] = {"force", "retry", "suspend", "resume"};
    return std::string("an operator: ") + words[static_cast<int>(o.what)] + " " + o.project +
           (o.job != nullptr ? " " + o.job->name : "") +
           (o.held && o.held->until ? " until " + core::format_timestamp(*o.held->until) : "");
  });
  ++counted_.orders;
  demanded d{in_.now(), o.project, {}};
  if (o.job != nullptr && o.what == kind::force) d.jobs = with_all_below(spec, *o.job);
  if (o.job != nullptr && o.what == kind::retry) d.jobs = {o.job->name};
  const auto name = o.job != nullptr ? o.job->name : std::string();
  switch (o.what) {
    case kind::force:
      forced_by_order_.push_back(std::move(d));
      break;
    case kind::retry:
      retried_.push_back(std::move(d));
      break;
    case kind::suspend:
      held_[o.project][name] = o.held->until;
      break;
    case kind::resume:
      if (o.job == nullptr)
        held_.erase(o.project);
      else
        held_[o.project].erase(name);
      break;
  }
}

bool checker::is_held(const std::string& project, const std::string& job,
                      core::duration margin) const {
  const auto found = held_.find(project);
  if (found == held_.end()) return false;
  const auto held = found->second.find(job);
  return held != found->second.end() && (!held->second || in_.wall() + margin < *held->second);
}

void checker::touches(const std::string& project_id, const std::string& job,
                      const std::string& what) {
  const auto* live = cml_.find_project(project_id);
  if (live == nullptr) return;
  const auto& project = live->project.name;
  if (is_held(project, "", clocks_differ) || (!job.empty() && is_held(project, job, clocks_differ)))
    violated("nothing is done to what an operator has suspended", what);
}

bool checker::applies(const demanded& d, const sim_job& job) {
  return d.project == job.project->project.name &&
         (d.jobs.empty() || d.jobs.contains(job.job.name));
}

std::size_t checker::forces_of(const sim_job& job, core::instant since) const {
  const auto in_time = [&](core::instant at) { return at >= since; };
  return static_cast<std::size_t>(
      std::count_if(forced_.begin(), forced_.end(), in_time) +
      std::count_if(forced_by_order_.begin(), forced_by_order_.end(),
                    [&](const demanded& d) { return in_time(d.at) && applies(d, job); }));
}

bool checker::was_retried(const sim_job& job, core::instant since) const {
  return std::any_of(retried_.begin(), retried_.end(),
                     [&](const demanded& d) { return d.at >= since && applies(d, job); });
}

config::desired_state checker::file_with_orders() const {
  auto out = file();
  for (auto& project : out.projects) {
    project.suspend = project.suspend || is_held(project.name, "", 0s);
    for (auto& job : project.jobs) job.suspend = job.suspend || is_held(project.name, job.name, 0s);
  }
  return out;
}

std::optional<core::timestamp> checker::last_force_of(const std::string& project,
                                                      const std::string& job) const {
  std::optional<core::timestamp> out;
  for (auto i = forgotten_forces_; i < forced_by_order_.size(); ++i) {
    const auto& d = forced_by_order_[i];
    if (d.project == project && (d.jobs.empty() || d.jobs.contains(job))) out = in_.wall_at(d.at);
  }
  return out;
}

}  // namespace cmlrec::simulation
