#include "simulation/checker.hpp"

#include <algorithm>

namespace cmlrec::simulation {

using namespace std::chrono_literals;

namespace {

bool acts_at_creation(const std::string& field) {
  return field == "git_url" || field == "git_ref" || field == "template" || field == "team_name";
}

}  // namespace

std::string checker::name_in(const core::field_set& fields) {
  const auto found = fields.find("name");
  if (found == fields.end()) return {};
  const auto* t = std::get_if<core::text>(&found->second);
  return t == nullptr ? std::string() : t->value;
}

void checker::sends_once(const std::string& what, core::instant until) {
  auto& before = on_its_way_[what];
  if (before > in_.now())
    violated("a write that may still happen is looked up before it is repeated", what);
  before = std::max(before, until);
}

void checker::violated(const std::string& rule, const std::string& what) {
  if (broken_) return;
  broken_ = breach{rule, what, in_.now()};
  write_trace("BROKEN: " + rule + ": " + what);
}

void checker::write_trace(const std::string& line) {
  if (!trace_on_) return;
  trace_ += core::format_timestamp(in_.wall()).substr(11, 12) + " " + line + "\n";
}

void checker::says(const std::string& text, const char* where) {
  if (text.find(secret_text) != std::string::npos)
    violated("no secret in any output", std::string(where) + ": " + text);
}

void checker::file_is(const config::desired_state& file) {
  versions_.push_back({in_.now(), file});
  note([&] {
    auto out = "the file is version " + std::to_string(versions_.size());
    for (const auto& p : file.projects) {
      out += "\n    project " + p.name + (p.prune ? " prune" : "") + (p.suspend ? " suspend" : "");
      for (const auto& c : p.verify)
        if (const auto* key = std::get_if<std::string>(&c.what)) out += " verify=" + *key;
      for (const auto& j : p.jobs) {
        out += "\n      " + j.key + " parent=" + j.parent_key.value_or("none") +
               " attempts=" + std::to_string(j.retry.max_attempts);
        if (j.run == config::run_policy::never) out += " never";
        if (j.run == config::run_policy::on_change) out += " on_change";
        if (j.suspend) out += " suspend";
        if (j.rerun_after) out += " rerun_after=" + core::format_timestamp(*j.rerun_after);
        for (const auto& [field, value] : j.fields)
          if (field != "name" && field != "script") out += " " + field + "=" + core::display(value);
      }
    }
    return out;
  });
}

void checker::life_begins(bool attempts_anew, bool force, bool remembers) {
  if (!remembers) {
    held_.clear();
    // A run that one of them has caused may still be on its way.
    forgotten_forces_ = forced_by_order_.size();
  }
  known_.clear();
  runs_.clear();
  fruitless_.clear();
  if (attempts_anew) attempts_anew_.push_back(in_.now());
  if (force) forced_.push_back(in_.now());
}

std::vector<const config::project_spec*> checker::specs_of(const std::string& project_id,
                                                           core::instant since) const {
  std::vector<const config::project_spec*> out;
  const auto* live = cml_.find_project(project_id);
  for (auto v = versions_.rbegin(); v != versions_.rend(); ++v) {
    for (const auto& p : v->file.projects)
      if (p.id ? *p.id == project_id : live != nullptr && p.name == live->project.name)
        out.push_back(&p);
    if (v->from <= since) break;
  }
  return out;
}

const config::job_spec* checker::job_in(const config::project_spec& spec, const std::string& name) {
  for (const auto& j : spec.jobs)
    if (j.name == name) return &j;
  return nullptr;
}

checker::known_project* checker::known(const std::string& project_id) {
  for (auto& [name, k] : known_)
    for (const auto& p : k.found)
      if (p.id == project_id && (p.name == name || name == "id:" + project_id)) return &k;
  return nullptr;
}

const cml::job* checker::known_live(const known_project& k, const std::string& name) const {
  for (const auto& [id, j] : k.jobs)
    if (j.name == name) return &j;
  return nullptr;
}

void checker::pass_begins(const std::string& name) {
  ++counted_.passes;
  auto& k = known_[name];
  k.pass_began = in_.now();
  k.found_whole = false;
  k.found.clear();
  k.jobs_whole = false;  // what they were stays, to be compared with what they will be
  k.deletions = 0;
}

void checker::pass_begins_by_id(const std::string& id) { pass_begins("id:" + id); }

void checker::learned_projects(const std::string& name,
                               const core::result<std::vector<cml::project>>& answer) {
  auto& k = known_[name];
  k.found_whole = answer.has_value();
  if (answer) k.found = *answer;
}

void checker::learned_project_by_id(const std::string& id,
                                    const core::result<cml::project>& answer) {
  auto& k = known_["id:" + id];
  k.found_whole = answer.has_value();
  if (answer) k.found = {*answer};
}

void checker::asks_jobs(const std::string& project_id) {
  if (auto* k = known(project_id)) k->jobs_whole = false;
}

void checker::learned_jobs(const std::string& project_id,
                           const core::result<std::vector<cml::job>>& answer) {
  auto* k = known(project_id);
  if (k == nullptr) return;
  k->jobs_whole = answer.has_value();
  if (!answer) return;
  // Few have changed since the list before, and to copy a job takes longer than to compare it.
  for (const auto& j : *answer) {
    auto& job = k->jobs[j.id];
    if (!(job == j)) job = j;
  }
  if (k->jobs.size() == answer->size()) return;
  std::set<std::string_view> there;
  for (const auto& j : *answer) there.insert(j.id);
  std::erase_if(k->jobs, [&](const auto& e) { return !there.contains(e.first); });
}

void checker::asks_runs(const std::string& job_id) {
  auto& k = runs_[job_id];
  k.runs_whole = false;
  k.asked_at = in_.now();
}

void checker::learned_runs(const std::string& job_id, const core::result<cml::runs_page>& answer) {
  auto& k = runs_[job_id];
  k.runs_whole = answer.has_value();
  if (answer)
    for (const auto& r : answer->runs) k.runs[r.id] = r;
}

void checker::learned_run(const std::string& job_id, const std::string& run_id,
                          const core::result<cml::run>& answer) {
  auto& k = runs_[job_id];
  if (answer)
    k.runs[run_id] = *answer;
  else if (answer.error().kind == core::error_kind::not_found)
    k.runs.erase(run_id);
}

bool checker::has_known_active(const std::string& job_id) const {
  const auto found = runs_.find(job_id);
  if (found == runs_.end()) return false;
  const cml::run* newest = nullptr;
  for (const auto& [id, r] : found->second.runs) {
    if (r.state == cml::run_state::skipped) continue;
    if (!cml::is_finished(r.state) && r.state != cml::run_state::unknown) return true;
    if (newest == nullptr || r.created_at > newest->created_at) newest = &r;
  }
  return newest != nullptr && !cml::is_finished(newest->state);
}

void checker::a_write() {
  ++counted_.writes;
  last_write_ = in_.now();
}

bool checker::lists_are_whole(const std::string& project_id, const std::string& what) {
  const auto* k = known(project_id);
  if (k != nullptr && k->found_whole && k->jobs_whole) return true;
  violated("no write from a failed or partial read", what);
  return false;
}

void checker::sends_create_project(const cml::project_write& body) {
  a_write();
  const auto name = name_in(body.fields);
  note([&] { return "-> CreateProject " + name; });
  if (is_held(name, "", 2s))
    violated("nothing is done to what an operator has suspended", "CreateProject " + name);
  const auto found = known_.find(name);
  if (found == known_.end() || !found->second.found_whole) {
    violated("no write from a failed or partial read", "CreateProject " + name);
    return;
  }
  bool wanted = false;
  for (auto v = versions_.rbegin(); v != versions_.rend(); ++v) {
    for (const auto& p : v->file.projects)
      wanted = wanted || (p.name == name && !p.id && !p.suspend);
    if (v->from <= found->second.pass_began) break;
  }
  if (!wanted) violated("own only what the file says", "CreateProject " + name);
}

void checker::project_made(sim_project& project) {
  ++counted_.objects_by_daemon;
  const auto same = std::count_if(
      cml_.projects().begin(), cml_.projects().end(),
      [&](const auto& p) { return p->by_daemon && p->project.name == project.project.name; });
  if (same > 1) violated("never two objects of one name", "project " + project.project.name);
}

void checker::job_made(sim_job& job) {
  ++counted_.objects_by_daemon;
  const auto& jobs = job.project->jobs;
  const auto same = std::count_if(jobs.begin(), jobs.end(), [&](const auto& j) {
    return j->alive && j->by_daemon && j->job.name == job.job.name;
  });
  if (same > 1)
    violated("never two objects of one name",
             "job " + job.job.name + " of project " + job.project->project.name);
}

void checker::sends_update_project(const std::string& id, const cml::project_write& body) {
  a_write();
  note([&] { return "-> UpdateProject " + id; });
  touches(id, "", "UpdateProject " + id);
  const auto* k = known(id);
  if (k == nullptr || !k->found_whole) {
    violated("no write from a failed or partial read", "UpdateProject " + id);
    return;
  }
  bool owned = false;
  for (const auto* spec : specs_of(id, in_.now() - 1ms))
    owned = owned || (!spec->suspend &&
                      std::all_of(body.fields.begin(), body.fields.end(), [&](const auto& f) {
                        return spec->fields.contains(f.first) && !acts_at_creation(f.first);
                      }));
  if (!owned || body.fields.empty()) violated("own only what the file says", "UpdateProject " + id);
}

void checker::sends_create_job(const std::string& project_id, const cml::job_write& body) {
  a_write();
  const auto name = name_in(body.fields);
  note([&] { return "-> CreateJob " + name; });
  touches(project_id, name, "CreateJob " + name);
  if (!lists_are_whole(project_id, "CreateJob " + name)) return;
  const auto& k = *known(project_id);
  if (known_live(k, name) != nullptr) {
    violated("never create what a list has shown", "job " + name);
    return;
  }
  bool owned = false;
  for (const auto* spec : specs_of(project_id, in_.now() - 1ms)) {
    const auto* job = job_in(*spec, name);
    if (job == nullptr || job->suspend || spec->suspend) continue;
    owned = owned || std::all_of(body.fields.begin(), body.fields.end(), [&](const auto& f) {
              return job->fields.contains(f.first) || (f.first == "environment" && spec->prune);
            });
  }
  if (!owned) violated("own only what the file says", "CreateJob " + name);
}

void checker::sends_update_job(const std::string& project_id, const std::string& job_id,
                               const cml::job_write& body) {
  a_write();
  note([&] {
    std::string fields;
    for (const auto& [field, value] : body.fields) fields += " " + field;
    return "-> UpdateJob " + job_id + fields + (body.parent_id ? " parent" : "");
  });
  if (!lists_are_whole(project_id, "UpdateJob " + job_id)) return;
  const auto& k = *known(project_id);
  const auto found = k.jobs.find(job_id);
  if (found == k.jobs.end()) {
    violated("own only what the file says", "UpdateJob of a job that no list has shown");
    return;
  }
  const auto& live = found->second;
  touches(project_id, live.name, "UpdateJob " + live.name);
  bool owned = false;
  for (const auto* spec : specs_of(project_id, in_.now() - 1ms)) {
    const auto* job = job_in(*spec, live.name);
    if (job == nullptr || job->suspend || spec->suspend) continue;
    const bool fields_owned =
        std::all_of(body.fields.begin(), body.fields.end(), [&](const auto& f) {
          if (job->fields.contains(f.first)) return true;
          // CML takes addons together with a runtime only, and a runtime alone resets them: the
          // other one of the two is sent as it is.
          const auto as_it_is = live.fields.find(f.first);
          const bool partner = f.first == "runtime_identifier"
                                   ? body.fields.contains("runtime_addon_identifiers")
                                   : f.first == "runtime_addon_identifiers" &&
                                         body.fields.contains("runtime_identifier");
          if (partner && as_it_is != live.fields.end() && as_it_is->second == f.second) return true;
          return f.first == "environment" && spec->prune;
        });
    owned = owned || (fields_owned && (!body.parent_id || job->owns_parent || job->parent_key));
  }
  if (!owned) violated("own only what the file says", "UpdateJob " + live.name);

  std::size_t same_name = 0;
  for (const auto& [id, j] : k.jobs) same_name += j.name == live.name ? 1 : 0;
  if (same_name > 1) violated("nothing is done to what is ambiguous", "UpdateJob " + live.name);

  bool differs = body.parent_id && *body.parent_id != live.parent_id;
  for (const auto& [field, value] : body.fields) {
    const auto now = live.fields.find(field);
    differs = differs || now == live.fields.end() || !(now->second == value);
  }
  if (!differs) violated("no PATCH where nothing differs", "UpdateJob " + live.name);

  // What others have put into the environment stays under `merge`.
  const auto env = body.fields.find("environment");
  const auto before = live.fields.find("environment");
  if (env != body.fields.end() && before != live.fields.end()) {
    const auto& now = std::get<core::text_map>(env->second);
    const auto specs = specs_of(project_id, in_.now() - 1ms);
    const bool keeps_all =
        std::all_of(specs.begin(), specs.end(), [&](const config::project_spec* spec) {
          const auto* job = job_in(*spec, live.name);
          return job == nullptr || job->env_policy == config::environment_policy::merge ||
                 !job->fields.contains("environment");
        });
    for (const auto& [key, value] : std::get<core::text_map>(before->second))
      if (keeps_all && !now.contains(key))
        violated("own only what the file says", "UpdateJob " + live.name + " drops " + key);
  }
  patched_[job_id].push_back(in_.now());
}

void checker::learned_update(const std::string& job_id, const cml::job_write& body,
                             const core::result<cml::job>& answer) {
  if (!answer) return;
  for (const auto& [field, value] : body.fields) {
    const auto now = answer->fields.find(field);
    if (!cml_.its_temper().ignored_job_fields.contains(field)) continue;
    const auto left = now == answer->fields.end() ? std::string() : core::canonical(now->second);
    if (left == core::canonical(value)) continue;
    auto& count = fruitless_[job_id + field + core::canonical(value) + left];
    // Once to find out; once more where another field of the same PATCH did take.
    if (++count > 2)
      violated("what does not take is not tried again", "UpdateJob " + answer->name + ", " + field);
  }
}

void checker::sends_delete_job(const std::string& project_id, const std::string& job_id) {
  a_write();
  note([&] { return "-> DeleteJob " + job_id; });
  if (!lists_are_whole(project_id, "DeleteJob " + job_id)) return;
  auto& k = *known(project_id);
  const auto found = k.jobs.find(job_id);
  const auto name = found == k.jobs.end() ? job_id : found->second.name;
  touches(project_id, "", "DeleteJob " + name);
  bool allowed = false;
  int limit = 0;
  for (const auto* spec : specs_of(project_id, in_.now() - 1ms)) {
    if (!spec->prune || spec->suspend || job_in(*spec, name) != nullptr) continue;
    allowed = true;
    limit = std::max(limit, spec->prune_limit);
  }
  if (!allowed) violated("deletions only where the file says so", "DeleteJob " + name);
  if (++k.deletions > limit) violated("deletions within the limit", "DeleteJob " + name);
  if (found == k.jobs.end()) return;
  const auto env = found->second.fields.find("environment");
  const auto* map =
      env == found->second.fields.end() ? nullptr : std::get_if<core::text_map>(&env->second);
  if (map == nullptr || !map->contains("CML_RECONCILER_OWNER"))
    violated("deletions only with the mark", "DeleteJob " + name);
  if (has_known_active(job_id)) violated("no deletion under an active run", "DeleteJob " + name);
}

void checker::sends_stop_run(const std::string& project_id, const std::string& job_id,
                             const std::string& run_id) {
  a_write();
  note([&] { return "-> StopJobRun " + run_id; });
  if (!lists_are_whole(project_id, "StopJobRun " + run_id)) return;
  if (!rules_.stop_overdue) violated("stops only where it is asked to", "StopJobRun " + run_id);
  const auto* job = cml_.find_job(job_id);
  if (job == nullptr) return;
  touches(project_id, job->job.name, "StopJobRun " + run_id);
  for (const auto& r : job->runs) {
    if (r.run.id != run_id) continue;
    const auto since = r.run.running_at.value_or(*r.run.created_at);
    const auto field = job->job.fields.find("timeout");
    const auto* timeout =
        field == job->job.fields.end() ? nullptr : std::get_if<std::int64_t>(&field->second);
    const auto limit = timeout != nullptr && *timeout > 0
                           ? core::duration{std::chrono::seconds{*timeout}}
                           : core::duration{1h};
    if (in_.wall() - since <= limit + rules_.overdue_margin)
      violated("stops only what is overdue", "StopJobRun " + run_id);
  }
}

void checker::on_event(const reconcile::event& e) {
  note([&] { return "   [" + e.name + "] " + e.project + " " + e.job + ": " + e.message; });
  says(e.message, "event");
  says(e.job, "event");
  if (e.name == "worker.crashed") violated("no exception reaches the loop", e.message);
  if (events_.size() < 200) events_.push_back(e);
}

void checker::on_pass(const std::string&, reconcile::pass_result, core::duration) {}
void checker::on_write(const reconcile::write_record& w) {
  says(w.reason, "audit");
  says(w.answer, "audit");
}

void checker::on_report(const plan::project_report& r) {
  if (r.state != plan::project_state::converged && r.reasons.empty() && r.activity.empty())
    violated("every wait has a reason",
             "project " + r.name + " is " + plan::to_string(r.state) + " and does not say why");
  for (const auto& reason : r.reasons) says(reason, "reason");
  says(r.activity, "activity");
  for (const auto& j : r.jobs) {
    if (j.reason.empty() && r.reachable)
      violated("every wait has a reason", "job " + j.key + " of " + r.name);
    says(j.reason, "reason");
    for (const auto& d : j.differences) {
      says(d.live, "difference");
      says(d.desired, "difference");
    }
  }
  reports_[r.name] = r;
}

void checker::forget_what_is_over() {
  const auto old = in_.now() - 24h;
  for (auto& [id, k] : runs_)
    std::erase_if(k.runs, [&](const auto& r) {
      return cml::is_finished(r.second.state) && in_.wall() - *r.second.created_at > 24h;
    });
  for (auto& [id, times] : patched_)
    std::erase_if(times, [&](core::instant at) { return at < old; });
  std::erase_if(on_its_way_, [&](const auto& e) { return e.second < old; });
  fruitless_.clear();
}

void checker::waited(core::duration longest) {
  // An hour bounds the wait for tasks that have deadlines of their own.
  if (longest > 1h + 1min)
    violated("every wait has a deadline", "waits for " + core::format_duration(longest));
}

}  // namespace cmlrec::simulation
