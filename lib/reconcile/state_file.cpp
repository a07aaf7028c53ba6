#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/json.hpp>

#include "core/json_writer.hpp"
#include "reconcile/state_store.hpp"

namespace cmlrec::reconcile {
namespace {

namespace json = boost::json;

// Written before every POST, with a member per job while ten thousand are being made. What is false,
// not there or empty is left out.
void put(core::json_writer& o, const char* name, const std::optional<core::timestamp>& at) {
  if (!at) return;
  o.key(name);
  o.text(core::format_timestamp(*at));
}

void put(core::json_writer& o, const char* name, bool value) {
  if (!value) return;
  o.key(name);
  o.boolean(true);
}

void put(core::json_writer& o, const char* name, const std::set<std::string>& keys) {
  if (keys.empty()) return;
  o.key(name);
  o.begin_array();
  for (const auto& key : keys) o.text(key);
  o.end_array();
}

void put(core::json_writer& o, const std::optional<plan::suspension>& s) {
  if (!s) return;
  o.key("suspended");
  o.begin_object();
  put(o, "until", s->until);
  o.key("by");
  o.text(s->by);
  o.end_object();
}

// One member per element that has something to say.
template <class Map, class Write>
void put_objects(core::json_writer& o, const Map& all, Write write) {
  for (const auto& [name, value] : all) {
    const auto before = o.here();
    o.key(name);
    o.begin_object();
    const auto inner = o.here();
    write(value);
    if (o.here().size == inner.size)
      o.rewind(before);
    else
      o.end_object();
  }
}

void put(core::json_writer& o, const saved_job& job) {
  put(o, "create_sent", job.create_sent);
  put(o, "start_sent", job.start_sent);
  put(o, "force_at", job.force_at);
  put(o, "attempts_from", job.attempts_from);
  put(o, job.suspended);
}

void put(core::json_writer& o, const saved_project& p) {
  put(o, "create_sent", p.create_sent);
  put(o, "force_requested", p.force_requested);
  put(o, "force_at", p.force_at);
  put(o, "force_jobs", p.jobs_to_force);
  put(o, "retry_requested", p.retry_requested);
  put(o, "retry_jobs", p.jobs_to_retry);
  put(o, p.suspended);
  if (p.jobs.empty()) return;
  o.key("jobs");
  o.begin_object();
  put_objects(o, p.jobs, [&](const saved_job& job) { put(o, job); });
  o.end_object();
}

// Names the time since the machine was started; empty where it does not say. What is written is not
// forced onto the disk, which would hold the loop: it outlives the process, and not the machine.
std::string this_boot() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(in, id);
  return id;
}

// Its members, without the braces; empty where there is nothing to say.
std::string members_of(const saved_project& p) {
  std::string out;
  core::json_writer o(out);
  o.begin_object();
  put(o, p);
  return out.substr(1);
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

saved_state from_json(const json::object& all, const std::string& boot) {
  saved_state out;
  if (const auto* of = all.if_contains("boot"); of != nullptr && of->is_string())
    out.of_this_boot = boot.empty() || of->get_string() == boot;
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
    return from_json(value.get_object(), boot_);
  }

  bool save(const saved_state& state, std::string& why) override {
    auto text = to_text(state);
    if (text == last_) return true;
    const auto temporary = path_ + ".new";
    {
      std::ofstream out(temporary, std::ios::trunc);
      out << text;
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
    last_ = std::move(text);
    return true;
  }

 private:
  // What has not changed since the last time is not written out anew.
  struct written_project {
    saved_project of;
    std::string members;
  };

  std::string to_text(const saved_state& state) {
    std::string out;
    core::json_writer o(out);
    o.begin_object();
    o.key("version");
    o.number(1);
    if (!boot_.empty()) {
      o.key("boot");
      o.text(boot_);
    }
    put(o, "complete_from", state.complete_from);
    put(o, "force_rebuild_taken", state.force_rebuild_taken);
    o.key("projects");
    o.begin_object();
    std::erase_if(projects_, [&](const auto& e) { return !state.projects.contains(e.first); });
    for (const auto& [name, p] : state.projects) {
      auto& known = projects_[name];
      if (!(known.of == p)) known = {p, members_of(p)};
      if (known.members.empty()) continue;
      o.key(name);
      o.begin_object();
      out += known.members;
      o.end_object();
    }
    o.end_object();
    o.end_object();
    out += '\n';
    return out;
  }

  std::string path_;
  std::map<std::string, written_project> projects_;
  const std::string boot_ = this_boot();
  int lock_ = -1;
  std::string last_;
};

}  // namespace

std::unique_ptr<state_store> open_state_directory(const std::string& directory) {
  return std::make_unique<state_file>(directory);
}

}  // namespace cmlrec::reconcile
