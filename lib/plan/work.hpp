// The planner's bench: one decision in the making, handed from rule to rule. Internal to plan/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "plan/diff.hpp"
#include "plan/freshness.hpp"
#include "plan/graph.hpp"
#include "plan/memory.hpp"
#include "plan/plan.hpp"

namespace cmlrec::plan {

// One job while it is being decided upon.
struct job_work {
  const config::job_spec* spec = nullptr;
  const cml::job* live = nullptr;
  const job_memory* memory = nullptr;     // never null
  const run_history* history = nullptr;   // null: not read yet
  std::optional<std::string> parent_id;   // of the file's parent, in CML
  bool parent_unresolved = false;         // the file's parent has no single live job yet
  std::vector<field_difference> open;     // differences that can be closed by a PATCH
  run_facts facts;
  bool up_to_date = false;
  bool for_good = false;         // will not come right by itself: what is below it is blocked
  bool definition_open = false;  // a create or a PATCH of it is due or under way
  const job_work* open_below = nullptr;  // the first descendant whose definition is open
  job_report report;
};

struct work {
  const config::project_spec& wanted;
  const observation& seen;
  const project_memory& memory;
  const policy& rules;
  moment now;

  const cml::project* live = nullptr;
  std::vector<job_work> jobs;  // in the order of the graph: parents first
  // The keys are those of the file and of the live jobs themselves.
  std::unordered_map<std::string_view, std::size_t> by_key;
  std::unordered_map<std::string_view, std::vector<const cml::job*>> live_by_name;
  std::unordered_set<std::string_view> histories_asked;  // by job id
  std::vector<const cml::job*> orphans;
  project_plan plan;
  bool busy = false;  // something is in flight or will change by itself
  std::vector<std::string> troubles;  // why the project is Degraded
  std::unordered_set<std::string_view> asked;  // names of jobs: something of them is to be stamped

  job_work* find(const std::string& key);
  // The next look is no later than this.
  void look_within(core::duration wait);
  void wait_until_local(core::instant at);
  void in_progress(const std::string& activity);
  // Why the file or an operator holds the project, or one of its jobs, still; empty: nobody does.
  std::string held() const;
  std::string held(const job_work& job);

  // Whether "not there" may be believed: the lists of this pass were begun long enough after the
  // last write that could still take effect. `why` gets the reason where it may not.
  bool absence_is_certain(const std::optional<core::instant>& sent, std::string& why);
  // A refused write may be repeated when its wait is over, or when it is another write. Otherwise
  // the reason goes into `why`.
  bool may_repeat(const std::map<action_kind, refusal>& refused, action_kind kind,
                  const std::string& write_hash, std::string& why);
};

const job_memory& memory_of(const project_memory& memory, const std::string& job_name);
bool is_check_job(const config::project_spec& wanted, const std::string& key);

// The rules, in their order; those that take one job are for all jobs, parents first. False: the rest
// has to wait.
bool settle_project(work& w);
void settle_definition(work& w, job_work& job);
// When all definitions are settled: where one below another is open.
void settle_descent(work& w);
void settle_run(work& w, job_work& job);
void settle_orphans(work& w);
void settle_verify(work& w);
// What a success of the job must be newer than, by the file and by what was forced.
demands demands_of(work& w, const job_work& job);
// One job's runs, of settle_runs and settle_verify.
void decide_runs(work& w, job_work& job, const demands& asked);
// Has the list of its runs read before anything else is decided.
void read_history(work& w, const job_work& job);
bool needs_history(work& w, const job_work& job, bool of_this_pass);

}  // namespace cmlrec::plan
