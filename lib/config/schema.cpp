#include "config/load.hpp"
#include "config/project_reader.hpp"
#include "config/scalars.hpp"
#include "config/value_readers.hpp"

#include <boost/json.hpp>

namespace cmlrec::config {
namespace {

namespace json = boost::json;
using type = core::field_type;

json::object reference(std::string_view name) { return {{"$ref", "#/$defs/" + std::string(name)}}; }

json::object of_type(std::string_view name) { return {{"type", name}}; }

json::object one_of(std::initializer_list<std::string_view> values) {
  json::array list;
  for (const auto v : values) list.emplace_back(v);
  return {{"enum", std::move(list)}};
}

json::object any_of(std::initializer_list<json::object> forms) {
  json::array list;
  for (const auto& form : forms) list.emplace_back(form);
  return {{"anyOf", std::move(list)}};
}

json::object list_of(json::object items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

json::object closed_map(json::object properties) {
  return {
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

json::object open_map(json::object values) {
  return {{"type", "object"}, {"additionalProperties", std::move(values)}};
}

json::object number(std::string_view name, double low, double high) {
  json::object out = of_type(name);
  const auto put = [&](const char* key, double bound) {
    if (bound == static_cast<double>(static_cast<std::int64_t>(bound)))
      out[key] = static_cast<std::int64_t>(bound);
    else
      out[key] = bound;
  };
  put("minimum", low);
  if (high > 0) put("maximum", high);
  return out;
}

json::object retry_form() {
  json::object properties;
  for (const auto& key : retry_keys()) {
    json::object p =
        key.name == "max_attempts"
            ? any_of({number("integer", 1, 100), reference("variable"), of_type("null")})
            : reference("duration");
    p["description"] = key.help;
    properties[key.name] = std::move(p);
  }
  return closed_map(std::move(properties));
}

json::object recipient_form() {
  json::object properties;
  for (const auto& key : recipient_keys()) {
    json::object p = key.name == "email" ? of_type("string") : reference("boolean");
    p["description"] = key.help;
    properties[key.name] = std::move(p);
  }
  json::object out = closed_map(std::move(properties));
  out["required"] = json::array{"email"};
  return out;
}

// What a value of the type may look like in the file, without null.
json::object form_of(type t, double low, double high, std::string_view unit) {
  switch (t) {
    case type::boolean:
      return reference("boolean");
    case type::integer: {
      json::object plain = number("integer", low, high);
      if (unit == "seconds") return any_of({plain, of_type("string")});
      return any_of({plain, reference("variable")});
    }
    case type::number:
      return any_of({number("number", low, high), reference("variable")});
    case type::string:
      return reference("text");
    case type::script:
      return {{"type", "string"}, {"minLength", 1}, {"pattern", "^[^\\n]*$"}};
    case type::cron:
      return of_type("string");
    case type::arguments:
      return any_of({reference("text"), list_of(reference("text"))});
    case type::string_list:
      return list_of(reference("text"));
    case type::string_map:
      return open_map(reference("text"));
    case type::recipients:
      return list_of(any_of({of_type("string"), recipient_form()}));
    case type::job_key:
      return of_type("string");
    case type::time_span:
      return reference("duration");
    case type::time_point:
      return of_type("string");
    case type::run_policy:
      return any_of({one_of({"once", "on_change", "never"}), reference("variable")});
    case type::retry_policy:
      return retry_form();
    case type::environment_policy:
      return any_of({one_of({"replace", "merge"}), reference("variable")});
  }
  return {};
}

json::object definition_of(const core::field& f) {
  json::object out = any_of({form_of(f.type, f.minimum, f.maximum, f.unit), of_type("null")});
  std::string description(f.help);
  if (!f.unit.empty()) description += " Unit: " + std::string(f.unit) + ".";
  if (f.change == core::changes::at_creation) description += " Acts at creation only.";
  if (f.change == core::changes::maybe_ignored)
    description += " CML may ignore a change of it after creation.";
  if (!f.default_value.empty()) {
    description += " Default: " + std::string(f.default_value) + ".";
    const auto whole = parse_integer(f.default_value);
    if (whole && (f.type == type::integer || f.type == type::number))
      out["default"] = *whole;
    else if (f.type == type::boolean)
      out["default"] = f.default_value == "true";
    else
      out["default"] = f.default_value;
  }
  out["description"] = description;
  return out;
}

// Each field is written once, under "job.cpu"; everything else refers to it.
void define_fields(json::object& definitions, std::string_view prefix,
                   std::span<const core::field> table) {
  for (const auto& f : table)
    definitions[std::string(prefix) + "." + std::string(f.name)] = definition_of(f);
}

json::object properties_of(std::string_view prefix, std::span<const core::field> table,
                           bool for_defaults = false) {
  const auto excluded = fields_without_default();
  json::object properties;
  for (const auto& f : table) {
    if (for_defaults && std::find(excluded.begin(), excluded.end(), f.name) != excluded.end())
      continue;
    const std::string definition = std::string(prefix) + "." + std::string(f.name);
    properties[f.name] = reference(definition);
    for (const auto alias : f.aliases) properties[alias] = reference(definition);
  }
  return properties;
}

json::object check_form() {
  json::object properties;
  for (const auto& key : check_keys_table())
    for (const auto name : key.names) {
      json::object p = any_of({form_of(key.type, 0, 0, {}), of_type("null")});
      p["description"] = key.help;
      properties[name] = std::move(p);
    }
  return any_of({of_type("string"), closed_map(std::move(properties))});
}

json::object described(json::object form, std::string_view help) {
  form["description"] = help;
  return form;
}

json::object optional(std::string_view definition) {
  return any_of({reference(definition), of_type("null")});
}

void add_parts(json::object& properties) {
  properties["jobs"] = described(reference("jobs"), "The jobs, by their keys.");
  properties["defaults"] =
      described(optional("defaults"), "Fields of every job that does not give them itself.");
  properties["verify"] =
      described(optional("verify"), "What has to hold once every job is up to date.");
}

}  // namespace

std::string json_schema() {
  json::object definitions;
  definitions["variable"] = json::object{{"type", "string"},
                                         {"pattern", "\\$|^[-+]?[0-9]"},
                                         {"description", "A number or ${VAR}, in quotes."}};
  definitions["text"] =
      json::object{{"type", json::array{"string", "number", "boolean"}},
                   {"description", "Any scalar; ${VAR} and ${VAR:-default} are resolved."}};
  definitions["boolean"] = json::object{{"type", json::array{"boolean", "string", "null"}}};
  definitions["duration"] =
      json::object{{"type", json::array{"number", "string", "null"}},
                   {"minimum", 0},
                   {"description", "Such as 30s, 5m or 1h30m; a number is in seconds."}};
  define_fields(definitions, "job", core::job_fields());
  define_fields(definitions, "project", core::project_fields());

  json::object job = closed_map(properties_of("job", core::job_fields()));
  job["required"] = json::array{"script"};
  definitions["job"] = std::move(job);
  json::object jobs = open_map(reference("job"));
  jobs["minProperties"] = 1;
  definitions["jobs"] = std::move(jobs);
  definitions["defaults"] = closed_map(properties_of("job", core::job_fields(), true));
  definitions["verify"] = list_of(check_form());
  json::object project = properties_of("project", core::project_fields());
  add_parts(project);
  definitions["project"] = closed_map(std::move(project));

  json::object top;
  top["project"] = described(any_of({reference("project"), reference("text"), of_type("null")}),
                             "The one project of the file: its fields, or its name alone.");
  json::object projects = open_map(optional("project"));
  projects["minProperties"] = 1;
  top["projects"] = described(std::move(projects), "Several projects, by their names.");
  add_parts(top);
  top["rerun_after"] = reference("job.rerun_after");

  json::object schema = closed_map(std::move(top));
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "Jobs of Cloudera Machine Learning as a file";
  schema["description"] =
      "Which projects and jobs exist, and which of them have run. In any text ${VAR} and "
      "${VAR:-default} stand for variables of the daemon's environment, and $$ for a dollar.";
  schema["$defs"] = std::move(definitions);
  return json::serialize(schema);
}

}  // namespace cmlrec::config
