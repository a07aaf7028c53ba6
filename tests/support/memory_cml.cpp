#include "support/memory_cml.hpp"

#include <algorithm>

namespace cmlrec::test {
namespace {

core::error not_found(const std::string& what) {
  core::error e{core::error_kind::not_found, what + " not found"};
  e.http_status = 404;
  return e;
}

}  // namespace

std::string memory_cml::new_id() {
  const auto number = std::to_string(10'000 + ++next_id_);
  return number.substr(number.size() - 4) + "-aaaa-bbbb-cccc";
}

core::timestamp memory_cml::server_time() const { return clock_.wall(); }

// Everything that CML does by itself between two calls.
void memory_cml::tick() {
  for (auto& write : late_)
    if (write.commit && clock_.now() >= write.at) {
      const auto commit = std::move(write.commit);
      write.commit = nullptr;
      commit();
    }
  const auto now = clock_.wall();
  for (auto& p : projects_)
    if (p.creation_status == "creating" && now >= *p.created_at + clone_time)
      p.creation_status = clone_outcome;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    auto& r = runs_[i].run;
    if (!cml::is_finished(r.state)) {
      const auto age = now - *r.created_at;
      if (age >= std::chrono::seconds{5}) {
        r.state = cml::run_state::running;
        r.running_at = *r.created_at + std::chrono::seconds{5};
      }
      if (age >= std::chrono::seconds{5} + run_time) {
        r.state = runs_[i].will_fail ? cml::run_state::failed : cml::run_state::succeeded;
        r.finished_at = *r.created_at + std::chrono::seconds{5} + run_time;
      }
    }
    if (r.state == cml::run_state::succeeded && auto_start && !runs_[i].child_started) {
      runs_[i].child_started = true;
      const auto parent = r;  // begin_run() moves the runs
      for (const auto& child : jobs_)
        if (child.parent_id == parent.job_id) begin_run(child.id).created_at = parent.finished_at;
    }
  }
}

std::optional<core::error> memory_cml::fault_of(const std::string& operation, bool write,
                                                std::function<void()> commit) {
  tick();
  ++calls[operation];
  if (when_asked) when_asked(operation);
  if (write) ++writes;
  const auto found = std::find_if(faults.begin(), faults.end(),
                                  [&](const fault& f) { return f.operation == operation; });
  if (found == faults.end()) return std::nullopt;
  const auto kind = found->kind;
  faults.erase(found);
  core::error e;
  e.operation = operation;
  switch (kind) {
    case fault_kind::lost_before:
      e.kind = core::error_kind::unreachable;
      e.message = "connection reset";
      e.may_have_happened = write;
      break;
    case fault_kind::lost_after:
      if (commit) commit();
      e.kind = core::error_kind::unreachable;
      e.message = "connection reset";
      e.may_have_happened = write;
      break;
    case fault_kind::late_commit:
      late_.push_back({clock_.now() + std::chrono::seconds{30}, std::move(commit)});
      e.kind = core::error_kind::server;
      e.http_status = 500;
      e.message = "failed to forward request: context deadline exceeded";
      e.may_have_happened = write;
      break;
    case fault_kind::server_error:
      e.kind = core::error_kind::server;
      e.http_status = 503;
      e.message = "service unavailable";
      e.may_have_happened = write;
      break;
    case fault_kind::refused_key:
      e.kind = core::error_kind::credentials;
      e.http_status = 401;
      e.message = "the key is not valid";
      break;
    case fault_kind::html:
      e.kind = core::error_kind::not_json;
      e.message = "an HTML page where JSON was due";
      e.may_have_happened = write;
      break;
    case fault_kind::refused:
      e.kind = core::error_kind::refused;
      e.http_status = 400;
      e.message = "script 'x.py' not found in project directory";
      break;
  }
  return e;
}

cml::project& memory_cml::add_project(const std::string& name) {
  cml::project_write body;
  body.fields["name"] = core::text{name};
  projects_.push_back(make_project(body));
  projects_.back().creation_status = "success";
  return projects_.back();
}

cml::job& memory_cml::add_job(const std::string& name) {
  cml::job_write body;
  body.fields["name"] = core::text{name};
  jobs_.push_back(make_job(body));
  return jobs_.back();
}

cml::job* memory_cml::find_job(const std::string& name) {
  for (auto& j : jobs_)
    if (j.name == name) return &j;
  return nullptr;
}

void memory_cml::person_runs(const std::string& job_name) { begin_run(find_job(job_name)->id); }

std::size_t memory_cml::jobs_named(const std::string& name) {
  tick();
  return static_cast<std::size_t>(
      std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& j) { return j.name == name; }));
}

std::size_t memory_cml::projects_named(const std::string& name) {
  tick();
  return static_cast<std::size_t>(std::count_if(projects_.begin(), projects_.end(),
                                                [&](const auto& p) { return p.name == name; }));
}

std::size_t memory_cml::runs_of(const std::string& job_name) {
  const auto* job = find_job(job_name);
  if (job == nullptr) return 0;
  return static_cast<std::size_t>(std::count_if(
      runs_.begin(), runs_.end(), [&](const auto& r) { return r.run.job_id == job->id; }));
}

cml::project memory_cml::make_project(const cml::project_write& body) {
  cml::project p;
  p.id = new_id();
  p.fields = body.fields;
  for (const char* hidden : {"git_url", "git_ref", "template"}) p.fields.erase(hidden);
  p.name = std::get<core::text>(body.fields.at("name")).value;
  p.creation_status = "creating";
  p.created_at = p.updated_at = clock_.wall();
  return p;
}

cml::job memory_cml::make_job(const cml::job_write& body) {
  cml::job j;
  j.id = new_id();
  j.fields = body.fields;
  j.name = std::get<core::text>(body.fields.at("name")).value;
  j.parent_id = body.parent_id.value_or("");
  j.created_at = j.updated_at = clock_.wall();
  return j;
}

cml::run& memory_cml::begin_run(const std::string& job_id) {
  stored_run r;
  r.run.id = "run" + std::to_string(++next_id_);
  r.run.job_id = job_id;
  r.run.state = cml::run_state::scheduling;
  r.run.status = "ENGINE_SCHEDULING";
  r.run.created_at = clock_.wall();
  for (const auto& job : jobs_)
    if (job.id == job_id)
      if (auto left = failures.find(job.name); left != failures.end() && left->second > 0) {
        --left->second;
        r.will_fail = true;
      }
  runs_.push_back(r);
  return runs_.back().run;
}

cml::async_result<std::vector<cml::project>> memory_cml::list_projects(std::string name,
                                                                       core::instant) {
  if (auto e = fault_of("ListProjects", false, nullptr)) co_return *e;
  std::vector<cml::project> out;
  for (const auto& p : projects_)
    if (p.name.find(name) != std::string::npos) out.push_back(p);
  co_return out;
}

cml::async_result<cml::project> memory_cml::get_project(std::string id, core::instant) {
  if (auto e = fault_of("GetProject", false, nullptr)) co_return *e;
  for (const auto& p : projects_)
    if (p.id == id) co_return p;
  co_return not_found("project");
}

cml::async_result<cml::project> memory_cml::create_project(cml::project_write body, core::instant) {
  const auto commit = [this, body] { projects_.push_back(make_project(body)); };
  if (auto e = fault_of("CreateProject", true, commit)) co_return *e;
  commit();
  co_return projects_.back();
}

cml::async_result<cml::project> memory_cml::update_project(std::string id, cml::project_write body,
                                                           core::instant) {
  if (auto e = fault_of("UpdateProject", true, nullptr)) co_return *e;
  for (auto& p : projects_)
    if (p.id == id) {
      for (const auto& [name, value] : body.fields) p.fields[name] = value;
      co_return p;
    }
  co_return not_found("project");
}

cml::async_result<std::vector<cml::job>> memory_cml::list_jobs(std::string, core::instant) {
  if (auto e = fault_of("ListJobs", false, nullptr)) co_return *e;
  co_return jobs_;
}

cml::async_result<cml::job> memory_cml::create_job(std::string, cml::job_write body,
                                                   core::instant) {
  const auto commit = [this, body] { jobs_.push_back(make_job(body)); };
  if (auto e = fault_of("CreateJob", true, commit)) co_return *e;
  commit();
  co_return jobs_.back();
}

cml::async_result<cml::job> memory_cml::update_job(std::string, std::string id, cml::job_write body,
                                                   core::instant) {
  if (auto e = fault_of("UpdateJob", true, nullptr)) co_return *e;
  for (auto& j : jobs_)
    if (j.id == id) {
      for (const auto& [name, value] : body.fields)
        if (!ignored_patches.contains(name)) j.fields[name] = value;
      if (body.parent_id) j.parent_id = *body.parent_id;
      j.updated_at = clock_.wall();
      co_return j;
    }
  co_return not_found("job");
}

cml::async_result<bool> memory_cml::delete_job(std::string, std::string id, core::instant) {
  if (auto e = fault_of("DeleteJob", true, nullptr)) co_return *e;
  std::erase_if(jobs_, [&](const cml::job& j) { return j.id == id; });
  co_return true;
}

cml::async_result<cml::runs_page> memory_cml::list_runs(std::string, std::string job_id, int,
                                                        core::instant) {
  if (auto e = fault_of("ListJobRuns", false, nullptr)) co_return *e;
  cml::runs_page page;
  page.complete = true;
  for (const auto& r : runs_)
    if (r.run.job_id == job_id) page.runs.insert(page.runs.begin(), r.run);
  co_return page;
}

cml::async_result<cml::run> memory_cml::get_run(std::string, std::string, std::string run_id,
                                                core::instant) {
  if (auto e = fault_of("GetJobRun", false, nullptr)) co_return *e;
  for (const auto& r : runs_)
    if (r.run.id == run_id) co_return r.run;
  co_return not_found("run");
}

cml::async_result<cml::run> memory_cml::start_run(std::string, std::string job_id, cml::run_request,
                                                  core::instant) {
  const auto busy = [this, job_id] {
    return std::any_of(runs_.begin(), runs_.end(), [&](const stored_run& r) {
      return r.run.job_id == job_id && !cml::is_finished(r.run.state);
    });
  };
  const auto commit = [this, job_id, busy] {
    if (busy()) return;
    for (const auto& job : jobs_)
      if (job.id == job_id) starts.push_back(job.name);
    begin_run(job_id);
  };
  if (auto e = fault_of("CreateJobRun", true, commit)) co_return *e;
  if (busy()) {
    core::error e{core::error_kind::conflict, "job run for job ID already active"};
    e.http_status = 400;
    co_return e;
  }
  commit();
  co_return runs_.back().run;
}

cml::async_result<cml::run> memory_cml::stop_run(std::string, std::string, std::string run_id,
                                                 core::instant) {
  if (auto e = fault_of("StopJobRun", true, nullptr)) co_return *e;
  for (auto& r : runs_)
    if (r.run.id == run_id) {
      r.run.state = cml::run_state::stopped;
      r.run.finished_at = clock_.wall();
      co_return r.run;
    }
  co_return not_found("run");
}

cml::async_result<cml::key_check> memory_cml::validate_key(core::instant) {
  if (auto e = fault_of("ValidateAPIKey", false, nullptr)) co_return *e;
  cml::key_check check;
  check.valid = true;
  co_return check;
}

}  // namespace cmlrec::test
