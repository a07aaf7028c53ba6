#include "cml/http_api.hpp"

#include "cml/caller.hpp"
#include "cml/codec.hpp"
#include "cml/origin.hpp"
#include "cml/paging.hpp"
#include "cml/tls.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;
using core::error;
using core::error_kind;

// Fixed in time, so that what is changed while pages are read does not move to a page that has been
// read; what is created meanwhile makes repetitions, which are dropped, rather than gaps.
constexpr std::string_view newest_first = "&sort=-created_at";

template <class T>
using decoder = core::result<T> (*)(std::string_view);

template <class T>
class decode_into final : public body_reader {
 public:
  explicit decode_into(decoder<T> decode) : decode_(decode) {}
  std::optional<error> read(std::string_view body) override {
    auto decoded = decode_(body);
    if (!decoded) return decoded.error();
    value = std::move(*decoded);
    return std::nullopt;
  }
  T value;

 private:
  decoder<T> decode_;
};

class ignore_body final : public body_reader {
 public:
  std::optional<error> read(std::string_view) override { return std::nullopt; }
};

void collect(std::vector<std::string>& out, const core::text& t) {
  if (t.secret) out.push_back(t.value);
}

void collect(std::vector<std::string>& out, const core::field_value& value) {
  if (const auto* t = std::get_if<core::text>(&value)) collect(out, *t);
  if (const auto* list = std::get_if<core::text_list>(&value))
    for (const auto& t : *list) collect(out, t);
  if (const auto* map = std::get_if<core::text_map>(&value))
    for (const auto& [key, t] : *map) collect(out, t);
  if (const auto* list = std::get_if<core::recipient_list>(&value))
    for (const auto& r : *list) collect(out, r.email);
}

std::vector<std::string> secrets_in(const core::field_set& fields) {
  std::vector<std::string> out;
  for (const auto& [name, value] : fields) collect(out, value);
  return out;
}

std::string quoted_name(const core::field_set& fields) {
  const auto found = fields.find("name");
  const auto* name = found == fields.end() ? nullptr : std::get_if<core::text>(&found->second);
  if (!name) return {};
  return "'" + (name->secret ? std::string(core::secret_mask) : name->value) + "'";
}

std::string project_path(const std::string& project) {
  return "/api/v2/projects/" + percent_encode(project);
}
std::string job_path(const std::string& project, const std::string& job) {
  return project_path(project) + "/jobs/" + percent_encode(job);
}
std::string run_path(const std::string& project, const std::string& job, const std::string& run) {
  return job_path(project, job) + "/runs/" + percent_encode(run);
}

// An id that would turn one path into another must not be sent, wherever it came from.
bool unusable(const std::string& id) { return id.empty() || id == "." || id == ".."; }

std::string job_words(const std::string& project, const std::string& job) {
  return "job " + job + " of project " + project;
}

struct list_source {
  const char* operation;
  std::string path;
  std::string query;  // what every page repeats, without '?'
  std::string object;
};

class http_api final : public api {
 public:
  http_api(std::shared_ptr<caller> calls, int page_size)
      : calls_(std::move(calls)), page_size_(std::to_string(std::max(1, page_size))) {}

  async_result<std::vector<project>> list_projects(std::string name,
                                                   core::instant deadline) override {
    list_source from{"ListProjects", "/api/v2/projects", first_parameters(), "projects"};
    if (!name.empty()) {
      std::string filter = "{\"name\":";
      filter += quote(name);
      filter += "}";
      from.query += "&search_filter=" + percent_encode(filter);
      from.object = "projects named '" + name + "'";
    }
    co_return co_await whole_list<project>(from, &decode_projects, deadline);
  }

  async_result<project> get_project(std::string project_id, core::instant deadline) override {
    call c("GetProject", effect::reads_one, "GET", project_path(project_id));
    c.object = "project " + project_id;
    const std::vector<std::string> ids{project_id};
    co_return co_await one<project>(std::move(c), ids, &decode_project, deadline);
  }

  async_result<project> create_project(project_write body, core::instant deadline) override {
    call c("CreateProject", effect::changes_once, "POST", "/api/v2/projects");
    c.body = encode_create(body);
    c.object = "project " + quoted_name(body.fields);
    c.secrets = secrets_in(body.fields);
    const std::vector<std::string> ids;
    co_return co_await one<project>(std::move(c), ids, &decode_project, deadline);
  }

  async_result<project> update_project(std::string project_id, project_write body,
                                       core::instant deadline) override {
    call c("UpdateProject", effect::changes_repeatably, "PATCH", project_path(project_id));
    c.body = encode_patch(body);
    c.object = "project " + project_id;
    c.secrets = secrets_in(body.fields);
    const std::vector<std::string> ids{project_id};
    co_return co_await one<project>(std::move(c), ids, &decode_project, deadline);
  }

  async_result<std::vector<job>> list_jobs(std::string project_id,
                                           core::instant deadline) override {
    if (unusable(project_id)) co_return bad_id("ListJobs");
    const list_source from{"ListJobs", project_path(project_id) + "/jobs", first_parameters(),
                           "the jobs of project " + project_id};
    co_return co_await whole_list<job>(from, &decode_jobs, deadline);
  }

  async_result<job> create_job(std::string project_id, job_write body,
                               core::instant deadline) override {
    call c("CreateJob", effect::changes_once, "POST", project_path(project_id) + "/jobs");
    c.body = encode_create(project_id, body);
    c.object = "job " + quoted_name(body.fields) + " of project " + project_id;
    c.secrets = secrets_in(body.fields);
    const std::vector<std::string> ids{project_id};
    co_return co_await one<job>(std::move(c), ids, &decode_job, deadline);
  }

  async_result<job> update_job(std::string project_id, std::string job_id, job_write body,
                               core::instant deadline) override {
    call c("UpdateJob", effect::changes_repeatably, "PATCH", job_path(project_id, job_id));
    c.body = encode_patch(body);
    c.object = job_words(project_id, job_id);
    c.secrets = secrets_in(body.fields);
    const std::vector<std::string> ids{project_id, job_id};
    co_return co_await one<job>(std::move(c), ids, &decode_job, deadline);
  }

  async_result<bool> delete_job(std::string project_id, std::string job_id,
                                core::instant deadline) override {
    if (unusable(project_id) || unusable(job_id)) co_return bad_id("DeleteJob");
    call c("DeleteJob", effect::changes_repeatably, "DELETE", job_path(project_id, job_id));
    c.object = job_words(project_id, job_id);
    ignore_body nothing;
    auto trouble = co_await calls_->run(std::move(c), nothing, deadline);
    if (trouble && trouble->kind != error_kind::not_found) co_return std::move(*trouble);
    co_return true;
  }

  async_result<runs_page> list_runs(std::string project_id, std::string job_id, int most,
                                    core::instant deadline) override;

  async_result<run> get_run(std::string project_id, std::string job_id, std::string run_id,
                            core::instant deadline) override {
    call c("GetJobRun", effect::reads_one, "GET", run_path(project_id, job_id, run_id));
    c.object = "run " + run_id + " of " + job_words(project_id, job_id);
    const std::vector<std::string> ids{project_id, job_id, run_id};
    co_return co_await one<run>(std::move(c), ids, &decode_run, deadline);
  }

  async_result<run> start_run(std::string project_id, std::string job_id, run_request body,
                              core::instant deadline) override {
    call c("CreateJobRun", effect::changes_once, "POST", job_path(project_id, job_id) + "/runs");
    c.body = encode_start(project_id, job_id, body);
    c.object = "a run of " + job_words(project_id, job_id);
    if (body.environment)
      for (const auto& [key, value] : *body.environment) collect(c.secrets, value);
    const std::vector<std::string> ids{project_id, job_id};
    co_return co_await one<run>(std::move(c), ids, &decode_run, deadline);
  }

  async_result<run> stop_run(std::string project_id, std::string job_id, std::string run_id,
                             core::instant deadline) override {
    call c("StopJobRun", effect::changes_once, "POST",
           run_path(project_id, job_id, run_id) + ":stop");
    c.object = "run " + run_id + " of " + job_words(project_id, job_id);
    const std::vector<std::string> ids{project_id, job_id, run_id};
    co_return co_await one<run>(std::move(c), ids, &decode_run, deadline);
  }

  async_result<key_check> validate_key(core::instant deadline) override {
    // A POST that changes nothing: it is treated as a read.
    call c("ValidateAPIKey", effect::reads_list, "POST", "/api/v2/auth/validate_key");
    c.body = R"({"audience":"API"})";
    const std::vector<std::string> ids;
    co_return co_await one<key_check>(std::move(c), ids, &decode_key_check, deadline);
  }

  core::timestamp server_time() const override { return calls_->server_time(); }

 private:
  std::string first_parameters() const {
    std::string out = "page_size=" + page_size_;
    return out.append(newest_first);
  }

  static std::string quote(const std::string& text);

  static error bad_id(const char* operation) {
    error out(error_kind::internal, "it was asked for without the id of its object");
    out.operation = operation;
    return out;
  }

  template <class T>
  async_result<T> one(call c, const std::vector<std::string>& ids, decoder<T> decode,
                      core::instant deadline) {
    if (std::any_of(ids.begin(), ids.end(), unusable)) co_return bad_id(c.operation);
    decode_into<T> into(decode);
    auto trouble = co_await calls_->run(std::move(c), into, deadline);
    if (trouble) co_return std::move(*trouble);
    co_return std::move(into.value);
  }

  template <class T>
  async_result<page<T>> one_page(const list_source& from, std::string token,
                                 decoder<page<T>> decode, core::duration time) {
    const auto deadline = calls_->now() + time;
    call c(from.operation, effect::reads_list, "GET", from.path + "?" + from.query);
    if (!token.empty()) c.target += "&page_token=" + percent_encode(token);
    c.object = from.object;
    decode_into<page<T>> into(decode);
    auto trouble = co_await calls_->run(std::move(c), into, deadline);
    if (trouble) co_return std::move(*trouble);
    co_return std::move(into.value);
  }

  template <class T>
  async_result<std::vector<T>> whole_list(const list_source& from, decoder<page<T>> decode,
                                          core::instant deadline) {
    const auto time = deadline - calls_->now();
    auto fetch = [&](std::string token) {
      return one_page<T>(from, std::move(token), decode, time);
    };
    list_name name{from.operation, from.object};
    co_return co_await read_whole_list<T>(std::move(name), fetch);
  }

  std::shared_ptr<caller> calls_;
  std::string page_size_;
};

async_result<runs_page> http_api::list_runs(std::string project_id, std::string job_id, int most,
                                            core::instant deadline) {
  if (unusable(project_id) || unusable(job_id)) co_return bad_id("ListJobRuns");
  const list_source from{"ListJobRuns", job_path(project_id, job_id) + "/runs", first_parameters(),
                         "the runs of " + job_words(project_id, job_id)};
  const auto time = deadline - calls_->now();
  auto fetch = [&](std::string token) {
    return one_page<run>(from, std::move(token), &decode_runs, time);
  };
  list_name name{from.operation, from.object};
  co_return co_await read_newest_runs(std::move(name), most, fetch);
}

std::string http_api::quote(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    static constexpr std::string_view digits = "0123456789abcdef";
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

std::unique_ptr<api> make_http_api(asio::any_io_executor executor, core::clock& clock,
                                   http_options options, call_observer* observer) {
  std::string why;
  const auto url = parse_url(options.base_url, why);
  if (!url) throw std::runtime_error("the address of CML cannot be used: " + why);
  if (url->target != "/")
    throw std::runtime_error(
        "the address of CML cannot be used: expected https://host[:port] without a path");
  if (!url->at.tls && !is_loopback(url->at.host))
    throw std::runtime_error(
        "the address of CML cannot be used: http would send the API key in clear; only loopback "
        "may be reached so");
  transport_options to;
  to.to = url->at;
  to.connect_timeout = options.connect_timeout;
  to.max_body = options.max_body;
  if (url->at.tls) to.tls = make_tls_context(options.ca_file);
  if (!options.proxy.empty() && !bypasses_proxy(url->at, options.no_proxy)) {
    to.proxy = parse_proxy(options.proxy, why);
    if (!to.proxy) throw std::runtime_error("the proxy cannot be used: " + why);
  }
  const auto page_size = options.page_size;
  auto over = make_transport(executor, std::move(to));
  auto calls = std::make_shared<caller>(std::move(executor), clock, std::move(options),
                                        std::move(over), observer);
  return std::make_unique<http_api>(std::move(calls), page_size);
}

}  // namespace cmlrec::cml
