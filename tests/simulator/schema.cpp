#include "simulator/schema.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace cmlrec::simulator {
namespace json = boost::json;
namespace {

using enum shape;

constexpr std::array create_project_table = {
    member{"name", text},
    member{"description", text},
    member{"visibility", text},
    member{"parent_project", text},
    member{"git_url", text},
    member{"template", text},
    member{"organization_permission", text},
    member{"default_project_engine_type", text},
    member{"environment", text_map},
    member{"shared_memory_limit", int32},
    member{"team_name", text},
    member{"git_ref", text},
};

constexpr std::array project_table = {
    member{"id", text, true},
    member{"name", text},
    member{"owner", object, true},
    member{"creator", object, true},
    member{"description", text},
    member{"visibility", text},
    member{"default_engine_type", text},
    member{"created_at", text, true},
    member{"updated_at", text, true},
    member{"creation_status", text, true},
    member{"permissions", object, true},
    member{"shared_memory_limit", int32},
    member{"environment", text},
    member{"ephemeral_storage_request", int32},
    member{"ephemeral_storage_limit", int32},
    member{"slug", text, true},
};

constexpr std::array create_job_table = {
    member{"project_id", text},
    member{"name", text},
    member{"script", text},
    member{"cpu", number},
    member{"memory", number},
    member{"nvidia_gpu", int32},
    member{"parent_job_id", text},
    member{"environment", text_map},
    member{"arguments", text},
    member{"timeout", int32},
    member{"schedule", text},
    member{"kernel", text},
    member{"recipients", recipients},
    member{"attachments", text_list},
    member{"runtime_identifier", text},
    member{"runtime_addon_identifiers", text_list},
    member{"kill_on_timeout", boolean},
    member{"timezone", text},
    member{"paused", boolean},
    member{"parent_id", text},
    member{"success_recipients", text},
    member{"failure_recipients", text},
    member{"timeout_recipients", text},
    member{"stopped_recipients", text},
    member{"run_as", int32},
    member{"accelerator_label_id", int64_text},
    member{"retry_enabled", boolean},
    member{"max_retry", int32},
    member{"retry_delay", int32},
    member{"retry_for_script_failure", boolean},
    member{"retry_for_system_failure", boolean},
    member{"retry_for_timedout_runs", boolean},
    member{"retry_for_skipped_runs", boolean},
    member{"resource_group_id", int32},
    member{"resource_profile_id", int32},
};

// paused, timezone and the recipients are not all "output only" in the document; real workspaces
// answer 200 to a PATCH of them and change nothing.
constexpr std::array job_table = {
    member{"id", text, true},
    member{"cpu", number},
    member{"created_at", text, true},
    member{"creator", object, true},
    member{"engine_image_id", int64_text, true},
    member{"english_schedule", text, true},
    member{"arguments", text},
    member{"type", text, true},
    member{"kernel", text},
    member{"memory", number},
    member{"name", text},
    member{"parent_id", text},
    member{"paused", boolean, true},
    member{"schedule", text},
    member{"script", text},
    member{"timeout", int64_text},
    member{"timezone", text, true},
    member{"updated_at", text, true},
    member{"environment", text},
    member{"nvidia_gpu", int32},
    member{"runtime_identifier", text},
    member{"runtime_addon_identifiers", text_list},
    member{"kill_on_timeout", boolean},
    member{"project", object, true},
    member{"owner", object, true},
    member{"run_as", int32},
    member{"accelerator_label_id", int64_text},
    member{"retry_enabled", boolean},
    member{"max_retry", int32},
    member{"retry_delay", int32},
    member{"retry_for_script_failure", boolean},
    member{"retry_for_system_failure", boolean},
    member{"retry_for_timedout_runs", boolean},
    member{"retry_for_skipped_runs", boolean},
    member{"recipients", recipients, true},
    member{"attachments", text_list},
    member{"success_recipients", text, true},
    member{"failure_recipients", text, true},
    member{"timeout_recipients", text, true},
    member{"stopped_recipients", text, true},
    member{"resource_group_id", int32},
    member{"resource_profile_id", int32},
};

constexpr std::array create_run_table = {
    member{"project_id", text},
    member{"job_id", text},
    member{"environment", text_map},
    member{"arguments", text},
};

constexpr std::array validate_key_table = {member{"audience", text}};

constexpr std::array recipient_table = {
    member{"email", text},
    member{"notify_on_success", boolean},
    member{"notify_on_failure", boolean},
    member{"notify_on_timeout", boolean},
    member{"notify_on_stop", boolean},
};

const char* json_type(const json::value& v) {
  switch (v.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "bool";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "number";
  }
  return "value";
}

const char* go_type(shape type) {
  switch (type) {
    case text:
      return "string";
    case number:
      return "float64";
    case int32:
      return "int32";
    case boolean:
      return "bool";
    case int64_text:
      return "string";
    case text_list:
      return "[]string";
    case text_map:
      return "map[string]string";
    case recipients:
      return "[]JobRecipient";
    case object:
      return "struct";
  }
  return "value";
}

schema_problem mismatch(const json::value& v, shape due, std::string place) {
  return {std::string("json: cannot unmarshal ") + json_type(v) + " into Go value of type " +
              go_type(due),
          std::move(place) + ": " + json_type(v) + " where " + go_type(due) + " is due"};
}

bool is_int64_text(const json::value& v) {
  if (!v.is_string()) return false;
  std::string_view s = v.get_string();
  if (s.empty()) return true;
  if (s.front() == '-') s.remove_prefix(1);
  return !s.empty() && s.size() <= 18 &&
         std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_int32(const json::value& v) {
  using limits = std::numeric_limits<std::int32_t>;
  return v.is_int64() && v.get_int64() >= limits::min() && v.get_int64() <= limits::max();
}

std::optional<schema_problem> check_value(const json::value& v, shape due,
                                          const std::string& place) {
  const auto unless = [&](bool fits) -> std::optional<schema_problem> {
    if (fits) return std::nullopt;
    return mismatch(v, due, place);
  };
  switch (due) {
    case text:
      return unless(v.is_string());
    case number:
      return unless(v.is_number());
    case int32:
      return unless(is_int32(v));
    case boolean:
      return unless(v.is_bool());
    case object:
      return unless(v.is_object());
    case int64_text:
      return unless(is_int64_text(v));
    case text_list:
      if (!v.is_array()) return mismatch(v, due, place);
      for (const auto& item : v.get_array())
        if (!item.is_string()) return mismatch(item, text, place + "[]");
      return std::nullopt;
    case text_map:
      if (!v.is_object()) return mismatch(v, due, place);
      for (const auto& item : v.get_object())
        if (!item.value().is_string())
          return mismatch(item.value(), text, place + "." + std::string(item.key()));
      return std::nullopt;
    case recipients:
      if (!v.is_array()) return mismatch(v, due, place);
      for (const auto& item : v.get_array()) {
        if (!item.is_object()) return mismatch(item, object, place + "[]");
        if (auto problem = check(recipient_table, item.get_object())) {
          problem->place = place + "[]." + problem->place;
          return problem;
        }
      }
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::span<const member> create_project_members() { return create_project_table; }
std::span<const member> project_members() { return project_table; }
std::span<const member> create_job_members() { return create_job_table; }
std::span<const member> job_members() { return job_table; }
std::span<const member> create_run_members() { return create_run_table; }
std::span<const member> validate_key_members() { return validate_key_table; }

std::optional<schema_problem> check(std::span<const member> members, const json::object& body) {
  for (const auto& item : body) {
    const std::string_view name = item.key();
    const auto found = std::find_if(members.begin(), members.end(),
                                    [&](const member& m) { return m.name == name; });
    if (found == members.end())
      return schema_problem{"unknown field \"" + std::string(name) + "\"",
                            std::string(name) + ": unknown member"};
    if (auto problem = check_value(item.value(), found->type, std::string(name))) return problem;
  }
  return std::nullopt;
}

json::value default_value(shape type) {
  switch (type) {
    case text:
      return "";
    case number:
      return 0.0;
    case int32:
      return 0;
    case boolean:
      return false;
    case int64_text:
      return "0";
    case text_list:
    case recipients:
      return json::array();
    case text_map:
    case object:
      return json::object();
  }
  return nullptr;
}

std::string text_in(const json::object& body, std::string_view name) {
  const auto* value = body.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace cmlrec::simulator
