#include "config/job_reader.hpp"

#include <algorithm>

namespace cmlrec::config {
namespace {

bool has_text(const given_fields& fields, std::string_view name) {
  const auto t = fields.text(name);
  return t && !t->value.empty();
}

class job_builder {
 public:
  job_builder(const reading& r, const entry& e, const given_fields& defaults,
              const std::optional<core::text>& runtime)
      : r_(r), entry_(e), own_(defaults), runtime_(runtime) {}

  job_draft build() {
    draft_.spec.key = entry_.key;
    draft_.spec.name = entry_.key;
    draft_.at = draft_.name_at = entry_.at;
    const std::string who = "job '" + entry_.key + "'";
    if (!entry_.value.is_map()) {
      r_.out.error(entry_.value.at, who + ": expected a map with at least a script, found " +
                                        describe_found(entry_.value));
      return std::move(draft_);
    }
    own_ =
        merge(own_, read_fields(r_, entry_.value, {core::job_fields(), "in " + who, {}, {}, {}}));
    const entry* script = entry_.value.find("script");
    if (script == nullptr || script->value.is_null())
      r_.out.error(entry_.at,
                   who +
                       " has no script; expected 'script:' with the path of a script in the "
                       "project");
    take_name();
    take_parent();
    take_runtime();
    take_own_settings();
    draft_.spec.fields = own_.for_cml();
    draft_.spec.fields["name"] = name_;
    return std::move(draft_);
  }

 private:
  void take_name() {
    name_ = core::text(entry_.key);
    if (const given* g = own_.find("name")) {
      name_ = own_.text("name").value_or(name_);
      draft_.name_at = g->at;
    }
    draft_.spec.name = name_.value;
  }

  void take_parent() {
    const given* g = own_.find("parent_job_key");
    if (g == nullptr) return;
    draft_.spec.owns_parent = true;
    draft_.parent_at = g->at;
    const auto& reference = std::get<job_reference>(g->value);
    draft_.spec.parent_key = reference.key;
    draft_.parent_shown = reference.shown;
    if (reference.key && has_text(own_, "schedule"))
      r_.out.error(g->at, "job '" + entry_.key + "' has a schedule and a parent" +
                              (own_.find("schedule")->own ? "" : " (the schedule is a default)") +
                              "; expected one of them, because CML starts a job either by the "
                              "clock or after its parent");
  }

  void take_runtime() {
    if (!own_.text("runtime_identifier") && runtime_) {
      const core::field* f = core::find_field(core::job_fields(), "runtime_identifier");
      own_.all[f->name] = {f, core::field_value(*runtime_), entry_.at, false};
    }
    const given* kernel = own_.find("kernel");
    if (kernel == nullptr || !has_text(own_, "runtime_identifier")) return;
    r_.out.warning(kernel->at,
                   "kernel: it is not sent, because CML refuses it together with a runtime; leave "
                   "it out");
    own_.all.erase("kernel");
  }

  void take_own_settings() {
    job_spec& spec = draft_.spec;
    if (has_text(own_, "schedule")) spec.run = run_policy::never;
    if (const auto* run = own_.get<run_policy>("run")) {
      spec.run = *run;
      draft_.run_is_explicit = true;
      draft_.run_at = own_.find("run")->at;
    }
    if (const auto* retry = own_.get<retry_policy>("retry")) spec.retry = *retry;
    if (const auto* policy = own_.get<environment_policy>("environment_policy"))
      spec.env_policy = *policy;
    if (const auto* at = own_.get<core::timestamp>("rerun_after")) spec.rerun_after = *at;
    spec.suspend = own_.boolean("suspend").value_or(false);
    spec.description = own_.plain("description").value_or("");
  }

  const reading& r_;
  const entry& entry_;
  given_fields own_;
  const std::optional<core::text>& runtime_;
  job_draft draft_;
  core::text name_;
};

}  // namespace

std::vector<std::string_view> fields_without_default() {
  return {"name", "script", "parent_job_key", "description"};
}

given_fields read_defaults(const reading& r, const node& n) {
  if (n.is_null()) return {};
  if (!n.is_map()) {
    wrong_type(r, n, "defaults", "a map of job fields");
    return {};
  }
  return read_fields(r, n,
                     {core::job_fields(),
                      "in 'defaults'",
                      fields_without_default(),
                      "cannot have a default; give it in each job",
                      {}});
}

std::vector<job_draft> read_jobs(const reading& r, const node& n, const given_fields& defaults,
                                 const std::optional<core::text>& runtime) {
  std::vector<job_draft> jobs;
  if (!n.is_map()) {
    wrong_type(r, n, "jobs", "a map of keys to jobs");
    return jobs;
  }
  if (n.entries.empty()) r.out.error(n.at, "jobs: the map is empty; expected at least one job");
  for (const auto& e : n.entries) {
    if (e.key.find_first_not_of(" \t") == std::string::npos ||
        e.key.find_first_of("\r\n") != std::string::npos)
      r.out.error(e.at, "the key of a job is empty or has several lines; expected a word");
    jobs.push_back(job_builder(r, e, defaults, runtime).build());
  }
  return jobs;
}

}  // namespace cmlrec::config
