#include "config/project_reader.hpp"

#include "config/suggest.hpp"

#include <algorithm>

namespace cmlrec::config {
namespace {

const std::vector<std::string_view> top_keys = {"project", "projects",    "defaults",
                                                "jobs",    "rerun_after", "verify"};

// What the top of the file gives to every project in it.
struct inherited {
  given_fields defaults;
  std::optional<core::timestamp> rerun_after;
};

bool is_given(const node& map, std::string_view key) {
  const entry* e = map.find(key);
  return e != nullptr && !e->value.is_null();
}

// Reads one project. `top` is the file's own map where it holds the jobs of its single project.
class project_builder {
 public:
  project_builder(const reading& r, const inherited& from_top) : r_(r), inherited_(from_top) {
    draft_.out = &r.out;
  }

  // `part`: the value of "project:" or of a key of "projects:"; null where there is none.
  project_draft build(const node* part, const node* top, const std::string& key, place at) {
    draft_.at = at;
    draft_.spec.name = key;
    draft_.is_named = !key.empty();
    const std::string where = key.empty() ? "in 'project'" : "in project '" + key + "'";
    name_ = core::text(key);
    if (part != nullptr && part->is_scalar()) {
      if (auto name = read_text(r_, *part, "project", "a name, or a map")) set_name(*name, *part);
    } else if (part != nullptr && part->is_map()) {
      fields_ = read_fields(r_, *part, {core::project_fields(), where, {}, {}, project_parts()});
      if (const auto name = fields_.text("name")) set_name(*name, part->find("name")->value);
      take_fields();
    } else if (part != nullptr && !part->is_null()) {
      wrong_type(r_, *part, key.empty() ? "project" : key, "a map of the project's fields");
    }
    const node* body = part != nullptr && part->is_map() ? part : nullptr;
    read_parts(body, top, key, at);
    return std::move(draft_);
  }

 private:
  void set_name(const core::text& name, const node& n) {
    if (name.value.find_first_not_of(" \t") == std::string::npos) {
      r_.out.error(n.at, "the name of the project is empty; expected a text");
      return;
    }
    draft_.spec.name = name.value;
    draft_.is_named = true;
    name_ = name;
  }

  void take_fields() {
    project_spec& spec = draft_.spec;
    if (const given* g = fields_.find("id")) {
      spec.id = fields_.plain("id");
      draft_.id_at = g->at;
      if (spec.id && !is_project_id(*spec.id)) {
        r_.out.error(g->at,
                     "id: this is no id of a project; expected four groups of four, "
                     "xxxx-xxxx-xxxx-xxxx");
        spec.id.reset();
      }
    }
    if (const auto owner = fields_.plain("owner"); owner && !owner->empty()) spec.owner = *owner;
    check_visibility();
    take_repository();
    if (const auto* policy = fields_.get<environment_policy>("environment_policy"))
      spec.env_policy = *policy;
    spec.suspend = fields_.boolean("suspend").value_or(false);
    spec.prune = fields_.boolean("prune").value_or(false);
    if (const auto limit = fields_.integer("prune_limit"))
      spec.prune_limit = static_cast<int>(*limit);
    if (const auto* t = fields_.get<core::duration>("clone_timeout")) spec.clone_timeout = *t;
    spec.fields = fields_.for_cml();
  }

  void check_visibility() {
    const auto visibility = fields_.plain("visibility");
    if (!visibility || *visibility == "public" || *visibility == "organization" ||
        *visibility == "private")
      return;
    r_.out.error(fields_.find("visibility")->at,
                 "visibility: expected public, organization or private");
  }

  void take_repository() {
    const given* g = fields_.find("git_url");
    if (g == nullptr) return;
    draft_.git_at = g->at;
    const core::text text = *fields_.text("git_url");
    const auto url = repository_url(text.value);
    if (!url) {
      r_.out.error(g->at,
                   "git_url: this is no repository; expected a URL, user@host:path, or "
                   "owner/name on GitHub");
      return;
    }
    const core::text whole(*url, text.secret || has_credentials(*url));
    fields_.all["git_url"].value = core::field_value(whole);
  }

  // "jobs:" and "verify:" stand at the top, or inside the project.
  const entry* part_of(const node* body, const node* top, std::string_view name) {
    const entry* inside = body == nullptr ? nullptr : body->find(name);
    const entry* outside = top == nullptr ? nullptr : top->find(name);
    if (inside != nullptr && outside != nullptr)
      r_.out.error(inside->at, "'" + std::string(name) +
                                   "' is given in the project and at the top of the file (line " +
                                   std::to_string(outside->at.line) + "); expected one of them");
    return inside != nullptr ? inside : outside;
  }

  void read_parts(const node* body, const node* top, const std::string& key, place at) {
    given_fields defaults = inherited_.defaults;
    if (const entry* own = body == nullptr ? nullptr : body->find("defaults"))
      defaults = merge(defaults, read_defaults(r_, own->value));

    std::optional<core::text> runtime = fields_.text("runtime_identifier");
    if (!runtime || runtime->value.empty()) runtime = runtime_of_environment(at);

    std::vector<job_draft> jobs;
    const entry* list = part_of(body, top, "jobs");
    if (list == nullptr) {
      r_.out.error(at,
                   (key.empty() ? "the file has no jobs" : "project '" + key + "' has no jobs") +
                       "; expected 'jobs:', a map of keys to jobs");
    } else if (list->value.is_null()) {
      wrong_type(r_, {node::kind::null, list->at, {}, false, {}, {}}, "jobs",
                 "a map of keys to jobs");
    } else {
      jobs = read_jobs(r_, list->value, defaults, runtime);
    }
    check_jobs(r_, jobs);
    warn_of_missing_runtimes(jobs, list == nullptr ? at : list->at);
    const entry* verify = part_of(body, top, "verify");
    if (verify != nullptr && !verify->value.is_null())
      draft_.spec.verify = read_verify(r_, verify->value, jobs);

    auto after = inherited_.rerun_after;
    if (const auto* own = fields_.get<core::timestamp>("rerun_after"))
      after = std::max(after.value_or(*own), *own);
    for (auto& job : jobs) {
      if (after) job.spec.rerun_after = std::max(job.spec.rerun_after.value_or(*after), *after);
      draft_.spec.jobs.push_back(std::move(job.spec));
    }
    draft_.spec.fields["name"] = name_;
  }

  std::optional<core::text> runtime_of_environment(place at) {
    const auto found = r_.env ? r_.env("RUNTIME_IDENTIFIER") : std::nullopt;
    if (!found || found->empty()) return std::nullopt;
    if (found->find_first_not_of("0123456789. \t\r\n") == std::string::npos) {
      r_.out.error(at,
                   "the variable RUNTIME_IDENTIFIER holds a number, which is an id of CML's web "
                   "pages and older API; expected an image identifier as the REST API wants it");
      return std::nullopt;
    }
    return core::text(*found);
  }

  void warn_of_missing_runtimes(const std::vector<job_draft>& jobs, place at) {
    std::string keys;
    for (const auto& job : jobs)
      if (!job.spec.fields.contains("runtime_identifier") && !job.spec.fields.contains("kernel"))
        keys += (keys.empty() ? "'" : ", '") + job.spec.key + "'";
    if (keys.empty()) return;
    r_.out.warning(at, "no runtime for " + keys +
                           ": CML refuses a job without one in a project of ML runtimes; set "
                           "runtime_identifier in the project, or the variable RUNTIME_IDENTIFIER");
  }

  const reading& r_;
  const inherited& inherited_;
  project_draft draft_;
  given_fields fields_;
  core::text name_;
};

// A key that is wrong at the top but right elsewhere is told where it belongs.
void check_top_keys(const reading& r, const node& top) {
  for (const auto& e : top.entries) {
    if (std::find(top_keys.begin(), top_keys.end(), e.key) != top_keys.end()) continue;
    std::string hint;
    if (!nearest(e.key, top_keys)) {
      if (core::find_field(core::project_fields(), e.key) != nullptr)
        hint = "it belongs under 'project:'";
      else if (core::find_field(core::job_fields(), e.key) != nullptr)
        hint = "it belongs to a job, or under 'defaults:'";
    }
    if (hint.empty()) hint = suggestion(e.key, top_keys);
    r.out.error(e.at, "unknown key '" + e.key + "' at the top of the file; " + hint);
  }
}

std::vector<project_draft> read_map_of_projects(const reading& r, const node& top,
                                                const entry& projects, const inherited& shared) {
  std::vector<project_draft> drafts;
  for (const std::string_view key : {"project", "jobs", "verify"})
    if (const entry* e = top.find(key))
      r.out.error(e->at, "'" + e->key + "' stands beside 'projects' (line " +
                             std::to_string(projects.at.line) +
                             "); expected it in a project of 'projects'");
  if (!projects.value.is_map()) {
    wrong_type(r, projects.value, "projects", "a map of names to projects");
    return drafts;
  }
  if (projects.value.entries.empty())
    r.out.error(projects.at, "projects: the map is empty; expected at least one project");
  for (const auto& e : projects.value.entries) {
    if (e.key.find_first_not_of(" \t") == std::string::npos) {
      r.out.error(e.at, "the name of the project is empty; expected a text");
      continue;
    }
    drafts.push_back(project_builder(r, shared).build(&e.value, nullptr, e.key, e.at));
  }
  return drafts;
}

}  // namespace

std::vector<std::string_view> project_parts() { return {"jobs", "defaults", "verify"}; }

std::vector<project_draft> read_projects(const reading& r, const node& top) {
  constexpr std::string_view expected = "a map with 'jobs:', and perhaps 'project:'";
  if (top.is_null() || (top.is_map() && top.entries.empty())) {
    r.out.error({1, 1}, "the file is empty; expected " + std::string(expected));
    return {};
  }
  if (!top.is_map()) {
    r.out.error(top.at, "the file holds " + describe_found(top) + " at its top; expected " +
                            std::string(expected));
    return {};
  }
  check_top_keys(r, top);
  inherited shared;
  if (const entry* e = top.find("defaults")) shared.defaults = read_defaults(r, e->value);
  if (const entry* e = top.find("rerun_after")) {
    const node only{node::kind::map, e->at, {}, false, {}, {*e}};
    const auto fields = read_fields(r, only, {core::job_fields(), {}, {}, {}, {}});
    if (const auto* at = fields.get<core::timestamp>("rerun_after")) shared.rerun_after = *at;
  }
  if (const entry* projects = top.find("projects"))
    return read_map_of_projects(r, top, *projects, shared);

  const entry* project = is_given(top, "project") ? top.find("project") : nullptr;
  const entry* jobs = top.find("jobs");
  const place at = project != nullptr ? project->at : jobs != nullptr ? jobs->at : place{1, 1};
  std::vector<project_draft> drafts;
  drafts.push_back(project_builder(r, shared).build(project == nullptr ? nullptr : &project->value,
                                                    &top, "", at));
  return drafts;
}

}  // namespace cmlrec::config
