#include "config/scalars.hpp"
#include "config/support.hpp"
#include "core/fields.hpp"

#include <algorithm>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace cmlrec::config {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

const json::object& schema() {
  static const json::object parsed = json::parse(json_schema()).as_object();
  return parsed;
}

json::value to_json(const YAML::Node& n) {
  if (n.IsMap()) {
    json::object out;
    for (const auto& pair : n) {
      if (pair.first.Scalar() == "<<") {
        for (const auto& more : pair.second) out.emplace(more.first.Scalar(), to_json(more.second));
      } else {
        out[pair.first.Scalar()] = to_json(pair.second);
      }
    }
    return out;
  }
  if (n.IsSequence()) {
    json::array out;
    for (const auto& item : n) out.push_back(to_json(item));
    return out;
  }
  if (n.IsNull()) return nullptr;
  const std::string& text = n.Scalar();
  if (n.Tag() != "?") return json::value(text);
  if (text == "true" || text == "false") return text == "true";
  if (const auto whole = parse_integer(text)) return *whole;
  if (const auto number = parse_number(text)) return *number;
  return json::value(text);
}

// The few words of JSON Schema that ours is written in; any other word is an error of the test.
class validator {
 public:
  bool check(const json::object& s, const json::value& v, const std::string& path) {
    bool good = true;
    for (const auto& [word, rule] : s) {
      const bool holds = obeys(word, rule, s, v, path);
      if (!holds && reason_.empty()) reason_ = path + ": " + std::string(word);
      good = good && holds;
    }
    return good;
  }
  const std::string& reason() const { return reason_; }

 private:
  static bool has_type(std::string_view type, const json::value& v) {
    if (type == "object") return v.is_object();
    if (type == "array") return v.is_array();
    if (type == "string") return v.is_string();
    if (type == "boolean") return v.is_bool();
    if (type == "null") return v.is_null();
    if (type == "integer") return v.is_int64();
    return v.is_number();
  }

  // The patterns that the schema has; g++ 12 warns about its own <regex> under sanitizers.
  static bool matches(std::string_view pattern, const std::string& text) {
    if (pattern == "^[^\\n]*$") return text.find('\n') == std::string::npos;
    if (pattern == "\\$|^[-+]?[0-9]") {
      const auto first = text.find_first_not_of("+-");
      return text.find('$') != std::string::npos ||
             (first <= 1 && first < text.size() && text[first] >= '0' && text[first] <= '9');
    }
    ADD_FAILURE() << "a pattern that is not known here: " << pattern;
    return false;
  }

  bool obeys(std::string_view word, const json::value& rule, const json::object& s,
             const json::value& v, const std::string& path) {
    if (word == "type") {
      if (rule.is_string()) return has_type(rule.as_string(), v);
      for (const auto& t : rule.as_array())
        if (has_type(t.as_string(), v)) return true;
      return false;
    }
    if (word == "$ref") {
      const std::string name =
          std::string(rule.as_string()).substr(std::string_view("#/$defs/").size());
      return check(schema().at("$defs").as_object().at(name).as_object(), v, path);
    }
    if (word == "anyOf") {
      const std::string before = reason_;
      for (const auto& form : rule.as_array())
        if (check(form.as_object(), v, path)) {
          reason_ = before;
          return true;
        }
      return false;
    }
    if (word == "enum")
      return std::any_of(rule.as_array().begin(), rule.as_array().end(),
                         [&](const json::value& one) { return one == v; });
    if (word == "minimum" || word == "maximum") {
      if (!v.is_number()) return true;
      const double bound = rule.to_number<double>();
      return word == "minimum" ? v.to_number<double>() >= bound : v.to_number<double>() <= bound;
    }
    if (word == "pattern")
      return !v.is_string() || matches(rule.as_string(), std::string(v.as_string()));
    if (word == "minLength") return !v.is_string() || !v.as_string().empty();
    if (word == "minProperties") return !v.is_object() || !v.as_object().empty();
    if (word == "items") {
      if (!v.is_array()) return true;
      return std::all_of(v.as_array().begin(), v.as_array().end(), [&](const json::value& item) {
        return check(rule.as_object(), item, path + "[]");
      });
    }
    if (word == "required")
      return !v.is_object() ||
             std::all_of(rule.as_array().begin(), rule.as_array().end(), [&](const json::value& k) {
               return v.as_object().contains(k.as_string());
             });
    if (word == "properties") {
      if (!v.is_object()) return true;
      bool good = true;
      for (const auto& [key, value] : v.as_object())
        if (const auto* form = rule.as_object().if_contains(key))
          good = check(form->as_object(), value, path + "/" + std::string(key)) && good;
      return good;
    }
    if (word == "additionalProperties") {
      if (!v.is_object()) return true;
      const auto* known = s.if_contains("properties");
      for (const auto& [key, value] : v.as_object()) {
        if (known != nullptr && known->as_object().contains(key)) continue;
        if (rule.is_bool() ? !rule.as_bool()
                           : !check(rule.as_object(), value, path + "/" + std::string(key)))
          return false;
      }
      return true;
    }
    if (word == "$schema" || word == "$defs" || word == "title" || word == "description" ||
        word == "default")
      return true;
    ADD_FAILURE() << "a word of JSON Schema that is not known here: " << word;
    return false;
  }

  std::string reason_;
};

std::string reason_against(const fs::path& file) {
  validator v;
  return v.check(schema(), to_json(YAML::LoadFile(file.string())), "") ? "" : v.reason();
}

TEST(ConfigSchema, TakesEveryGoodFileAndExample) {
  const fs::path root(CMLREC_SOURCE_DIR);
  int count = 0;
  for (const char* directory : {"tests/config/corpus/good", "config/examples"})
    for (const auto& file : fs::directory_iterator(root / directory)) {
      EXPECT_EQ(reason_against(file.path()), "") << file.path();
      ++count;
    }
  EXPECT_EQ(reason_against(root / "config/jobs_config.yaml"), "");
  EXPECT_GT(count, 15);
}

TEST(ConfigSchema, RefusesWhatItCanTell) {
  const fs::path bad = fs::path(CMLREC_SOURCE_DIR) / "tests/config/corpus/bad";
  for (const char* name : {"unknown_key_near",   "unknown_key_at_top", "unknown_key_in_project",
                           "no_script",          "cpu_is_text",        "cpu_is_zero",
                           "memory_is_negative", "memory_is_a_list",   "timeout_too_large",
                           "gpu_is_a_fraction",  "inline_script",      "job_is_text",
                           "jobs_is_empty",      "jobs_is_a_list",     "environment",
                           "recipients",         "run_policy",         "retry",
                           "defaults",           "defaults_is_a_list", "projects_is_empty"})
    EXPECT_NE(reason_against(bad / (std::string(name) + ".yaml")), "") << name;
}

TEST(ConfigSchema, IsOfTheDraftThatItNames) {
  EXPECT_EQ(schema().at("$schema").as_string(), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_FALSE(schema().at("additionalProperties").as_bool());
}

void expect_table(std::string_view prefix, std::span<const core::field> table) {
  const auto& definitions = schema().at("$defs").as_object();
  const auto& properties = definitions.at(prefix).at("properties").as_object();
  for (const auto& f : table) {
    const std::string name = std::string(prefix) + "." + std::string(f.name);
    ASSERT_TRUE(definitions.contains(name)) << name;
    const std::string description(definitions.at(name).at("description").as_string());
    EXPECT_NE(description.find(f.help), std::string::npos) << name;
    EXPECT_NE(description.find(f.unit), std::string::npos) << name;
    EXPECT_TRUE(properties.contains(f.name)) << name;
    for (const auto alias : f.aliases) EXPECT_TRUE(properties.contains(alias)) << alias;
  }
}

TEST(ConfigSchema, HasEveryRowOfTheTablesWithItsHelp) {
  expect_table("job", core::job_fields());
  expect_table("project", core::project_fields());
}

TEST(ConfigSchema, DefaultsHaveNoNameAndNoScript) {
  const auto& properties =
      schema().at("$defs").as_object().at("defaults").at("properties").as_object();
  EXPECT_TRUE(properties.contains("cpu"));
  for (const char* none : {"name", "script", "parent_job_key", "parent_job_id", "description"})
    EXPECT_FALSE(properties.contains(none)) << none;
}

}  // namespace
}  // namespace cmlrec::config
