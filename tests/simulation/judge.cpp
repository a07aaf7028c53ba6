#include "simulation/judge.hpp"

#include <algorithm>

namespace cmlrec::simulation {
namespace {

using cml::run_state;
using plan::job_state;
using plan::project_state;
using namespace std::chrono_literals;

class project_judge {
 public:
  project_judge(world& cml, const config::project_spec& spec, const plan::project_report& report,
                const plan::policy& rules, core::timestamp now, const forced_when& forced)
      : cml_(cml), spec_(spec), report_(report), rules_(rules), now_(now), forced_(forced) {}

  std::string verdict() {
    if (spec_.suspend) return expect(project_state::suspended, "the file suspends it");
    std::vector<sim_project*> found;
    for (auto& p : cml_.projects())
      if (spec_.id ? p->project.id == *spec_.id : p->project.name == spec_.name)
        found.push_back(p.get());
    if (found.empty()) {
      if (spec_.fields.contains("git_url")) return "it has not been made";
      return expect(project_state::degraded, "there is nothing to make it from");
    }
    if (found.size() > 1) return expect(project_state::degraded, "there are several");
    live_ = found.front();
    if (!live_->cloned_at) {
      if (live_->project.creation_status == "failure")
        return expect(project_state::degraded, "its clone has failed");
      return "its clone is going on";
    }
    for (const auto& [field, value] : spec_.fields) {
      if (field == "git_url" || field == "git_ref" || field == "template") continue;
      if (field_differs(live_->project.fields, field, value, spec_.env_policy)) {
        if (!cml_.its_temper().ignored_project_fields.contains(field))
          return "its " + field + " differs";
        trouble_ = true;
      }
    }
    for (const auto& job : spec_.jobs) {
      if (auto wrong = of_job(job); !wrong.empty()) return "job " + job.key + " " + wrong;
    }
    if (report_.state == project_state::progressing) return "it is Progressing: " + why();
    if (report_.state == project_state::unreachable) return "it is Unreachable: " + why();
    for (const auto& orphan : live_->jobs) {
      const auto* active = orphan->alive ? orphan->active() : nullptr;
      if (spec_.prune && active != nullptr && now_ - *active->run.created_at > 2h) trouble_ = true;
    }
    const bool checks = std::any_of(spec_.verify.begin(), spec_.verify.end(), [](const auto& c) {
      return std::holds_alternative<config::http_check>(c.what);
    });
    if (report_.state == project_state::converged && trouble_) return "it claims to be Converged";
    if (report_.state == project_state::degraded && !trouble_ && !checks)
      return "it is Degraded for nothing: " + why();
    if (report_.state == project_state::suspended && !suspended_)
      return "it is Suspended for nothing";
    return {};
  }

 private:
  std::string why() const {
    std::string out;
    for (const auto& r : report_.reasons) out += (out.empty() ? "" : "; ") + r;
    return out;
  }

  std::string expect(project_state state, const std::string& because) const {
    if (report_.state == state) return {};
    return "it is " + std::string(plan::to_string(report_.state)) + " and should be " +
           plan::to_string(state) + ": " + because + " (" + why() + ")";
  }

  static bool field_differs(const core::field_set& live, const std::string& field,
                            const core::field_value& wanted, config::environment_policy policy) {
    const auto found = live.find(field);
    if (found == live.end()) return true;
    if (field == "environment") {
      const auto& want = std::get<core::text_map>(wanted);
      auto have = std::get<core::text_map>(found->second);
      have.erase("CML_RECONCILER_OWNER");
      if (policy == config::environment_policy::merge)
        std::erase_if(have, [&](const auto& e) { return !want.contains(e.first); });
      return have != want;
    }
    if (field == "runtime_addon_identifiers") {
      const auto& have = std::get<core::text_list>(found->second);
      for (const auto& item : std::get<core::text_list>(wanted))
        if (std::find(have.begin(), have.end(), item) == have.end()) return true;
      return false;
    }
    return !(found->second == wanted);
  }

  const plan::job_report* told_of(const std::string& key) const {
    for (const auto& j : report_.jobs)
      if (j.key == key) return &j;
    return nullptr;
  }

  const config::job_spec* parent_of(const config::job_spec& job) const {
    if (!job.parent_key) return nullptr;
    for (const auto& j : spec_.jobs)
      if (j.key == *job.parent_key) return &j;
    return nullptr;
  }

  bool ancestor_is(const config::job_spec& job, auto&& holds) const {
    for (const auto* p = parent_of(job); p != nullptr; p = parent_of(*p))
      if (holds(*p)) return true;
    return false;
  }

  // A success that is newer than all that it must be newer than.
  const sim_run* fresh(const config::job_spec& job) const {
    auto* live = live_->find(job.name);
    if (live == nullptr) return nullptr;
    std::optional<core::timestamp> parent_end;
    if (const auto* parent = parent_of(job)) {
      // A parent that has never succeeded, or that is there twice, says nothing.
      if (live_->count(parent->name) == 1)
        for (const auto& r : live_->find(parent->name)->runs)
          if (r.run.state == run_state::succeeded &&
              (!parent_end || *r.run.finished_at > *parent_end))
            parent_end = r.run.finished_at;
    }
    for (auto r = live->runs.rbegin(); r != live->runs.rend(); ++r) {
      if (r->run.state != run_state::succeeded) continue;
      if (job.rerun_after && *job.rerun_after <= now_ && *r->run.created_at < *job.rerun_after)
        continue;
      if (parent_end && *r->run.created_at + stamp_tolerance < *parent_end) continue;
      return &*r;
    }
    return nullptr;
  }

  std::string of_job(const config::job_spec& job) {
    const auto* told = told_of(job.key);
    if (told == nullptr) return "is not in the report";
    if (live_->count(job.name) > 1) {
      trouble_ = true;
      return told->state == job_state::ambiguous ? "" : "is there twice, and is not Ambiguous";
    }
    if (job.suspend) {
      suspended_ = true;
      return told->state == job_state::suspended ? "" : "is not Suspended";
    }
    auto* live = live_->find(job.name);
    if (live == nullptr) {
      const bool parent_missing =
          ancestor_is(job, [&](const auto& p) { return live_->count(p.name) != 1; });
      trouble_ = true;
      suspended_ = suspended_ || ancestor_is(job, [](const auto& p) { return p.suspend; });
      return parent_missing ? "" : "is missing: " + told->reason;
    }
    for (const auto& [field, value] : job.fields) {
      if (!field_differs(live->job.fields, field, value, job.env_policy)) continue;
      if (!cml_.its_temper().ignored_job_fields.contains(field))
        return "has another " + field + ": " + told->reason;
      trouble_ = true;
    }
    if (const auto wrong = of_parent(job, *live); !wrong.empty()) return wrong;
    if (job.run == config::run_policy::never)
      return told->state == job_state::watched ? "" : "is not Watched";
    return of_runs(job, *live, *told);
  }

  std::string of_parent(const config::job_spec& job, const sim_job& live) {
    const auto* parent = parent_of(job);
    if (parent == nullptr)
      return job.owns_parent && !live.job.parent_id.empty() ? "has a parent" : "";
    if (live_->count(parent->name) != 1) return {};
    return live.job.parent_id == live_->find(parent->name)->job.id ? "" : "has another parent";
  }

  std::string of_runs(const config::job_spec& job, const sim_job& live,
                      const plan::job_report& told) {
    const auto* active = live.active();
    const sim_run* newest = nullptr;
    for (const auto& r : live.runs)
      if (r.run.state != run_state::skipped && cml::is_finished(r.run.state)) newest = &r;
    const auto hour_ago = now_ - 1h;
    const auto recent = std::count_if(live.runs.begin(), live.runs.end(), [&](const sim_run& r) {
      return r.run.state != run_state::skipped && *r.run.created_at > hour_ago;
    });
    const bool is_fresh = fresh(job) != nullptr;
    if (told.state == job_state::up_to_date) {
      // What CML starts of a suspended job shows only where runs are looked at again.
      const bool unseen = rules_.runs_refresh <= core::duration{0} &&
                          ancestor_is(job, [](const auto& p) { return p.suspend; });
      if (!is_fresh) return unseen ? "" : "claims to be up to date";
      const auto forced = forced_(spec_.name, job.name);
      if (forced && *fresh(job)->run.created_at + stamp_tolerance < *forced)
        return "has not run since it was forced";
      return active == nullptr ? "" : "has an active run that is not told";
    }
    trouble_ = true;
    const auto said = std::string("is ") + plan::to_string(told.state) + ": " + told.reason;
    switch (told.state) {
      case job_state::failed:
        return newest != nullptr && newest->run.state != run_state::succeeded ? "" : said;
      case job_state::stopped:
        return newest != nullptr && newest->run.state == run_state::stopped ? "" : said;
      case job_state::guarded:
        return recent >= rules_.max_runs_per_hour ? "" : said;
      case job_state::queued:
        return active != nullptr && active->run.state == run_state::scheduling ? "" : said;
      case job_state::overdue:
        return active != nullptr && now_ - *active->run.created_at > rules_.overdue_margin ? ""
                                                                                           : said;
      case job_state::blocked:
      case job_state::waiting: {
        suspended_ = suspended_ || ancestor_is(job, [](const auto& p) { return p.suspend; });
        // For the parent, which has its own reason; or for the deployment that it verifies.
        const bool on_parent = ancestor_is(job, [&](const auto& p) {
          const auto* of_parent = told_of(p.key);
          return of_parent != nullptr && of_parent->state != job_state::up_to_date;
        });
        const bool verifies =
            std::any_of(spec_.verify.begin(), spec_.verify.end(), [&](const auto& c) {
              const auto* key = std::get_if<std::string>(&c.what);
              return key != nullptr && *key == job.key;
            });
        const bool others_wait =
            std::any_of(report_.jobs.begin(), report_.jobs.end(), [&](const auto& j) {
              return j.key != job.key && j.state != job_state::up_to_date &&
                     j.state != job_state::watched;
            });
        return on_parent || (verifies && others_wait) ? "" : said;
      }
      default:
        return said;
    }
  }

  world& cml_;
  const config::project_spec& spec_;
  const plan::project_report& report_;
  const plan::policy& rules_;
  core::timestamp now_;
  const forced_when& forced_;
  sim_project* live_ = nullptr;
  bool trouble_ = false;
  bool suspended_ = false;
};

}  // namespace

std::string judge(world& cml, const config::desired_state& file,
                  const std::map<std::string, plan::project_report>& reports,
                  const plan::policy& rules, core::timestamp now, const forced_when& forced) {
  for (const auto& spec : file.projects) {
    const auto report = reports.find(spec.name);
    if (report == reports.end()) return "project " + spec.name + ": no report";
    auto wrong = project_judge(cml, spec, report->second, rules, now, forced).verdict();
    if (!wrong.empty()) return "project " + spec.name + ": " + wrong;
  }
  return {};
}

}  // namespace cmlrec::simulation
