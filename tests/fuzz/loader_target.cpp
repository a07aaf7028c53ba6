#include "cml/codec.hpp"
#include "config/load.hpp"
#include "fuzz/support.hpp"
#include "fuzz/targets.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace cmlrec::fuzz {
namespace {

void check_findings(const std::vector<config::finding>& findings, std::string_view text) {
  const auto lines =
      1 + std::count(text.begin(), text.end(), '\n') + std::count(text.begin(), text.end(), '\r');
  for (const auto& f : findings) {
    const std::string shown = to_string(f);
    require(!f.message.empty(), "a finding says what is wrong");
    require(f.file == "f.yaml", "a finding names its file");
    require(f.line >= 1 && f.column >= 1, "a finding has a place: " + shown);
    require(f.line <= lines, "the place of a finding is in the text: " + shown);
    require(!has_control_character(f.message), "a finding is one line");
    require(holds_piece_of_secret(text) || !contains(shown, secret_value),
            "a finding shows no secret");
  }
}

void check_jobs(const config::project_spec& project) {
  std::set<std::string> keys;
  std::set<std::string> names;
  std::map<std::string, std::string> parents;
  for (const auto& job : project.jobs) {
    require(keys.insert(job.key).second, "keys of jobs are unique");
    require(names.insert(job.name).second, "names of jobs are unique");
    require(!job.name.empty(), "a job has a name");
    require(job.fields.count("name") == 1 && job.fields.count("script") == 1,
            "a job owns its name and its script");
    if (job.parent_key) parents[job.key] = *job.parent_key;
  }
  for (const auto& job : project.jobs) {
    std::string at = job.key;
    std::size_t steps = 0;
    for (auto up = parents.find(at); up != parents.end(); up = parents.find(at)) {
      at = up->second;
      require(keys.count(at) == 1, "a parent is a job of the file");
      require(++steps <= project.jobs.size(), "parents make no circle");
    }
  }
}

void check_shown(const core::field_set& fields, std::string_view text) {
  for (const auto& [name, value] : fields)
    require(holds_piece_of_secret(text) || !contains(core::display(value), secret_value),
            "what came through ${} is masked: " + name);
}

// What the file says can be sent: every field has a form in the API's JSON.
void check_bodies(const config::project_spec& project) {
  cml::project_write whole;
  whole.fields = project.fields;
  require(!cml::encode_create(whole).empty(), "a project can be sent");
  for (const auto& job : project.jobs) {
    cml::job_write one;
    one.fields = job.fields;
    require(cml::encode_create("p", one).front() == '{', "a job can be sent");
    require(cml::encode_patch(one).front() == '{', "a change of a job can be sent");
  }
}

}  // namespace

void loader(std::string_view bytes) {
  config::load_context context;
  context.env = variable;
  const auto result = config::load_text(bytes, "f.yaml", context);
  check_findings(result.errors, bytes);
  check_findings(result.warnings, bytes);
  require(result.state.has_value() == result.errors.empty(), "a state, or errors");
  if (!result.state) return;
  for (const auto& project : result.state->projects) {
    check_jobs(project);
    check_shown(project.fields, bytes);
    for (const auto& job : project.jobs) check_shown(job.fields, bytes);
    check_bodies(project);
  }
}

}  // namespace cmlrec::fuzz
