#include "config/load.hpp"

#include "config/project_reader.hpp"
#include "core/digest.hpp"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>

namespace cmlrec::config {
namespace {

constexpr std::size_t most_bytes = 16U * 1024 * 1024;
constexpr std::size_t shown_digits = 12;
constexpr std::string_view default_project = "ray-cluster";

// Reads texts one after the other, then settles what depends on all of them.
class loader {
 public:
  explicit loader(const load_context& context) : context_(context) {}

  void read(std::string_view text, const std::string& name) {
    content_ += core::sha256_hex(text);
    report& out = reports_.emplace_back(name);
    if (const auto top = parse_document(text, out)) {
      const reading r{out, context_.env};
      for (auto& draft : read_projects(r, *top)) drafts_.push_back(std::move(draft));
    }
  }

  void fail(const std::string& file, const std::string& message) {
    reports_.emplace_back(file).error({}, message);
  }

  loaded finish() {
    name_projects();
    const bool single = drafts_.size() == 1;
    for (auto& draft : drafts_) settle(draft, single);
    select();
    check_duplicates();
    loaded result;
    for (const auto& out : reports_) {
      for (auto& f : out.errors()) result.errors.push_back(std::move(f));
      for (auto& f : out.warnings()) result.warnings.push_back(std::move(f));
    }
    if (result.errors.empty()) {
      result.state.emplace();
      result.state->version = core::sha256_hex(content_).substr(0, shown_digits);
      for (auto& draft : drafts_) result.state->projects.push_back(std::move(draft.spec));
    }
    return result;
  }

 private:
  std::optional<std::string> variable(std::string_view name) const {
    auto found = context_.env ? context_.env(name) : std::nullopt;
    if (found && found->empty()) found.reset();
    return found;
  }

  void name_projects() {
    const auto selected = context_.project_name && !context_.project_name->empty()
                              ? context_.project_name
                              : std::nullopt;
    for (auto& draft : drafts_) {
      if (draft.is_named) continue;
      draft.spec.name = selected
                            ? *selected
                            : variable("CML_PROJECT_NAME").value_or(std::string(default_project));
      draft.spec.fields["name"] = core::text(draft.spec.name);
    }
  }

  void settle(project_draft& draft, bool single) {
    project_spec& spec = draft.spec;
    const bool id_is_of_file = spec.id.has_value() || draft.id_at.line != 0;
    if (single && !id_is_of_file) take_id_of_environment(draft);
    // A name that nobody gave for a project that is found by its id is not owned: it would rename
    // whatever project the daemon happens to run in.
    if (spec.id && (!id_is_of_file || !draft.is_named)) spec.fields.erase("name");
    settle_repository(draft, single);
  }

  void take_id_of_environment(project_draft& draft) {
    for (const char* name : {"CDSW_PROJECT_ID", "CML_PROJECT_ID"}) {
      const auto id = variable(name);
      if (!id) continue;
      if (!is_project_id(*id)) {
        draft.out->error(draft.at, "the variable " + std::string(name) +
                                       " holds no id of a project; expected four groups of four, "
                                       "xxxx-xxxx-xxxx-xxxx (or 'id:' in the project)");
        return;
      }
      draft.spec.id = id;
      if (draft.is_named)
        draft.out->warning(draft.at, "the project is the one that the variable " +
                                         std::string(name) + " names by its id, whatever its name");
      return;
    }
  }

  void settle_repository(project_draft& draft, bool single) {
    core::field_set& fields = draft.spec.fields;
    const auto as_text = [&](std::string_view name) -> core::text* {
      const auto at = fields.find(name);
      return at == fields.end() ? nullptr : std::get_if<core::text>(&at->second);
    };
    const core::text* form = as_text("template");
    const bool may_clone = form == nullptr || form->value == "git";
    if (as_text("git_url") == nullptr && draft.git_at.line == 0 && single && may_clone) {
      if (const auto repository = variable("GITHUB_REPOSITORY")) {
        if (const auto url = repository_url(*repository))
          fields["git_url"] = core::text(*url, has_credentials(*url));
        else
          draft.out->error(draft.at,
                           "the variable GITHUB_REPOSITORY holds no repository; expected "
                           "owner/name, or a URL");
      }
    }
    core::text* url = as_text("git_url");
    if (url == nullptr) return;
    if (const auto token = variable("GH_PAT"); token && add_token(url->value, *token))
      url->secret = true;
    if (form == nullptr) fields["template"] = core::text("git");
  }

  // --project takes one of several projects; what else is in the files is then left alone.
  void select() {
    if (!context_.project_name || context_.project_name->empty() || drafts_.empty()) return;
    const std::string& wanted = *context_.project_name;
    std::string names;
    bool found = false;
    for (const auto& draft : drafts_) {
      found = found || draft.spec.name == wanted;
      names += (names.empty() ? "'" : ", '") + draft.spec.name + "'";
    }
    if (!found) {
      drafts_.front().out->error(drafts_.front().at, "there is no project '" + wanted +
                                                         "', which --project (or CML_PROJECT_NAME) "
                                                         "asks for; expected one of " +
                                                         names);
      return;
    }
    std::erase_if(drafts_, [&](const project_draft& d) { return d.spec.name != wanted; });
  }

  void check_duplicates() {
    std::map<std::string, const project_draft*> by_name;
    std::map<std::string, const project_draft*> by_id;
    const auto place_of = [](const project_draft& d) {
      return d.out->file() + ":" + std::to_string(d.at.line) + ":" + std::to_string(d.at.column);
    };
    for (const auto& draft : drafts_) {
      const std::string owner = draft.spec.owner.value_or("");
      const auto [first, fresh] = by_name.try_emplace(draft.spec.name + '\n' + owner, &draft);
      if (!fresh) {
        draft.out->error(draft.at, "project '" + draft.spec.name + "' is defined already at " +
                                       place_of(*first->second) +
                                       "; expected one definition of it");
        continue;
      }
      if (!draft.spec.id) continue;
      const auto [same_id, fresh_id] = by_id.try_emplace(*draft.spec.id, &draft);
      if (!fresh_id)
        draft.out->error(draft.id_at,
                         "project '" + draft.spec.name + "' has the id of the project at " +
                             place_of(*same_id->second) + "; expected one definition of it");
    }
  }

  const load_context& context_;
  std::string content_;  // the digests of what was read
  std::deque<report> reports_;  // drafts point into it
  std::vector<project_draft> drafts_;
};

std::vector<std::string> files_of(const std::string& directory, std::string& why) {
  std::vector<std::string> files;
  std::error_code ec;
  for (std::filesystem::directory_iterator at(directory, ec), end; !ec && at != end;
       at.increment(ec)) {
    const auto extension = at->path().extension();
    std::error_code ignored;
    if ((extension == ".yaml" || extension == ".yml") && !at->is_directory(ignored) &&
        !at->path().filename().string().starts_with("."))
      files.push_back(at->path().string());
  }
  if (ec) why = ec.message();
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::string to_string(const finding& f) {
  std::string out = f.file;
  if (f.line > 0)
    out.append(":").append(std::to_string(f.line)).append(":").append(std::to_string(f.column));
  return out + ": " + f.message;
}

loaded load(const std::string& path, const load_context& context) {
  loader all(context);
  std::error_code ec;
  std::string why;
  std::vector<std::string> files = {path};
  if (std::filesystem::is_directory(path, ec)) {
    files = files_of(path, why);
    if (!why.empty())
      all.fail(path, "the directory cannot be read (" + why + "); expected *.yaml files in it");
    else if (files.empty())
      all.fail(path, "the directory has no *.yaml or *.yml file; expected at least one");
  }
  for (const auto& file : files) {
    if (const auto text = read_file(file, most_bytes, why))
      all.read(*text, file);
    else
      all.fail(file,
               "cannot be read: " + why + "; expected a file of jobs, or a directory of such");
  }
  return all.finish();
}

loaded load_text(std::string_view text, const std::string& name, const load_context& context) {
  loader one(context);
  one.read(text, name);
  return one.finish();
}

}  // namespace cmlrec::config
