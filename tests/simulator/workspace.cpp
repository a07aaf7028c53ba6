#include "simulator/workspace.hpp"

#include <algorithm>

namespace cmlrec::simulator {

workspace::workspace(rules r, timestamp now, workspace_observer* observer)
    : rules_(std::move(r)), now_(now), observer_(observer) {}

std::string environment_text(const json::object& environment) {
  return json::serialize(environment);
}

std::string workspace::random_text(std::size_t length) {
  static constexpr std::string_view alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string out;
  while (out.size() < length) {
    // splitmix64 of (seed, counter): ids look random, and are the same in every run of a seed.
    std::uint64_t z = rules_.seed * 0x9e3779b97f4a7c15ULL + ++counter_ * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    for (int i = 0; i < 8 && out.size() < length; ++i, z /= 36) out += alphabet[z % 36];
  }
  return out;
}

std::string workspace::public_id() {
  const auto raw = random_text(16);
  return raw.substr(0, 4) + "-" + raw.substr(4, 4) + "-" + raw.substr(8, 4) + "-" + raw.substr(12);
}

project* workspace::find_project(std::string_view id) {
  const auto found = std::find_if(projects_.begin(), projects_.end(),
                                  [&](const project& p) { return p.id == id; });
  return found == projects_.end() ? nullptr : &*found;
}

const project* workspace::find_project(std::string_view id) const {
  return const_cast<workspace*>(this)->find_project(id);
}

job* workspace::find_job(project& p, std::string_view id) {
  const auto found = std::find_if(p.jobs.begin(), p.jobs.end(),
                                  [&](const simulator::job& j) { return j.id == id; });
  return found == p.jobs.end() ? nullptr : &*found;
}

const job* workspace::find_job(const project& p, std::string_view id) {
  return find_job(const_cast<project&>(p), id);
}

answer<workspace::place> workspace::locate(std::string_view project_id, std::string_view job_id) {
  auto* p = find_project(project_id);
  if (!p) return not_found("project " + std::string(project_id) + " not found");
  auto* j = find_job(*p, job_id);
  if (!j) return not_found("job " + std::string(job_id) + " not found");
  return place{p, j};
}

json::object workspace::user() const {
  return {{"username", rules_.username},
          {"name", rules_.username},
          {"email", rules_.username + "@example.com"}};
}

const project_rule* workspace::rule_of(const project& p) const {
  const auto found = rules_.projects.find(p.name());
  return found == rules_.projects.end() ? nullptr : &found->second;
}

bool workspace::script_exists(const project& p, const std::string& script) const {
  if (!p.scripts_from || now_ < *p.scripts_from) return false;
  if (rules_.missing_scripts.contains(script)) return false;
  const auto* rule = rule_of(p);
  return !rule || !rule->missing_scripts.contains(script);
}

bool workspace::loses_call(std::string_view project_id) {
  auto* p = find_project(project_id);
  if (!p || p->calls_to_lose == 0) return false;
  --p->calls_to_lose;
  return true;
}

void workspace::advance_to(timestamp now) {
  while (fire_next(now)) {
  }
  now_ = std::max(now_, now);
}

// One thing at a time, the earliest first, because what happens may make another thing due.
bool workspace::fire_next(timestamp until) {
  enum class what { nothing, clone, pending, schedule, run };
  struct {
    timestamp at = timestamp::max();
    what kind = what::nothing;
    project* p = nullptr;
    simulator::job* j = nullptr;
    simulator::run* r = nullptr;
    std::size_t index = 0;
  } next;
  const auto consider = [&](const std::optional<timestamp>& at, what kind, project* p,
                            simulator::job* j, simulator::run* r, std::size_t index) {
    if (at && *at <= until && *at < next.at) next = {*at, kind, p, j, r, index};
  };
  for (auto& p : projects_) {
    consider(p.clone_ends, what::clone, &p, nullptr, nullptr, 0);
    for (auto& j : p.jobs) {
      for (std::size_t i = 0; i < j.pending.size(); ++i)
        consider(j.pending[i].at, what::pending, &p, &j, nullptr, i);
      consider(j.next_scheduled, what::schedule, &p, &j, nullptr, 0);
      if (auto* r = j.active()) consider(r->next_at, what::run, &p, &j, r, 0);
    }
  }
  if (next.kind == what::nothing) return false;
  now_ = std::max(now_, next.at);
  switch (next.kind) {
    case what::nothing:
      break;
    case what::clone:
      clone_ended(*next.p);
      break;
    case what::pending: {
      const auto due = next.j->pending[next.index];
      next.j->pending.erase(next.j->pending.begin() + static_cast<std::ptrdiff_t>(next.index));
      start_unattended(*next.p, *next.j, due);
      break;
    }
    case what::schedule:
      settle_job(*next.j);
      start_unattended(*next.p, *next.j, {now_, "schedule", 0});
      break;
    case what::run:
      step(*next.p, *next.j, *next.r);
      break;
  }
  return true;
}

answer<workspace::place> workspace::locate_by_hand(std::string_view project_name,
                                                   std::string_view job_name) {
  std::vector<place> found;
  for (auto& p : projects_) {
    if (!project_name.empty() && p.id != project_name && p.name() != project_name) continue;
    for (auto& j : p.jobs)
      if (j.id == job_name || j.text("name") == job_name) found.push_back({&p, &j});
  }
  if (found.empty())
    return not_found("there is no job '" + std::string(job_name) + "'" +
                     (project_name.empty() ? std::string()
                                           : " in a project '" + std::string(project_name) + "'"));
  if (found.size() > 1)
    return invalid(std::to_string(found.size()) + " jobs are named '" + std::string(job_name) +
                   "'; name the project, or use the job's id");
  return found.front();
}

answer<json::object> workspace::edit_by_hand(std::string_view project_name,
                                             std::string_view job_name,
                                             const json::object& fields) {
  place at;
  if (job_name.empty()) {
    for (auto& p : projects_)
      if (p.id == project_name || p.name() == project_name) at.in = &p;
    if (!at.in) return not_found("there is no project '" + std::string(project_name) + "'");
  } else {
    auto found = locate_by_hand(project_name, job_name);
    if (!found) return found.error();
    at = *found;
  }
  json::object changed = at.what ? at.what->fields : at.in->fields;
  for (const auto& item : fields) {
    const auto* held = changed.if_contains(item.key());
    if (!held) return invalid("there is no field '" + std::string(item.key()) + "'");
    json::value value = item.value();
    // The types of a create are fine here too.
    if (held->is_string() && value.is_object()) value = environment_text(value.get_object());
    if (held->is_string() && value.is_int64()) value = std::to_string(value.get_int64());
    if (held->is_double() && value.is_int64()) value = static_cast<double>(value.get_int64());
    if (held->kind() != value.kind())
      return invalid("field '" + std::string(item.key()) + "' has another type");
    changed[item.key()] = std::move(value);
  }
  if (!at.what) {
    at.in->fields = std::move(changed);
    at.in->updated_at = now_;
    return show(*at.in);
  }
  at.what->fields = std::move(changed);
  at.what->updated_at = now_;
  settle_job(*at.what);
  return show(*at.in, *at.what);
}

answer<json::object> workspace::run_by_hand(std::string_view project_name,
                                            std::string_view job_name, const json::object& body) {
  auto found = locate_by_hand(project_name, job_name);
  if (!found) return found.error();
  return create_run(found->in->id, found->what->id, body, "manual");
}

answer<json::object> workspace::stop_by_hand(std::string_view project_name,
                                             std::string_view job_name) {
  auto found = locate_by_hand(project_name, job_name);
  if (!found) return found.error();
  auto* active = found->what->active();
  if (!active) return precondition_failed("job '" + std::string(job_name) + "' has no active run");
  begin_stop(*found->in, *found->what, *active);
  return show(*found->in, *found->what, *active);
}

answer<json::object> workspace::delete_by_hand(std::string_view project_name,
                                               std::string_view job_name) {
  auto found = locate_by_hand(project_name, job_name);
  if (!found) return found.error();
  return delete_job(found->in->id, found->what->id);
}

std::vector<json::object> workspace::projects() const {
  std::vector<json::object> out;
  for (const auto& p : projects_) out.push_back(show(p));
  return out;
}

answer<std::vector<json::object>> workspace::jobs(std::string_view project_id) const {
  const auto* p = find_project(project_id);
  if (!p) return not_found("project " + std::string(project_id) + " not found");
  std::vector<json::object> out;
  for (const auto& j : p->jobs) out.push_back(show(*p, j));
  return out;
}

std::vector<json::object> workspace::all_jobs() const {
  std::vector<json::object> out;
  for (const auto& p : projects_)
    for (const auto& j : p.jobs) out.push_back(show(p, j));
  return out;
}

answer<std::vector<json::object>> workspace::runs(std::string_view project_id,
                                                  std::string_view job_id) const {
  auto found = const_cast<workspace*>(this)->locate(project_id, job_id);
  if (!found) return found.error();
  std::vector<json::object> out;
  for (const auto& r : found->what->runs) out.push_back(show(*found->in, *found->what, r));
  return out;
}

std::vector<json::object> workspace::runtimes() {
  const auto one = [](const char* editor, const char* edition, const char* kernel,
                      const char* tag) {
    std::string image = std::string("docker.repository.cloudera.com/cloudera/cdsw/ml-runtime-") +
                        tag + ":2025.09.1-b5";
    return json::object{{"image_identifier", image},
                        {"editor", editor},
                        {"kernel", kernel},
                        {"edition", edition},
                        {"description", std::string(edition) + " edition, " + kernel},
                        {"full_version", "2025.09.1-b5"},
                        {"status", "ENABLED"},
                        {"register_user_id", 0}};
  };
  return {one("JupyterLab", "Standard", "Python 3.10", "jupyterlab-python3.10-standard"),
          one("JupyterLab", "Standard", "Python 3.11", "jupyterlab-python3.11-standard"),
          one("JupyterLab", "Nvidia GPU", "Python 3.11", "jupyterlab-python3.11-cuda"),
          one("PBJ Workbench", "Standard", "Python 3.11", "pbj-workbench-python3.11-standard"),
          one("PBJ Workbench", "Standard", "R 4.4", "pbj-workbench-r4.4-standard")};
}

}  // namespace cmlrec::simulator
