#include "plan/import.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <span>
#include <string_view>
#include <tuple>

#include "plan/diff.hpp"

namespace cmlrec::plan {
namespace {

std::string upper(std::string_view s) {
  std::string out;
  for (const char c : s) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// "Train model (v2)" -> "train_model_v2"
std::string key_for(const std::string& name, const std::set<std::string>& taken) {
  std::string key;
  for (const char c : name) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u))
      key += static_cast<char>(std::tolower(u));
    else if (!key.empty() && key.back() != '_')
      key += '_';
  }
  while (!key.empty() && key.back() == '_') key.pop_back();
  if (key.empty() || !std::isalpha(static_cast<unsigned char>(key.front()))) key = "job_" + key;
  auto unique = key;
  for (int n = 2; taken.contains(unique); ++n) unique = key + "_" + std::to_string(n);
  return unique;
}

core::text_map without_marks(const core::text_map& environment) {
  core::text_map out;
  for (const auto& [key, value] : environment)
    if (key != owner_mark && key != spec_mark)
      out[key] = core::text(value.value, looks_secret(key, value.value));
  return out;
}

core::field_set owned_of(std::span<const core::field> table, const core::field_set& live) {
  core::field_set out;
  for (const auto& row : table) {
    const auto found = live.find(row.name);
    if (found == live.end() || row.read_name.empty() || row.patch_name.empty()) continue;
    auto value = found->second;
    if (const auto* map = std::get_if<core::text_map>(&value)) value = without_marks(*map);
    if (!stands_for_missing(row, value)) out[std::string(row.name)] = std::move(value);
  }
  // CML refuses it beside a runtime, and shows it all the same.
  if (out.contains("runtime_identifier")) out.erase("kernel");
  // Without a schedule it says nothing, and CML has it for every job.
  if (!out.contains("schedule")) {
    out.erase("timezone");
    out.erase("paused");
  }
  return out;
}

bool has_script(const cml::job& job) {
  const auto found = job.fields.find("script");
  const auto* script =
      found == job.fields.end() ? nullptr : std::get_if<core::text>(&found->second);
  return script != nullptr && !script->value.empty() &&
         script->value.find('\n') == std::string::npos;
}

}  // namespace

bool looks_secret(const std::string& key, const std::string& value) {
  static constexpr std::array<std::string_view, 10> words = {
      "SECRET", "TOKEN", "PASSW", "PASSPHRASE", "CREDENTIAL",
      "APIKEY", "_KEY",  "PRIVATE", "AUTH",     "_PAT"};
  const auto name = upper(key);
  if (name == "KEY" || name == "PAT" ||
      std::any_of(words.begin(), words.end(),
                  [&](std::string_view w) { return name.find(w) != std::string::npos; }))
    return true;
  const auto scheme = value.find("://");
  if (scheme == std::string::npos) return false;
  const auto end = value.find_first_of("/?#", scheme + 3);
  return value.substr(scheme + 3, end == std::string::npos ? end : end - scheme - 3).find('@') !=
         std::string::npos;
}

imported import_project(const cml::project& live, const std::vector<cml::job>& jobs) {
  imported out;
  out.project.name = live.name;
  out.project.fields = owned_of(core::project_fields(), live.fields);
  out.project.fields["name"] = core::text(live.name);

  std::map<std::string_view, std::vector<const cml::job*>> by_name;
  for (const auto& job : jobs) by_name[job.name].push_back(&job);
  std::vector<const cml::job*> taken;
  for (const auto& job : jobs) {
    const auto& namesakes = by_name.at(job.name);
    if (namesakes.size() > 1) {
      if (namesakes.front() != &job) continue;
      std::string ids;
      for (const auto* each : namesakes) ids += (ids.empty() ? "" : ", ") + each->id;
      out.left_out.push_back(std::to_string(namesakes.size()) + " jobs are named '" + job.name +
                             "' (" + ids +
                             "): a file finds jobs by name. Rename or delete all but one");
    } else if (!has_script(job)) {
      out.left_out.push_back("job '" + job.name + "' (" + job.id +
                             ") has no script in the project: a file cannot say it");
    } else {
      taken.push_back(&job);
    }
  }

  // Parents first, else in CML's order, whatever that is: by time of creation, then by name.
  std::stable_sort(taken.begin(), taken.end(), [](const cml::job* a, const cml::job* b) {
    return std::tie(a->created_at, a->name) < std::tie(b->created_at, b->name);
  });
  std::map<std::string_view, std::string> key_of;  // by id
  std::set<std::string> keys;
  std::set<std::string_view> here;
  for (const auto* job : taken) here.insert(job->id);
  std::vector<const cml::job*> left = taken;
  const auto place = [&](const cml::job& job) {
    config::job_spec spec;
    spec.key = key_for(job.name, keys);
    keys.insert(spec.key);
    key_of[job.id] = spec.key;
    spec.name = job.name;
    spec.fields = owned_of(core::job_fields(), job.fields);
    spec.fields["name"] = core::text(job.name);
    if (spec.fields.contains("schedule")) spec.run = config::run_policy::never;
    if (!job.parent_id.empty() && key_of.contains(job.parent_id)) {
      spec.parent_key = key_of.at(job.parent_id);
      spec.owns_parent = true;
      spec.fields.erase("schedule");  // CML starts it either by the clock or after its parent
    } else if (!job.parent_id.empty()) {
      out.about[spec.key] = "its parent in CML, " + job.parent_id +
                            ", is not in this file, so that nothing is said of it";
    }
    out.project.jobs.push_back(std::move(spec));
  };
  while (!left.empty()) {
    std::vector<const cml::job*> later;
    for (const auto* job : left) {
      if (job->parent_id != job->id && here.contains(job->parent_id) &&
          !key_of.contains(job->parent_id))
        later.push_back(job);
      else
        place(*job);
    }
    if (later.size() == left.size()) {  // a cycle of parents: broken at its first job
      place(*later.front());
      later.erase(later.begin());
    }
    left = std::move(later);
  }
  return out;
}

}  // namespace cmlrec::plan
