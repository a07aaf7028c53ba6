// Projects: creation, the clone, and the calls about them.
#include "simulator/schema.hpp"
#include "simulator/workspace.hpp"

#include <algorithm>
#include <array>

namespace cmlrec::simulator {
namespace {

bool is_visibility(std::string_view text) {
  return text == "public" || text == "organization" || text == "private";
}

std::string slug_of(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      out += c;
    else if (c >= 'A' && c <= 'Z')
      out += static_cast<char>(c - 'A' + 'a');
    else
      out += '-';
  }
  return out;
}

}  // namespace

json::object workspace::show(const project& p) const {
  json::object out = p.fields;
  out["id"] = p.id;
  out["created_at"] = core::format_timestamp(p.created_at);
  out["updated_at"] = core::format_timestamp(p.updated_at);
  out["creation_status"] = p.creation_status;
  return out;
}

answer<project*> workspace::add_project(const json::object& body) {
  const auto name = text_in(body, "name");
  if (name.empty())
    return invalid("Problem with field Name: value length must be at least 1 runes");
  auto visibility = text_in(body, "visibility");
  if (visibility.empty()) visibility = "private";
  if (!is_visibility(visibility))
    return invalid("visibility must be one of public, organization, private");
  auto engine = text_in(body, "default_project_engine_type");
  if (engine.empty()) engine = "ml_runtime";
  if (engine != "ml_runtime" && engine != "legacy_engine")
    return invalid("default_project_engine_type must be ml_runtime or legacy_engine");
  const auto* memory_limit = body.if_contains("shared_memory_limit");
  if (memory_limit && memory_limit->as_int64() < 0)
    return invalid("shared_memory_limit must not be negative");
  const bool taken = std::any_of(projects_.begin(), projects_.end(),
                                 [&](const project& p) { return p.name() == name; });
  if (taken && rules_.unique_names)
    return already_exists("a project named '" + name + "' already exists");

  json::object owner = user();
  if (const auto team = text_in(body, "team_name"); !team.empty())
    owner = {{"username", team}, {"name", team}, {"email", ""}};
  project& p = projects_.emplace_back();
  p.id = public_id();
  p.created_at = p.updated_at = now_;
  p.calls_to_lose = rules_.calls_lost_after_creation;
  const auto* environment = body.if_contains("environment");
  p.fields = {
      {"name", name},
      {"owner", std::move(owner)},
      {"creator", user()},
      {"description", text_in(body, "description")},
      {"visibility", visibility},
      {"default_engine_type", engine},
      {"permissions",
       {{"read", true},
        {"write", true},
        {"admin", true},
        {"business_user", false},
        {"operator", false},
        {"inherit", false}}},
      {"shared_memory_limit", memory_limit ? memory_limit->as_int64() : 64},
      {"environment", environment ? environment_text(environment->as_object()) : "{}"},
      {"ephemeral_storage_request", 0},
      {"ephemeral_storage_limit", 0},
      {"slug", rules_.username + "/" + slug_of(name)},
  };
  const auto* rule = rule_of(p);
  if (!rule || rule->clone != clone_outcome::never)
    p.clone_ends = now_ + (rule && rule->clone_time ? *rule->clone_time : rules_.clone_time);
  return &p;
}

answer<json::object> workspace::create_project(const json::object& body) {
  const auto name = text_in(body, "name");
  const bool taken = std::any_of(projects_.begin(), projects_.end(),
                                 [&](const project& p) { return p.name() == name; });
  auto added = add_project(body);
  if (!added) return added.error();
  if (observer_) observer_->project_created(**added, taken);
  return show(**added);
}

void workspace::clone_ended(project& p) {
  const auto* rule = rule_of(p);
  p.clone_ends.reset();
  p.updated_at = now_;
  if (rule && rule->clone == clone_outcome::failure) {
    p.creation_status = "failure";
    return;
  }
  p.creation_status = rule && rule->ready_word ? *rule->ready_word : "success";
  p.scripts_from = now_ + (rule && rule->script_delay ? *rule->script_delay : rules_.script_delay);
}

answer<json::object> workspace::get_project(std::string_view id) const {
  const auto* p = find_project(id);
  if (!p) return not_found("project " + std::string(id) + " not found");
  return show(*p);
}

answer<json::object> workspace::update_project(std::string_view id, const json::object& body) {
  auto* p = find_project(id);
  if (!p) return not_found("project " + std::string(id) + " not found");
  json::object changed = p->fields;
  for (const auto& m : project_members()) {
    const auto* value = body.if_contains(m.name);
    if (!value || m.output_only) continue;
    if (m.name == "environment") {
      const std::string text(value->as_string());
      if (text.empty()) continue;
      boost::system::error_code ec;
      const auto parsed = json::parse(text, ec);
      if (ec || !parsed.is_object()) return invalid("environment is not a JSON object");
      changed["environment"] = environment_text(parsed.get_object());
      continue;
    }
    if (m.name == "name" && value->as_string().empty())
      return invalid("Problem with field Name: value length must be at least 1 runes");
    if (m.name == "visibility" && !is_visibility(std::string_view(value->as_string())))
      return invalid("visibility must be one of public, organization, private");
    if (m.type == shape::int32 && value->as_int64() < 0)
      return invalid(std::string(m.name) + " must not be negative");
    changed[m.name] = *value;
  }
  p->fields = std::move(changed);
  p->updated_at = now_;
  return show(*p);
}

answer<json::object> workspace::delete_project(std::string_view id) {
  const auto found = std::find_if(projects_.begin(), projects_.end(),
                                  [&](const project& p) { return p.id == id; });
  if (found == projects_.end()) return not_found("project " + std::string(id) + " not found");
  projects_.erase(found);
  return json::object{};
}

}  // namespace cmlrec::simulator
