#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <boost/json.hpp>

#include "reconcile/state_store.hpp"

namespace cmlrec::reconcile {
namespace {

namespace json = boost::json;

void put(json::object& o, const char* name, const std::optional<core::timestamp>& at) {
  if (at) o[name] = core::format_timestamp(*at);
}

void put(json::object& o, const char* name, bool value) {
  if (value) o[name] = true;
}

void put(json::object& o, const char* name, const std::set<std::string>& keys) {
  if (keys.empty()) return;
  auto& list = o[name].emplace_array();
  for (const auto& key : keys) list.emplace_back(key);
}

void put(json::object& o, const std::optional<plan::suspension>& s) {
  if (!s) return;
  auto& held = o["suspended"].emplace_object();
  put(held, "until", s->until);
  held["by"] = s->by;
}

std::optional<core::timestamp> time_of(const json::object& o, const char* name) {
  const auto* v = o.if_contains(name);
  if (v == nullptr || !v->is_string()) return std::nullopt;
  return core::parse_timestamp(std::string_view(v->get_string()));
}

bool flag_of(const json::object& o, const char* name) {
  const auto* v = o.if_contains(name);
  return v != nullptr && v->is_bool() && v->get_bool();
}

std::set<std::string> keys_of(const json::object& o, const char* name) {
  std::set<std::string> out;
  const auto* list = o.if_contains(name);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& key : list->get_array())
    if (key.is_string()) out.emplace(key.get_string());
  return out;
}

std::optional<plan::suspension> suspension_of(const json::object& o) {
  const auto* v = o.if_contains("suspended");
  if (v == nullptr || !v->is_object()) return std::nullopt;
  const auto& held = v->get_object();
  plan::suspension out;
  out.until = time_of(held, "until");
  if (const auto* by = held.if_contains("by"); by != nullptr && by->is_string())
    out.by = std::string(by->get_string());
  return out;
}

json::object to_json(const saved_state& state) {
  json::object projects;
  for (const auto& [name, p] : state.projects) {
    json::object project;
    put(project, "create_sent", p.create_sent);
    put(project, "force_requested", p.force_requested);
    put(project, "force_at", p.force_at);
    put(project, "force_jobs", p.jobs_to_force);
    put(project, "retry_requested", p.retry_requested);
    put(project, "retry_jobs", p.jobs_to_retry);
    put(project, p.suspended);
    json::object jobs;
    for (const auto& [job_name, j] : p.jobs) {
      json::object job;
      put(job, "create_sent", j.create_sent);
      put(job, "start_sent", j.start_sent);
      put(job, "force_at", j.force_at);
      put(job, "attempts_from", j.attempts_from);
      put(job, j.suspended);
      if (!job.empty()) jobs[job_name] = std::move(job);
    }
    if (!jobs.empty()) project["jobs"] = std::move(jobs);
    if (!project.empty()) projects[name] = std::move(project);
  }
  json::object out;
  out["version"] = 1;
  put(out, "complete_from", state.complete_from);
  put(out, "force_rebuild_taken", state.force_rebuild_taken);
  out["projects"] = std::move(projects);
  return out;
}

saved_state from_json(const json::object& all) {
  saved_state out;
  out.complete_from = time_of(all, "complete_from");
  out.force_rebuild_taken = flag_of(all, "force_rebuild_taken");
  const auto* projects = all.if_contains("projects");
  if (projects == nullptr || !projects->is_object()) return out;
  for (const auto& [name, value] : projects->get_object()) {
    if (!value.is_object()) continue;
    const auto& o = value.get_object();
    auto& p = out.projects[std::string(name)];
    p.create_sent = flag_of(o, "create_sent");
    p.force_requested = flag_of(o, "force_requested");
    p.force_at = time_of(o, "force_at");
    p.jobs_to_force = keys_of(o, "force_jobs");
    p.retry_requested = flag_of(o, "retry_requested");
    p.jobs_to_retry = keys_of(o, "retry_jobs");
    p.suspended = suspension_of(o);
    const auto* jobs = o.if_contains("jobs");
    if (jobs == nullptr || !jobs->is_object()) continue;
    for (const auto& [job_name, job_value] : jobs->get_object()) {
      if (!job_value.is_object()) continue;
      const auto& jo = job_value.get_object();
      p.jobs[std::string(job_name)] = {flag_of(jo, "create_sent"), flag_of(jo, "start_sent"),
                                       time_of(jo, "force_at"), time_of(jo, "attempts_from"),
                                       suspension_of(jo)};
    }
  }
  return out;
}

class state_file final : public state_store {
 public:
  explicit state_file(const std::string& directory) : path_(directory + "/state.json") {
    std::error_code ec;
    std::filesystem::create_directories(directory, ec);
    const auto lock_path = directory + "/lock";
    lock_ = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0)
      throw std::runtime_error("the state directory '" + directory + "' cannot be written (" +
                               std::strerror(errno) +
                               "); give one that this user may write with --state-dir");
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
      ::close(lock_);
      throw std::runtime_error("the state directory '" + directory +
                               "' is in use by another cml-reconciler; stop it, or give another "
                               "one with --state-dir");
    }
  }
  state_file(const state_file&) = delete;
  state_file& operator=(const state_file&) = delete;
  ~state_file() override { ::close(lock_); }

  std::optional<saved_state> load() override {
    std::ifstream in(path_);
    if (!in) return std::nullopt;
    std::ostringstream text;
    text << in.rdbuf();
    boost::system::error_code ec;
    const auto value = json::parse(text.str(), ec);
    // A journal that cannot be read says nothing: as if there were none, the careful reading.
    if (ec || !value.is_object()) return std::nullopt;
    return from_json(value.get_object());
  }

  bool save(const saved_state& state, std::string& why) override {
    if (last_ && *last_ == state) return true;
    const auto temporary = path_ + ".new";
    {
      std::ofstream out(temporary, std::ios::trunc);
      out << json::serialize(to_json(state)) << '\n';
      out.flush();
      if (!out) {
        why = "cannot write " + temporary + ": " + std::strerror(errno);
        return false;
      }
    }
    if (std::rename(temporary.c_str(), path_.c_str()) != 0) {
      why = "cannot replace " + path_ + ": " + std::strerror(errno);
      return false;
    }
    last_ = state;
    return true;
  }

 private:
  std::string path_;
  int lock_ = -1;
  std::optional<saved_state> last_;
};

}  // namespace

std::unique_ptr<state_store> open_state_directory(const std::string& directory) {
  return std::make_unique<state_file>(directory);
}

}  // namespace cmlrec::reconcile
