// Jobs: what a create and a PATCH take, refuse and silently ignore.
#include "simulator/cron.hpp"
#include "simulator/schema.hpp"
#include "simulator/workspace.hpp"

#include <algorithm>

namespace cmlrec::simulator {
namespace {

// Real workspaces add an addon of their own to every runtime job.
constexpr const char* injected_addon = "hadoop-cli-7.3.1-hf1";

json::array with_injected(json::array addons) {
  const bool there = std::any_of(addons.begin(), addons.end(), [](const json::value& v) {
    return v.is_string() && v.get_string() == injected_addon;
  });
  if (!there) addons.emplace_back(injected_addon);
  return addons;
}

std::optional<api_error> check_sizes(const json::object& body) {
  for (const auto* name : {"cpu", "memory"})
    if (const auto* value = body.if_contains(name); value && value->to_number<double>() < 0)
      return invalid(std::string(name) + " must not be negative");
  for (const auto* name : {"nvidia_gpu", "max_retry", "retry_delay"})
    if (const auto* value = body.if_contains(name); value && value->as_int64() < 0)
      return invalid(std::string(name) + " must not be negative");
  if (const auto* value = body.if_contains("timeout")) {
    const bool negative =
        value->is_string() ? value->get_string().starts_with('-') : value->as_int64() < 0;
    if (negative) return invalid("timeout must not be negative");
  }
  return std::nullopt;
}

// A number is held as a double, so that one field always has one type.
json::value held(const member& m, const json::value& given) {
  if (m.type == shape::number) return given.to_number<double>();
  if (m.type == shape::int64_text && given.as_string().empty()) return "0";
  if (m.type == shape::recipients) {
    json::array out;
    for (const auto& item : given.as_array()) {
      json::object full{{"email", ""},
                        {"notify_on_success", false},
                        {"notify_on_failure", false},
                        {"notify_on_timeout", false},
                        {"notify_on_stop", false}};
      for (const auto& field : item.as_object()) full[field.key()] = field.value();
      out.emplace_back(std::move(full));
    }
    return out;
  }
  return given;
}

// Added when the job is shown, so not held among its fields.
bool is_shown_from_elsewhere(std::string_view name) {
  return name == "id" || name == "created_at" || name == "updated_at" || name == "project";
}

api_error script_missing(const std::string& script) {
  return invalid("script '" + script + "' not found in project directory");
}

}  // namespace

json::object workspace::show(const project& p, const simulator::job& j) const {
  json::object out = j.fields;
  out["id"] = j.id;
  out["created_at"] = core::format_timestamp(j.created_at);
  out["updated_at"] = core::format_timestamp(j.updated_at);
  out["project"] = {{"public_identifier", p.id},
                    {"name", p.name()},
                    {"default_project_engine", p.fields.at("default_engine_type")},
                    {"slug", p.fields.at("slug")}};
  return out;
}

std::optional<api_error> workspace::check_links(const project& p, const simulator::job& j) const {
  const auto parent_id = j.text("parent_id");
  const auto schedule = j.text("schedule");
  if (!schedule.empty() && !cron::parse(schedule))
    return invalid("schedule '" + schedule + "' is not in the cron format");
  if (parent_id.empty()) return std::nullopt;
  if (!schedule.empty()) return invalid("schedule cannot be used alongside a parent job");
  if (parent_id.size() != 19)
    return invalid("Problem with field ParentId: value length must be 19 runes");
  if (parent_id == j.id) return invalid("a job cannot be its own parent");
  const auto* parent = find_job(p, parent_id);
  if (!parent) return invalid("parent job " + parent_id + " not found in project");
  for (std::size_t steps = 0; parent && steps <= p.jobs.size(); ++steps) {
    if (parent->id == j.id) return invalid("the parent job depends on this job");
    parent = find_job(p, parent->text("parent_id"));
  }
  return std::nullopt;
}

// Type and next start follow from the other fields.
void workspace::settle_job(simulator::job& j) {
  const auto schedule = j.text("schedule");
  j.fields["type"] = !j.text("parent_id").empty() ? "dependent"
                     : !schedule.empty()          ? "cron"
                                                  : "manual";
  j.fields["english_schedule"] = schedule.empty() ? "" : "At cron time " + schedule;
  j.next_scheduled.reset();
  if (schedule.empty() || j.fields.at("paused").as_bool()) return;
  if (const auto parsed = cron::parse(schedule)) j.next_scheduled = parsed->next(now_);
}

answer<job*> workspace::add_job(project& p, const json::object& body) {
  if (text_in(body, "name").empty())
    return invalid("Problem with field Name: value length must be at least 1 runes");
  const auto script = text_in(body, "script");
  if (script.empty())
    return invalid("Problem with field Script: value length must be at least 1 runes");
  if (auto problem = check_sizes(body)) return *problem;
  const auto parent = text_in(body, "parent_id");
  const auto old_parent = text_in(body, "parent_job_id");
  if (!parent.empty() && !old_parent.empty() && parent != old_parent)
    return invalid("parent_id and parent_job_id differ");
  if (p.uses_runtimes()) {
    if (text_in(body, "runtime_identifier").empty())
      return invalid("runtime_identifier must be set in a project that uses ML Runtimes");
    if (!text_in(body, "kernel").empty())
      return invalid("kernel should not be set in a project that uses ML Runtimes");
  } else if (!text_in(body, "runtime_identifier").empty()) {
    return invalid("runtime_identifier cannot be set in a project that uses legacy engines");
  }

  simulator::job fresh;
  fresh.id = public_id();
  fresh.created_at = fresh.updated_at = now_;
  for (const auto& m : job_members()) {
    if (is_shown_from_elsewhere(m.name)) continue;
    fresh.fields[m.name] = default_value(m.type);
    const auto* given = body.if_contains(m.name);
    if (given && m.name != "environment" && m.name != "timeout")
      fresh.fields[m.name] = held(m, *given);
  }
  fresh.fields["creator"] = user();
  fresh.fields["owner"] = p.fields.at("owner");
  fresh.fields["parent_id"] = parent.empty() ? old_parent : parent;
  const auto* environment = body.if_contains("environment");
  fresh.fields["environment"] = environment ? environment_text(environment->as_object()) : "{}";
  const auto* timeout = body.if_contains("timeout");
  fresh.fields["timeout"] = std::to_string(timeout ? timeout->as_int64() : 0);
  // Zero is what a protobuf message says for "not given".
  for (const auto* size : {"cpu", "memory"})
    if (fresh.fields.at(size).as_double() <= 0) fresh.fields[size] = 1.0;
  if (fresh.text("timezone").empty()) fresh.fields["timezone"] = "America/Los_Angeles";
  if (p.uses_runtimes())
    fresh.fields["runtime_addon_identifiers"] =
        with_injected(fresh.fields.at("runtime_addon_identifiers").as_array());
  else if (fresh.text("kernel").empty())
    fresh.fields["kernel"] = "python3";
  if (auto problem = check_links(p, fresh)) return *problem;
  settle_job(fresh);
  return &p.jobs.emplace_back(std::move(fresh));
}

answer<json::object> workspace::create_job(std::string_view project_id, const json::object& body) {
  auto* p = find_project(project_id);
  if (!p) return not_found("project " + std::string(project_id) + " not found");
  const auto script = text_in(body, "script");
  if (!script.empty() && !script_exists(*p, script)) return script_missing(script);
  const auto name = text_in(body, "name");
  const bool taken = std::any_of(p->jobs.begin(), p->jobs.end(),
                                 [&](const simulator::job& j) { return j.text("name") == name; });
  auto added = add_job(*p, body);
  if (!added) return added.error();
  if (observer_) observer_->job_created(*p, **added, taken);
  return show(*p, **added);
}

answer<json::object> workspace::get_job(std::string_view project_id, std::string_view id) const {
  auto found = const_cast<workspace*>(this)->locate(project_id, id);
  if (!found) return found.error();
  return show(*found->in, *found->what);
}

answer<json::object> workspace::update_job(std::string_view project_id, std::string_view id,
                                           const json::object& body) {
  auto found = locate(project_id, id);
  if (!found) return found.error();
  const project& p = *found->in;
  simulator::job& j = *found->what;
  if (auto problem = check_sizes(body)) return *problem;
  const bool addons = body.contains("runtime_addon_identifiers");
  const bool runtime = !text_in(body, "runtime_identifier").empty();
  if (addons && !runtime)
    return internal_error("failed to update runtime addons: no runtime identifier");

  simulator::job changed;  // without the runs, which can be many
  changed.id = j.id;
  changed.fields = j.fields;
  for (const auto& m : job_members()) {
    const auto* given = body.if_contains(m.name);
    if (!given || m.output_only) continue;
    if (m.name == "environment") {
      const std::string text(given->as_string());
      if (text.empty()) continue;
      boost::system::error_code ec;
      const auto parsed = json::parse(text, ec);
      if (ec || !parsed.is_object()) return invalid("environment is not a JSON object");
      for (const auto& item : parsed.get_object())
        if (!item.value().is_string()) return invalid("environment has a value that is no string");
      changed.fields["environment"] = environment_text(parsed.get_object());
    } else if (m.name == "parent_id") {
      if (given->as_string().empty() && !rules_.parent_can_be_cleared) continue;
      changed.fields["parent_id"] = *given;
    } else if (m.name == "name" || m.name == "script") {
      if (given->as_string().empty()) continue;
      if (m.name == "script" && !script_exists(p, std::string(given->as_string())))
        return script_missing(std::string(given->as_string()));
      changed.fields[m.name] = *given;
    } else if ((m.name == "cpu" || m.name == "memory") && given->to_number<double>() <= 0) {
      return invalid(std::string(m.name) + " must be greater than 0");
    } else if (m.name == "runtime_identifier" && !runtime) {
      continue;
    } else {
      changed.fields[m.name] = held(m, *given);
    }
  }
  if (runtime)
    changed.fields["runtime_addon_identifiers"] =
        with_injected(addons ? body.at("runtime_addon_identifiers").as_array() : json::array());
  // A parent that is gone is no reason to refuse a PATCH of something else.
  if (body.contains("parent_id") || body.contains("schedule"))
    if (auto problem = check_links(p, changed)) return *problem;
  j.fields = std::move(changed.fields);
  j.updated_at = now_;
  settle_job(j);
  return show(p, j);
}

answer<json::object> workspace::delete_job(std::string_view project_id, std::string_view id) {
  auto found = locate(project_id, id);
  if (!found) return found.error();
  found->in->jobs.remove_if([&](const simulator::job& j) { return j.id == id; });
  return json::object{};
}

}  // namespace cmlrec::simulator
