#include "daemon/plan_text.hpp"

#include <algorithm>

#include "core/value.hpp"

namespace cmlrec::daemon {
namespace {

struct totals {
  int create = 0;
  int change = 0;
  int start = 0;
  int remove = 0;
};

void add_fields(std::string& out, const core::field_set& fields, const std::string& indent) {
  for (const auto& [name, value] : fields)
    if (name != "name") out += indent + name + " = " + core::display(value) + "\n";
}

void add_differences(std::string& out, const std::vector<plan::difference>& differences,
                     const std::string& indent) {
  for (const auto& d : differences) {
    out += indent + d.field + ": " + d.live + " -> " + d.desired;
    if (d.unappliable) out += "   (cannot be applied: " + d.note + ")";
    out += "\n";
  }
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

void add_job(std::string& out, const config::job_spec& spec, const plan::job_report& job,
             bool project_missing, totals& t) {
  const bool missing = project_missing || job.state == plan::job_state::missing;
  if (missing && !spec.suspend) {
    ++t.create;
    out += "  + create job " + spec.key + " \"" + spec.name + "\"\n";
    add_fields(out, spec.fields, "      ");
    if (spec.parent_key) out += "      parent_job_key = " + *spec.parent_key + "\n";
  }
  const bool closable = std::any_of(job.differences.begin(), job.differences.end(),
                                    [](const plan::difference& d) { return !d.unappliable; });
  if (!job.differences.empty()) {
    if (closable && !spec.suspend) ++t.change;
    out += closable ? "  ~ update job " : "  ! job ";
    out += spec.key + " (" + job.id + ")\n";
    add_differences(out, job.differences, "      ");
  }
  if (spec.suspend) {
    out += "  = job " + spec.key + " is suspended\n";
    return;
  }
  if (spec.run == config::run_policy::never) {
    out += "  = job " + spec.key + " is watched, never started\n";
    return;
  }
  if (missing || will_run(job)) {
    ++t.start;
    out += "  > run job " + spec.key +
           (spec.parent_key ? ", started by CML after " + *spec.parent_key : std::string());
    if (!missing && !job.reason.empty()) out += ": " + job.reason;
    out += "\n";
  } else if (job.state != plan::job_state::up_to_date) {
    out += "  ! job " + spec.key + " is " + plan::to_string(job.state) + ": " + job.reason + "\n";
  }
}

}  // namespace

plan_text render_plan(const config::desired_state& desired,
                      const std::map<std::string, plan::project_plan>& plans) {
  plan_text out;
  totals t;
  for (const auto& project : desired.projects) {
    const auto found = plans.find(project.name);
    if (found == plans.end()) continue;
    const auto& plan = found->second;
    const auto& report = plan.report;
    out.text += "project " + project.name + (report.id.empty() ? "" : " (" + report.id + ")") +
                ": " + plan::to_string(report.state) + "\n";
    const bool creates =
        std::any_of(plan.actions.begin(), plan.actions.end(), [](const plan::action& a) {
          return a.kind == plan::action_kind::create_project;
        });
    if (creates) {
      ++t.create;
      out.text += "  + create project " + project.name + "\n";
      add_fields(out.text, project.fields, "      ");
    }
    if (!report.differences.empty()) {
      const bool closable = std::any_of(report.differences.begin(), report.differences.end(),
                                        [](const auto& d) { return !d.unappliable; });
      if (closable) ++t.change;
      out.text += "  ~ update project\n";
      add_differences(out.text, report.differences, "      ");
    }
    const bool blind = report.id.empty() && !creates;
    if (!blind)
      for (std::size_t i = 0; i < project.jobs.size() && i < report.jobs.size(); ++i)
        add_job(out.text, project.jobs[i], report.jobs[i], creates, t);
    for (const auto& a : plan.actions)
      if (a.kind == plan::action_kind::delete_job) {
        ++t.remove;
        out.text += "  - delete job \"" + a.job_name + "\" (" + a.job_id + "): " + a.reason + "\n";
      }
    if (report.state == plan::project_state::degraded ||
        report.state == plan::project_state::unreachable)
      for (const auto& reason : report.reasons) out.text += "  ! " + reason + "\n";
    if (!report.orphans.empty())
      out.text += "  = " + std::to_string(report.orphans.size()) +
                  " live job(s) that the file does not have\n";
  }
  out.changes = t.create + t.change + t.start + t.remove > 0;
  out.text += out.changes ? "Plan: " + std::to_string(t.create) + " to create, " +
                                std::to_string(t.change) + " to change, " +
                                std::to_string(t.start) + " to run, " + std::to_string(t.remove) +
                                " to delete.\n"
                          : "Plan: nothing to do.\n";
  return out;
}

std::string render_summary(const std::map<std::string, plan::project_plan>& plans) {
  std::string out;
  for (const auto& [name, plan] : plans) {
    const auto& report = plan.report;
    out += name + ": " + plan::to_string(report.state) + "\n";
    std::size_t widest = 0;
    for (const auto& job : report.jobs) widest = std::max(widest, job.key.size());
    for (const auto& job : report.jobs)
      out += "  " + job.key + std::string(widest - job.key.size() + 2, ' ') +
             plan::to_string(job.state) + ": " + job.reason + "\n";
    if (report.state != plan::project_state::converged)
      for (const auto& reason : report.reasons) out += "  ! " + reason + "\n";
  }
  return out;
}

}  // namespace cmlrec::daemon
