// Objects that were there before the simulator started, as a script file gives them.
#include "simulator/schema.hpp"
#include "simulator/workspace.hpp"

#include <span>
#include <utility>

namespace cmlrec::simulator {
namespace {

// A stamp of RFC 3339, or "-2h": so long before the start.
std::optional<timestamp> read_stamp(const json::value& v, timestamp now) {
  if (!v.is_string()) return std::nullopt;
  const std::string text(v.get_string());
  if (!text.starts_with('-')) return core::parse_timestamp(text);
  const auto ago = core::parse_duration(text.substr(1));
  if (!ago) return std::nullopt;
  return now - *ago;
}

// Takes the member out of `from`, so that the rest is a body of the API.
std::optional<json::value> take(json::object& from, std::string_view name) {
  const auto found = from.find(name);
  if (found == from.end()) return std::nullopt;
  json::value out = found->value();
  from.erase(found);
  return out;
}

std::optional<std::string> take_stamp(json::object& from, const char* name, timestamp now,
                                      std::optional<timestamp>& out, const std::string& spot) {
  const auto value = take(from, name);
  if (!value) return std::nullopt;
  out = read_stamp(*value, now);
  if (out) return std::nullopt;
  return spot + "." + name + ": a time such as 2026-01-02T03:04:05Z or -2h is due";
}

std::optional<std::string> check_body(std::span<const member> members, const json::object& body,
                                      const std::string& spot) {
  if (const auto problem = check(members, body)) return spot + "." + problem->place;
  return std::nullopt;
}

std::optional<run_phase> phase_of(std::string_view status) {
  if (status == "ENGINE_SCHEDULING") return run_phase::scheduling;
  if (status == "ENGINE_STARTING") return run_phase::starting;
  if (status == "ENGINE_RUNNING") return run_phase::running;
  if (status == "ENGINE_STOPPING") return run_phase::stopping;
  for (const auto* over :
       {"ENGINE_SUCCEEDED", "ENGINE_FAILED", "ENGINE_TIMEDOUT", "ENGINE_STOPPED", "ENGINE_SKIPPED"})
    if (status == over) return run_phase::over;
  if (status.starts_with("ENGINE_")) return run_phase::stuck;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> workspace::add_initial(const json::object& state) {
  for (const auto& item : state)
    if (item.key() != "projects") return "state: unknown member '" + std::string(item.key()) + "'";
  const auto* list = state.if_contains("projects");
  if (!list) return std::nullopt;
  if (!list->is_array()) return "state.projects: a list is due";
  for (const auto& item : list->get_array()) {
    const std::string spot = "state.projects[]";
    if (!item.is_object()) return spot + ": an object is due";
    json::object body = item.get_object();
    const auto id = take(body, "id");
    const auto jobs = take(body, "jobs");
    const auto status = take(body, "creation_status");
    std::optional<timestamp> created;
    if (auto problem = take_stamp(body, "created_at", now_, created, spot)) return problem;
    if (auto problem = check_body(create_project_members(), body, spot)) return problem;
    auto added = add_project(body);
    if (!added) return spot + ": " + added.error().message;
    project& p = **added;
    if (id) {
      if (!id->is_string() || id->get_string().size() != 19)
        return spot + ".id: 19 characters are due";
      p.id = id->get_string();
    }
    p.calls_to_lose = 0;
    p.created_at = p.updated_at = created.value_or(now_);
    if (status && !status->is_string()) return spot + ".creation_status: a string is due";
    p.creation_status = status ? std::string(status->get_string()) : "success";
    // Without a word about it, an old project is ready; a clone in progress goes on as usual.
    if (p.creation_status != "creating") {
      p.clone_ends.reset();
      if (p.creation_status != "failure") p.scripts_from = p.created_at;
    }
    if (!jobs) continue;
    if (!jobs->is_array()) return spot + ".jobs: a list is due";
    for (const auto& j : jobs->get_array()) {
      if (!j.is_object()) return spot + ".jobs[]: an object is due";
      if (auto problem = add_initial_job(p, j.get_object())) return problem;
    }
  }
  return std::nullopt;
}

// As a body of CreateJob, with "parent" (a name), "runs", "id" and stamps beside.
std::optional<std::string> workspace::add_initial_job(project& p, const json::object& given) {
  const std::string spot = "state.projects[].jobs[]";
  json::object body = given;
  const auto id = take(body, "id");
  const auto runs = take(body, "runs");
  const auto parent = take(body, "parent");
  std::optional<timestamp> created;
  std::optional<timestamp> updated;
  if (auto problem = take_stamp(body, "created_at", now_, created, spot)) return problem;
  if (auto problem = take_stamp(body, "updated_at", now_, updated, spot)) return problem;
  if (parent) {
    for (const auto& j : p.jobs)
      if (parent->is_string() && j.text("name") == parent->get_string()) body["parent_id"] = j.id;
    if (!body.contains("parent_id")) return spot + ".parent: no job of this name stands before";
  }
  if (p.uses_runtimes() && !body.contains("runtime_identifier"))
    body["runtime_identifier"] = runtimes().front().at("image_identifier");
  if (auto problem = check_body(create_job_members(), body, spot)) return problem;
  auto added = add_job(p, body);
  if (!added) return spot + ": " + added.error().message;
  simulator::job& j = **added;
  if (id) {
    if (!id->is_string() || id->get_string().size() != 19)
      return spot + ".id: 19 characters are due";
    j.id = id->get_string();
  }
  j.created_at = created.value_or(p.created_at);
  j.updated_at = updated.value_or(j.created_at);
  if (!runs) return std::nullopt;
  if (!runs->is_array()) return spot + ".runs: a list is due";
  return add_initial_runs(p, j, runs->get_array());
}

std::optional<std::string> workspace::add_initial_runs(const project& p, simulator::job& j,
                                                       const json::array& runs) {
  const std::string spot = "state.projects[].jobs[].runs[]";
  for (const auto& item : runs) {
    if (!item.is_object()) return spot + ": an object is due";
    json::object body = item.get_object();
    const auto status = take(body, "status");
    const auto id = take(body, "id");
    std::optional<timestamp> created;
    std::optional<timestamp> running;
    std::optional<timestamp> finished;
    if (auto problem = take_stamp(body, "created_at", now_, created, spot)) return problem;
    if (auto problem = take_stamp(body, "running_at", now_, running, spot)) return problem;
    if (auto problem = take_stamp(body, "finished_at", now_, finished, spot)) return problem;
    if (auto problem = check_body(create_run_members(), body, spot)) return problem;
    const auto phase =
        status && status->is_string() ? phase_of(status->get_string()) : std::nullopt;
    if (!phase) return spot + ".status: a status word such as ENGINE_SUCCEEDED is due";

    // Not told to the observer: it has not happened here.
    auto* observer = std::exchange(observer_, nullptr);
    simulator::run& r = start_run(p, j, body, "api", 0, status->get_string() == "ENGINE_SKIPPED");
    observer_ = observer;
    if (id) {
      if (!id->is_string() || id->get_string().size() != 16)
        return spot + ".id: 16 characters are due";
      r.id = id->get_string();
    }
    r.status = status->get_string();
    r.phase = *phase;
    r.created_at = created.value_or(now_);
    r.next_at.reset();
    if (r.phase != run_phase::scheduling && r.status != "ENGINE_SKIPPED") {
      r.starting_at = r.created_at + r.plan.scheduling;
      if (r.phase != run_phase::starting)
        r.running_at = running.value_or(*r.starting_at + r.plan.starting);
    }
    switch (r.phase) {
      case run_phase::scheduling:
        if (r.plan.ends != outcome::never_scheduled) r.next_at = r.created_at + r.plan.scheduling;
        break;
      case run_phase::starting:
        r.next_at = *r.starting_at + r.plan.starting;
        break;
      case run_phase::running:
        r.next_at = *r.running_at + r.plan.running;
        break;
      case run_phase::stopping:
        r.next_at = now_ + rules_.stopping_time;
        break;
      case run_phase::over:
        r.finished_at =
            finished.value_or(r.running_at ? *r.running_at + r.plan.running : r.created_at);
        break;
      case run_phase::stuck:
        break;
    }
    // What is due already happens with the first advance, from now on.
    if (r.next_at && *r.next_at < now_) r.next_at = now_;
  }
  return std::nullopt;
}

}  // namespace cmlrec::simulator
