#include "daemon/plan_preview.hpp"

#include <algorithm>

#include "core/value.hpp"

namespace cmlrec::daemon {
namespace {

std::vector<std::pair<std::string, std::string>> shown(const core::field_set& fields) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, value] : fields)
    if (name != "name") out.emplace_back(name, core::display(value));
  return out;
}

bool will_run(const plan::job_report& job) {
  switch (job.state) {
    case plan::job_state::missing:
    case plan::job_state::pending:
    case plan::job_state::waiting:
    case plan::job_state::backing_off: return true;
    default: return false;
  }
}

bool can_be_closed(const std::vector<plan::difference>& differences) {
  return std::any_of(differences.begin(), differences.end(),
                     [](const plan::difference& d) { return !d.unappliable; });
}

void add_job(project_preview& out, const config::job_spec& spec, const plan::job_report& job,
             bool project_missing, plan_preview& all) {
  const bool missing = project_missing || job.state == plan::job_state::missing;
  const auto step = [&](step_kind kind) -> plan_step& {
    plan_step s;
    s.kind = kind;
    s.job_key = spec.key;
    s.job_name = spec.name;
    s.id = job.id;
    s.state = plan::to_string(job.state);
    s.parent = spec.parent_key.value_or("");
    out.steps.push_back(std::move(s));
    return out.steps.back();
  };
  if (missing && !spec.suspend) {
    ++all.create;
    step(step_kind::create_job).fields = shown(spec.fields);
  }
  if (!job.differences.empty()) {
    const bool closable = can_be_closed(job.differences);
    if (closable && !spec.suspend) ++all.change;
    step(closable ? step_kind::update_job : step_kind::differs).differences = job.differences;
  }
  if (spec.suspend) {
    step(step_kind::suspended);
  } else if (spec.run == config::run_policy::never) {
    step(step_kind::watched);
  } else if (missing || will_run(job)) {
    ++all.start;
    auto& s = step(step_kind::run_job);
    s.by_parent = spec.parent_key.has_value();
    if (!missing) s.reason = job.reason;
  } else if (job.state != plan::job_state::up_to_date) {
    step(step_kind::held).reason = job.reason;
  }
}

project_preview preview_of(const config::project_spec& project, const plan::project_plan& plan,
                           plan_preview& all) {
  const auto& report = plan.report;
  project_preview out{project.name, report.id, report.state, {}, {}, report.orphans.size()};
  const bool creates =
      std::any_of(plan.actions.begin(), plan.actions.end(), [](const plan::action& a) {
        return a.kind == plan::action_kind::create_project;
      });
  if (creates) {
    ++all.create;
    plan_step s;
    s.kind = step_kind::create_project;
    s.fields = shown(project.fields);
    out.steps.push_back(std::move(s));
  }
  if (!report.differences.empty()) {
    if (can_be_closed(report.differences)) ++all.change;
    plan_step s;
    s.kind = step_kind::update_project;
    s.differences = report.differences;
    out.steps.push_back(std::move(s));
  }
  const bool blind = report.id.empty() && !creates;
  if (!blind)
    for (std::size_t i = 0; i < project.jobs.size() && i < report.jobs.size(); ++i)
      add_job(out, project.jobs[i], report.jobs[i], creates, all);
  for (const auto& a : plan.actions)
    if (a.kind == plan::action_kind::delete_job) {
      ++all.remove;
      plan_step s;
      s.kind = step_kind::delete_job;
      s.job_key = s.job_name = a.job_name;
      s.id = a.job_id;
      s.reason = a.reason;
      out.steps.push_back(std::move(s));
    }
  if (report.state == plan::project_state::degraded ||
      report.state == plan::project_state::unreachable)
    out.reasons = report.reasons;
  return out;
}

}  // namespace

const char* to_string(step_kind kind) {
  switch (kind) {
    case step_kind::create_project: return "create_project";
    case step_kind::update_project: return "update_project";
    case step_kind::create_job: return "create_job";
    case step_kind::update_job: return "update_job";
    case step_kind::delete_job: return "delete_job";
    case step_kind::run_job: return "run_job";
    case step_kind::differs: return "differs";
    case step_kind::held: return "held";
    case step_kind::watched: return "watched";
    case step_kind::suspended: return "suspended";
  }
  return "held";
}

plan_preview preview_of(const config::desired_state& desired,
                        const std::map<std::string, plan::project_plan>& plans) {
  plan_preview out;
  for (const auto& project : desired.projects)
    if (const auto found = plans.find(project.name); found != plans.end())
      out.projects.push_back(preview_of(project, found->second, out));
  return out;
}

}  // namespace cmlrec::daemon
