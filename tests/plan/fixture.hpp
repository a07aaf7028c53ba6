// A project of a file, what CML says of it, and one call of the planner: everything as values.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/diff.hpp"
#include "plan/memory.hpp"
#include "plan/plan.hpp"

namespace cmlrec::plan::test {

using namespace std::chrono_literals;

inline const core::timestamp noon = *core::parse_timestamp("2026-03-01T12:00:00Z");
inline const core::instant local_noon{core::duration{10'000'000}};

class planner_test : public ::testing::Test {
 protected:
  planner_test() {
    wanted.name = "ray-cluster";
    wanted.fields["name"] = core::text{"ray-cluster"};
    wanted.fields["git_url"] = core::text{"https://example.com/o/r"};
    seen.pass_began = local_noon;
    now = {noon, local_noon};
  }

  config::job_spec& want(const std::string& key, const std::string& parent = "") {
    config::job_spec job;
    job.key = key;
    job.name = "Job " + key;
    job.fields["name"] = core::text{job.name};
    job.fields["script"] = core::text{key + ".py"};
    if (!parent.empty()) {
      job.parent_key = parent;
      job.owns_parent = true;
    }
    wanted.jobs.push_back(job);
    return wanted.jobs.back();
  }

  cml::project& live_project(const std::string& status = "success") {
    cml::project p;
    p.id = "aaaa-aaaa-aaaa-aaaa";
    p.name = "ray-cluster";
    p.owner = "ada";
    p.creation_status = status;
    p.created_at = noon - 1h;
    p.fields["name"] = core::text{p.name};
    seen.projects.push_back(p);
    return seen.projects.back();
  }

  // The live job as the file wants it.
  cml::job& live_job(const std::string& key) {
    if (!seen.jobs) seen.jobs.emplace();
    cml::job job;
    job.id = id_of(key);
    job.name = "Job " + key;
    const auto spec = std::find_if(wanted.jobs.begin(), wanted.jobs.end(),
                                   [&](const auto& s) { return s.key == key; });
    if (spec != wanted.jobs.end()) {
      job.fields = spec->fields;
      if (spec->parent_key) job.parent_id = id_of(*spec->parent_key);
    } else {
      job.fields["name"] = core::text{job.name};
    }
    job.updated_at = noon - 24h;
    seen.jobs->push_back(job);
    seen.histories[job.id].began = now;
    seen.histories[job.id].complete = true;
    return seen.jobs->back();
  }

  // A run that began `ago` before now and, if it has ended, took one minute.
  cml::run& run(const std::string& key, cml::run_state state, core::duration ago) {
    cml::run r;
    r.id = "run" + std::to_string(++runs_made_);
    r.job_id = id_of(key);
    r.state = state;
    r.status = cml::to_string(state);
    r.created_at = now.cml - ago;
    if (state != cml::run_state::scheduling) r.running_at = r.created_at;
    if (cml::is_finished(state)) r.finished_at = *r.created_at + 1min;
    merge(seen.histories[r.job_id], r);
    auto& all = seen.histories[r.job_id].runs;
    return *std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.id == r.id; });
  }

  static std::string id_of(const std::string& key) { return "id-" + key; }

  project_plan decide() const { return plan::decide(wanted, seen, memory, rules, now); }

  static const job_report& job(const project_plan& plan, const std::string& key) {
    for (const auto& j : plan.report.jobs)
      if (j.key == key) return j;
    throw std::logic_error("no job " + key);
  }

  static int count(const project_plan& plan, action_kind kind) {
    return static_cast<int>(std::count_if(plan.actions.begin(), plan.actions.end(),
                                          [&](const action& a) { return a.kind == kind; }));
  }

  static bool starts(const project_plan& plan, const std::string& key) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [&](const action& a) {
      return a.kind == action_kind::start_run && a.job_key == key;
    });
  }

  config::project_spec wanted;
  observation seen;
  project_memory memory;
  policy rules;
  moment now;

 private:
  int runs_made_ = 0;
};

}  // namespace cmlrec::plan::test
