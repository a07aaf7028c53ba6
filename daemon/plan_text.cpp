#include "daemon/plan_text.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "telemetry/telemetry.hpp"
#include "telemetry/text.hpp"

namespace cmlrec::daemon {
namespace {

namespace json = boost::json;

void add_fields(std::string& out, const plan_step& step, const std::string& indent) {
  for (const auto& [name, value] : step.fields) out += indent + name + " = " + value + "\n";
}

void add_differences(std::string& out, const plan_step& step, const std::string& indent) {
  for (const auto& d : step.differences) {
    out += indent + d.field + ": " + d.live + " -> " + d.desired;
    if (d.unappliable) out += "   (cannot be applied: " + d.note + ")";
    out += "\n";
  }
}

void add_step(std::string& out, const project_preview& project, const plan_step& s) {
  switch (s.kind) {
    case step_kind::create_project:
      out += "  + create project " + project.name + "\n";
      add_fields(out, s, "      ");
      break;
    case step_kind::update_project:
      out += "  ~ update project\n";
      add_differences(out, s, "      ");
      break;
    case step_kind::create_job:
      out += "  + create job " + s.job_key + " \"" + s.job_name + "\"\n";
      add_fields(out, s, "      ");
      if (!s.parent.empty()) out += "      parent_job_key = " + s.parent + "\n";
      break;
    case step_kind::update_job:
    case step_kind::differs:
      out += (s.kind == step_kind::update_job ? "  ~ update job " : "  ! job ") + s.job_key + " (" +
             s.id + ")\n";
      add_differences(out, s, "      ");
      break;
    case step_kind::delete_job:
      out += "  - delete job \"" + s.job_name + "\" (" + s.id + "): " + s.reason + "\n";
      break;
    case step_kind::run_job:
      out += "  > run job " + s.job_key +
             (s.by_parent ? ", started by CML after " + s.parent : std::string()) +
             (s.reason.empty() ? "" : ": " + s.reason) + "\n";
      break;
    case step_kind::held:
      out += "  ! job " + s.job_key + " is " + s.state + ": " + s.reason + "\n";
      break;
    case step_kind::watched:
      out += "  = job " + s.job_key + " is watched, never started\n";
      break;
    case step_kind::suspended:
      out += "  = job " + s.job_key + " is suspended\n";
      break;
  }
}

json::value text(const std::string& s) { return json::value(telemetry::valid_utf8(s)); }

json::value text_or_null(const std::string& s) {
  return s.empty() ? json::value(nullptr) : text(s);
}

json::object step_object(const plan_step& s) {
  json::object fields;
  for (const auto& [name, value] : s.fields) fields[name] = text(value);
  json::array differences;
  for (const auto& d : s.differences)
    differences.push_back(json::object{{"field", text(d.field)},
                                       {"live", text(d.live)},
                                       {"desired", text(d.desired)},
                                       {"unappliable", d.unappliable},
                                       {"note", text_or_null(d.note)}});
  return {{"step", to_string(s.kind)},
          {"job", text_or_null(s.job_key)},
          {"name", text_or_null(s.job_name)},
          {"id", text_or_null(s.id)},
          {"state", text_or_null(s.state)},
          {"parent", text_or_null(s.parent)},
          {"reason", text_or_null(s.reason)},
          {"fields", std::move(fields)},
          {"differences", std::move(differences)}};
}

json::array findings(const std::vector<config::finding>& all) {
  json::array out;
  for (const auto& f : all)
    out.push_back(json::object{{"file", text(f.file)},
                               {"line", f.line},
                               {"column", f.column},
                               {"message", text(f.message)}});
  return out;
}

}  // namespace

std::string plan_text(const plan_preview& preview) {
  std::string out;
  for (const auto& project : preview.projects) {
    out += "project " + project.name + (project.id.empty() ? "" : " (" + project.id + ")") + ": " +
           plan::to_string(project.state) + "\n";
    for (const auto& s : project.steps) add_step(out, project, s);
    for (const auto& reason : project.reasons) out += "  ! " + reason + "\n";
    if (project.orphans > 0)
      out += "  = " + std::to_string(project.orphans) + " live job(s) that the file does not have\n";
  }
  out += preview.changes()
             ? "Plan: " + std::to_string(preview.create) + " to create, " +
                   std::to_string(preview.change) + " to change, " + std::to_string(preview.start) +
                   " to run, " + std::to_string(preview.remove) + " to delete.\n"
             : "Plan: nothing to do.\n";
  return out;
}

std::string plan_json(const plan_preview& preview) {
  json::array projects;
  for (const auto& project : preview.projects) {
    json::array steps;
    for (const auto& s : project.steps) steps.push_back(step_object(s));
    json::array reasons;
    for (const auto& reason : project.reasons) reasons.push_back(text(reason));
    projects.push_back(json::object{{"name", text(project.name)},
                                    {"id", text_or_null(project.id)},
                                    {"state", plan::to_string(project.state)},
                                    {"steps", std::move(steps)},
                                    {"reasons", std::move(reasons)},
                                    {"orphans", project.orphans}});
  }
  const json::object body{{"changes", preview.changes()},
                          {"create", preview.create},
                          {"change", preview.change},
                          {"run", preview.start},
                          {"delete", preview.remove},
                          {"projects", std::move(projects)}};
  return json::serialize(body) + "\n";
}

std::string summary_text(const std::map<std::string, plan::project_plan>& plans) {
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

std::string summary_json(const std::map<std::string, plan::project_plan>& plans,
                         const std::string& result) {
  json::array projects;
  for (const auto& [name, plan] : plans)
    projects.push_back(json::parse(telemetry::project_json(plan.report)));
  return json::serialize(json::object{{"result", result}, {"projects", std::move(projects)}}) + "\n";
}

std::string validity_json(const config::loaded& loaded, const std::string& file) {
  std::size_t projects = 0;
  std::size_t jobs = 0;
  if (loaded.state) {
    projects = loaded.state->projects.size();
    for (const auto& project : loaded.state->projects) jobs += project.jobs.size();
  }
  return json::serialize(json::object{{"valid", loaded.errors.empty()},
                                      {"file", text(file)},
                                      {"projects", projects},
                                      {"jobs", jobs},
                                      {"errors", findings(loaded.errors)},
                                      {"warnings", findings(loaded.warnings)}}) +
         "\n";
}

}  // namespace cmlrec::daemon
