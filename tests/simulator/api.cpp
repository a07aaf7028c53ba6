#include "simulator/api.hpp"

#include "simulator/schema.hpp"

#include <algorithm>
#include <vector>

#include <boost/url.hpp>

namespace cmlrec::simulator {
namespace {

constexpr std::string_view prefix = "/api/v2/";

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> out;
  while (true) {
    const auto slash = path.find('/');
    const auto piece = path.substr(0, slash);
    const auto decoded = boost::urls::make_pct_string_view(piece);
    out.push_back(decoded ? decoded->decode() : std::string(piece));
    if (slash == std::string_view::npos) return out;
    path.remove_prefix(slash + 1);
  }
}

struct method_name {
  std::string_view method;
  const char* operation;
};

bool pick(route& r, std::string_view method, std::initializer_list<method_name> names) {
  r.known_path = true;
  for (const auto& n : names)
    if (n.method == method) {
      r.operation = n.operation;
      r.is_write = method != "GET" && r.operation != "ValidateAPIKey";
    }
  return !r.operation.empty();
}

std::span<const member> shape_of(std::string_view operation) {
  if (operation == "CreateProject") return create_project_members();
  if (operation == "UpdateProject") return project_members();
  if (operation == "CreateJob") return create_job_members();
  if (operation == "UpdateJob") return job_members();
  if (operation == "CreateJobRun") return create_run_members();
  if (operation == "ValidateAPIKey") return validate_key_members();
  return {};
}

std::optional<api_error> check_id(const char* field, const std::string& id, std::size_t length) {
  if (id.size() == length) return std::nullopt;
  return invalid(std::string("Problem with field ") + field + ": value length must be " +
                 std::to_string(length) + " runes");
}

std::optional<api_error> check_ids(const route& at) {
  const auto operation_names = [&](std::string_view part) {
    return at.operation.find(part) != std::string::npos;
  };
  const bool in_project = at.path.starts_with("/api/v2/projects/");
  if (in_project)
    if (auto problem = check_id("ProjectId", at.project_id, 19)) return problem;
  const bool one_job = in_project && (operation_names("JobRun") || at.operation == "GetJob" ||
                                      at.operation == "UpdateJob" || at.operation == "DeleteJob");
  if (one_job)
    if (auto problem = check_id("JobId", at.job_id, 19)) return problem;
  if (at.operation == "GetJobRun" || at.operation == "StopJobRun")
    return check_id("RunId", at.run_id, 16);
  return std::nullopt;
}

}  // namespace

reply json_reply(int status, const json::value& body) {
  reply r;
  r.status = status;
  r.body = json::serialize(body);
  return r;
}

reply error_reply(const api_error& e) {
  return json_reply(e.status, json::object{{"error", e.message},
                                           {"code", e.code},
                                           {"message", e.message},
                                           {"details", json::array()}});
}

bool is_well_formed_key(std::string_view key) {
  return key.size() >= 20 && std::all_of(key.begin(), key.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

route find_route(std::string_view method, std::string_view target) {
  route r;
  const auto question = target.find('?');
  r.path = std::string(target.substr(0, question));
  if (question != std::string_view::npos) r.query = std::string(target.substr(question + 1));
  if (!r.path.starts_with(prefix)) return r;
  const auto s = segments_of(std::string_view(r.path).substr(prefix.size()));
  const auto n = s.size();
  if (n == 2 && s[0] == "auth" && s[1] == "validate_key") {
    pick(r, method, {{"POST", "ValidateAPIKey"}});
  } else if (n == 1 && s[0] == "jobs") {
    pick(r, method, {{"GET", "ListAllJobs"}});
  } else if (n == 1 && s[0] == "runtimes") {
    pick(r, method, {{"GET", "ListRuntimes"}});
  } else if (n == 1 && s[0] == "projects") {
    pick(r, method, {{"GET", "ListProjects"}, {"POST", "CreateProject"}});
  } else if (s[0] == "projects" && n >= 2) {
    r.project_id = s[1];
    if (n >= 4) r.job_id = s[3];
    if (n == 2) {
      pick(r, method,
           {{"GET", "GetProject"}, {"PATCH", "UpdateProject"}, {"DELETE", "DeleteProject"}});
    } else if (s[2] != "jobs") {
      return r;
    } else if (n == 3) {
      pick(r, method, {{"GET", "ListJobs"}, {"POST", "CreateJob"}});
    } else if (n == 4) {
      pick(r, method, {{"GET", "GetJob"}, {"PATCH", "UpdateJob"}, {"DELETE", "DeleteJob"}});
    } else if (n == 5 && s[4] == "runs") {
      pick(r, method, {{"GET", "ListJobRuns"}, {"POST", "CreateJobRun"}});
    } else if (n == 6 && s[4] == "runs") {
      r.run_id = s[5];
      if (r.run_id.ends_with(":stop")) {
        r.run_id.resize(r.run_id.size() - 5);
        pick(r, method, {{"POST", "StopJobRun"}});
      } else {
        pick(r, method, {{"GET", "GetJobRun"}});
      }
    }
  }
  return r;
}

std::optional<api_error> api::check_key(const request& r) const {
  if (!r.authorization) return unauthenticated("no \"authorization\" header");
  std::string_view key = *r.authorization;
  if (!key.starts_with("Bearer ")) return internal_error("malformed apikey");
  key.remove_prefix(7);
  if (!is_well_formed_key(key)) return internal_error("malformed apikey");
  if (key != key_) return unauthenticated("invalid apikey");
  return std::nullopt;
}

reply api::answer_to(const route& at, const request& r) {
  const auto result = dispatch(at, r);
  return result ? json_reply(200, *result) : error_reply(result.error());
}

answer<json::object> api::read_body(const route& at, const std::string& body) {
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) {
    ledger_.note_violation(at.operation + ": no body");
    return invalid("a request body is required");
  }
  boost::system::error_code ec;
  auto parsed = json::parse(body, ec);
  if (ec) {
    ledger_.note_violation(at.operation + ": the body is not JSON");
    return invalid("invalid character in the request body");
  }
  if (!parsed.is_object()) {
    ledger_.note_violation(at.operation + ": the body is not an object");
    return invalid("json: cannot unmarshal the request body into an object");
  }
  if (auto problem = check(shape_of(at.operation), parsed.get_object())) {
    ledger_.note_violation(at.operation + ": " + problem->place);
    return invalid(problem->message);
  }
  const auto must_agree = [&](const char* name, const std::string& in_path) {
    if (in_path.empty() || at.operation.starts_with("Update")) return true;
    const auto* given = parsed.get_object().if_contains(name);
    return !given || given->as_string().empty() || given->as_string() == in_path;
  };
  if (!must_agree("project_id", at.project_id) || !must_agree("job_id", at.job_id)) {
    ledger_.note_violation(at.operation + ": the ids of body and path differ");
    return invalid("the ids of the body and of the path differ");
  }
  return std::move(parsed.get_object());
}

answer<list_query> api::read_query(const route& at) const {
  list_query out;
  if (at.query.empty()) return out;
  const auto parsed = boost::urls::parse_query(at.query);
  if (!parsed) return invalid("the query string is malformed");
  boost::urls::encoding_opts form;
  form.space_as_plus = true;
  for (const auto& p : *parsed) {
    const auto key = p.key.decode(form);
    std::string value = p.value.decode(form);
    if (key == "search_filter") {
      out.search_filter = std::move(value);
    } else if (key == "sort") {
      out.sort = std::move(value);
    } else if (key == "page_size") {
      out.page_size = std::move(value);
    } else if (key == "page_token") {
      out.page_token = std::move(value);
    } else if (at.operation == "ListProjects" &&
               (key == "include_public_projects" || key == "include_all_projects")) {
      if (value != "true" && value != "false")
        return invalid("type mismatch, parameter: " + key + ", error: not a boolean");
    } else {
      return invalid("there is no query parameter '" + key + "'");
    }
  }
  return out;
}

answer<json::object> api::list(const route& at) {
  auto query = read_query(at);
  if (!query) {
    ledger_.note_violation(at.operation + ": " + query.error().message);
    return query.error();
  }
  auto page = [&]() -> answer<json::object> {
    if (at.operation == "ListProjects")
      return list_page(project_list(), at.path, workspace_.projects(), *query);
    if (at.operation == "ListAllJobs")
      return list_page(all_jobs_list(), at.path, workspace_.all_jobs(), *query);
    if (at.operation == "ListRuntimes")
      return list_page(runtime_list(), at.path, workspace::runtimes(), *query);
    if (at.operation == "ListJobs") {
      auto jobs = workspace_.jobs(at.project_id);
      if (!jobs) return jobs.error();
      return list_page(job_list(), at.path, std::move(*jobs), *query);
    }
    auto runs = workspace_.runs(at.project_id, at.job_id);
    if (!runs) return runs.error();
    const auto job = workspace_.get_job(at.project_id, at.job_id);
    return list_page(run_list(), at.path, std::move(*runs), *query, *job);
  }();
  if (!page && page.error().status == 400)
    ledger_.note_violation(at.operation + ": " + page.error().message);
  return page;
}

answer<json::object> api::validate_key(const json::object& body) const {
  const auto* audience = body.if_contains("audience");
  if (!audience || audience->as_string() != "API")
    return forbidden("the key is not valid for this audience");
  return json::object{{"valid", true}, {"username", workspace_.username()}, {"message", ""}};
}

answer<json::object> api::dispatch(const route& at, const request& r) {
  if (auto problem = check_ids(at)) {
    ledger_.note_violation(at.operation + ": " + problem->message);
    return *problem;
  }
  const auto& op = at.operation;
  if (op.starts_with("List")) return list(at);
  if (!at.query.empty()) {
    ledger_.note_violation(op + ": takes no query parameters");
    return invalid("this call takes no query parameters");
  }
  if (op == "GetProject") return workspace_.get_project(at.project_id);
  if (op == "DeleteProject") return workspace_.delete_project(at.project_id);
  if (op == "GetJob") return workspace_.get_job(at.project_id, at.job_id);
  if (op == "DeleteJob") return workspace_.delete_job(at.project_id, at.job_id);
  if (op == "GetJobRun") return workspace_.get_run(at.project_id, at.job_id, at.run_id);
  if (op == "StopJobRun") return workspace_.stop_run(at.project_id, at.job_id, at.run_id);
  auto body = read_body(at, r.body);
  if (!body) return body.error();
  if (op == "CreateProject") return workspace_.create_project(*body);
  if (op == "UpdateProject") return workspace_.update_project(at.project_id, *body);
  if (op == "CreateJob") return workspace_.create_job(at.project_id, *body);
  if (op == "UpdateJob") return workspace_.update_job(at.project_id, at.job_id, *body);
  if (op == "CreateJobRun") return workspace_.create_run(at.project_id, at.job_id, *body, "api");
  return validate_key(*body);
}

}  // namespace cmlrec::simulator
