#include "simulation/wire.hpp"

#include "cml/paging.hpp"

namespace cmlrec::simulation {

using cml::async_result;
using core::result;

template <class T>
async_result<T> wire::call(way w, std::function<result<T>()> serve, core::instant deadline,
                           fault* met) {
  const auto left = std::max(deadline - in_.now(), core::duration{0});
  auto f = faults_.draw(w.write, w.list, w.page, left);
  if (!cml_.key_is_valid && f.kind != fault::lost_before && f.kind != fault::circuit_open) {
    f.served_after.reset();
    f.error = core::error(core::error_kind::credentials, "the key is not valid");
    f.error->http_status = 401;
  }
  if (f.kind != fault::none)
    rules_.note([&] {
      return std::string(w.operation) + " meets " + to_string(f.kind) +
             (f.served_after ? ", served after " + core::format_duration(*f.served_after)
                             : ", not served") +
             ", answered after " + core::format_duration(f.answered_after);
    });
  if (met != nullptr) *met = f.kind;
  if (!w.once.empty())
    rules_.sends_once(w.once, in_.now() + f.served_after.value_or(core::duration{0}));
  const auto out = std::make_shared<std::optional<result<T>>>();
  if (f.served_after) {
    std::function<void()> act = [out, serve = std::move(serve)] { *out = serve(); };
    in_.after(*f.served_after, std::move(act));
  }
  co_await of_.sleep_until(in_.now() + f.answered_after);
  if (!f.error || f.error->http_status != 0) {
    using seconds = std::chrono::seconds;
    server_date_ = std::chrono::floor<seconds>(in_.wall());
    server_date_at_ = in_.now();
  }
  if (f.error) {
    auto e = *f.error;
    e.operation = w.operation;
    co_return e;
  }
  co_return std::move(**out);
}

core::timestamp wire::server_time() const {
  if (!server_date_) return clock_.wall();
  return *server_date_ + (in_.now() - server_date_at_);
}

template <class T>
async_result<cml::page<T>> wire::page(const char* operation, std::string token,
                                      std::function<result<cml::page<T>>(const std::string&)> serve,
                                      core::instant deadline, int& number) {
  const way w{operation, false, true, number++};
  std::function<result<cml::page<T>>()> at_server = [serve, token] { return serve(token); };
  fault met = fault::none;
  auto out = co_await call<cml::page<T>>(w, std::move(at_server), deadline, &met);
  if (out && met == fault::token_repeats) out->next_token = token;
  co_return out;
}

async_result<std::vector<cml::project>> wire::list_projects(std::string name,
                                                            core::instant deadline) {
  rules_.pass_begins(name);
  int number = 0;
  std::function<result<cml::page<cml::project>>(const std::string&)> serve =
      [cml = &cml_, name](const std::string& token) { return cml->list_projects(name, token); };
  auto fetch = [&](std::string token) {
    return page<cml::project>("ListProjects", std::move(token), serve, deadline, number);
  };
  cml::list_name list{"ListProjects", "projects"};
  auto out = co_await cml::read_whole_list<cml::project>(std::move(list), fetch);
  rules_.learned_projects(name, out);
  co_return out;
}

async_result<cml::project> wire::get_project(std::string project_id, core::instant deadline) {
  rules_.pass_begins_by_id(project_id);
  std::function<result<cml::project>()> serve = [cml = &cml_, project_id] {
    return cml->get_project(project_id);
  };
  const way w{"GetProject"};
  auto out = co_await call<cml::project>(w, std::move(serve), deadline);
  rules_.learned_project_by_id(project_id, out);
  co_return out;
}

async_result<cml::project> wire::create_project(cml::project_write body, core::instant deadline) {
  rules_.sends_create_project(body);
  std::function<result<cml::project>()> serve = [cml = &cml_, body] {
    return cml->create_project(body);
  };
  const way w{"CreateProject", true, false, 0, "project " + checker::name_in(body.fields)};
  co_return co_await call<cml::project>(w, std::move(serve), deadline);
}

async_result<cml::project> wire::update_project(std::string project_id, cml::project_write body,
                                                core::instant deadline) {
  rules_.sends_update_project(project_id, body);
  std::function<result<cml::project>()> serve = [cml = &cml_, project_id, body] {
    return cml->update_project(project_id, body);
  };
  const way w{"UpdateProject", true};
  co_return co_await call<cml::project>(w, std::move(serve), deadline);
}

async_result<std::vector<cml::job>> wire::list_jobs(std::string project_id,
                                                    core::instant deadline) {
  rules_.asks_jobs(project_id);
  int number = 0;
  std::function<result<cml::page<cml::job>>(const std::string&)> serve =
      [cml = &cml_, project_id](const std::string& token) {
        return cml->list_jobs(project_id, token);
      };
  auto fetch = [&](std::string token) {
    return page<cml::job>("ListJobs", std::move(token), serve, deadline, number);
  };
  cml::list_name list{"ListJobs", "jobs"};
  auto out = co_await cml::read_whole_list<cml::job>(std::move(list), fetch);
  rules_.learned_jobs(project_id, out);
  co_return out;
}

async_result<cml::job> wire::create_job(std::string project_id, cml::job_write body,
                                        core::instant deadline) {
  rules_.sends_create_job(project_id, body);
  std::function<result<cml::job>()> serve = [cml = &cml_, project_id, body] {
    return cml->create_job(project_id, body);
  };
  const way w{"CreateJob", true, false, 0, project_id + " job " + checker::name_in(body.fields)};
  co_return co_await call<cml::job>(w, std::move(serve), deadline);
}

async_result<cml::job> wire::update_job(std::string project_id, std::string job_id,
                                        cml::job_write body, core::instant deadline) {
  rules_.sends_update_job(project_id, job_id, body);
  std::function<result<cml::job>()> serve = [cml = &cml_, project_id, job_id, body] {
    return cml->update_job(project_id, job_id, body);
  };
  const way w{"UpdateJob", true};
  auto out = co_await call<cml::job>(w, std::move(serve), deadline);
  rules_.learned_update(job_id, body, out);
  co_return out;
}

async_result<bool> wire::delete_job(std::string project_id, std::string job_id,
                                    core::instant deadline) {
  rules_.sends_delete_job(project_id, job_id);
  std::function<result<bool>()> serve = [cml = &cml_, project_id, job_id]() -> result<bool> {
    auto r = cml->delete_job(project_id, job_id);
    // The API's client takes "not found" for deleted.
    if (!r && r.error().kind == core::error_kind::not_found) return true;
    return r;
  };
  const way w{"DeleteJob", true};
  co_return co_await call<bool>(w, std::move(serve), deadline);
}

async_result<cml::runs_page> wire::list_runs(std::string, std::string job_id, int most,
                                             core::instant deadline) {
  rules_.asks_runs(job_id);
  int number = 0;
  std::function<result<cml::page<cml::run>>(const std::string&)> serve =
      [cml = &cml_, job_id](const std::string& token) { return cml->list_runs(job_id, token); };
  auto fetch = [&](std::string token) {
    return page<cml::run>("ListJobRuns", std::move(token), serve, deadline, number);
  };
  cml::list_name list{"ListJobRuns", "runs"};
  auto out = co_await cml::read_newest_runs(std::move(list), most, fetch);
  rules_.learned_runs(job_id, out);
  co_return out;
}

async_result<cml::run> wire::get_run(std::string, std::string job_id, std::string run_id,
                                     core::instant deadline) {
  std::function<result<cml::run>()> serve = [cml = &cml_, job_id, run_id] {
    return cml->get_run(job_id, run_id);
  };
  const way w{"GetJobRun"};
  auto out = co_await call<cml::run>(w, std::move(serve), deadline);
  rules_.learned_run(job_id, run_id, out);
  co_return out;
}

async_result<cml::run> wire::start_run(std::string project_id, std::string job_id,
                                       cml::run_request body, core::instant deadline) {
  const auto known_from = rules_.sends_start_run(project_id, job_id, body);
  const auto number = of_.number();
  auto* rules = &rules_;
  std::function<result<cml::run>()> serve = [rules, job_id, body, number, known_from, cml = &cml_] {
    std::function<void(sim_job&, const sim_run&)> made = [rules, known_from](sim_job& job,
                                                                             const sim_run& run) {
      rules->run_made(job, run, known_from);
    };
    return cml->start_run(job_id, body, number, made);
  };
  const way w{"CreateJobRun", true, false, 0, "run of " + job_id};
  auto out = co_await call<cml::run>(w, std::move(serve), deadline);
  if (out) rules_.learned_run(job_id, out->id, out);
  co_return out;
}

async_result<cml::run> wire::stop_run(std::string project_id, std::string job_id,
                                      std::string run_id, core::instant deadline) {
  rules_.sends_stop_run(project_id, job_id, run_id);
  std::function<result<cml::run>()> serve = [cml = &cml_, job_id, run_id] {
    return cml->stop_run(job_id, run_id, origin::daemon);
  };
  const way w{"StopJobRun", true};
  auto out = co_await call<cml::run>(w, std::move(serve), deadline);
  if (out) rules_.learned_run(job_id, run_id, out);
  co_return out;
}

async_result<cml::key_check> wire::validate_key(core::instant deadline) {
  std::function<result<cml::key_check>()> serve = []() -> result<cml::key_check> {
    cml::key_check check;
    check.valid = true;
    check.username = "svc-deploy";
    return check;
  };
  const way w{"ValidateAPIKey"};
  co_return co_await call<cml::key_check>(w, std::move(serve), deadline);
}

}  // namespace cmlrec::simulation
