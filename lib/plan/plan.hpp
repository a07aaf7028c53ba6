// What is to be done about one project, and why: the planner's output.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cml/models.hpp"
#include "config/desired.hpp"
#include "core/time.hpp"
#include "plan/observation.hpp"
#include "plan/policy.hpp"
#include "plan/report.hpp"

namespace cmlrec::plan {

enum class action_kind {
  create_project,
  update_project,
  create_job,
  update_job,
  delete_job,
  start_run,
  stop_run,
  run_check,
};
const char* to_string(action_kind kind);  // "create_project"
// The name in the API's document, "CreateProject"; empty where nothing is sent to CML.
const char* operation_of(action_kind kind);

struct action {
  action_kind kind = action_kind::create_project;
  std::string reason;      // a sentence
  std::string project_id;  // empty for create_project
  std::string job_key;
  std::string job_name;
  std::string job_id;
  std::string run_id;          // stop_run
  std::string check;           // run_check: its name
  config::http_check request;  // run_check
  cml::project_write project;  // create_project, update_project
  cml::job_write job;          // create_job, update_job
  cml::run_request run;        // start_run
  std::string write_hash;      // names the content of the write, for not repeating a refused one
  // update_*: field -> the live value that it replaces, canonical; what was compared
  std::map<std::string, std::string> replaced;
};

// A run history that the planner must see, newer than it is, before it can decide.
struct run_read {
  std::string job_id;
  std::string job_name;
  int most = 50;  // runs
};

struct project_plan {
  std::vector<action> actions;  // independent of each other: they may be done side by side
  std::vector<run_read> reads;  // where not empty: read these and plan again; actions are empty
  project_report report;
  core::duration look_again{};  // after this, or when something is asked for
  // By job name, the run of the newest success and of the newest failure: since when they are known.
  std::map<std::string, std::string> newest_success;
  std::map<std::string, std::string> newest_failure;
  // What the checks of `verify:` are of: the newest success of the deployment.
  std::optional<core::timestamp> deployment;
  bool final = false;  // nothing will change without a person, a schedule or a changed file
};

struct project_memory;

// Pure: the same arguments give the same plan. `seen` must hold whole lists only.
project_plan decide(const config::project_spec& wanted, const observation& seen,
                    const project_memory& memory, const policy& rules, moment now);

// decide() in slices, for whoever has other things to do in between. The arguments must outlive it,
// and all but `memory.jobs_to_*`, `memory.*request*` and suspensions must stay as they are.
class planning {
 public:
  planning(const config::project_spec& wanted, const observation& seen,
           const project_memory& memory, const policy& rules, moment now);
  ~planning();
  planning(const planning&) = delete;
  planning& operator=(const planning&) = delete;

  // Looks at no more than `most` jobs at a time. False: all is decided, and to be taken.
  bool go_on(std::size_t most);
  project_plan take();

 private:
  class course;
  std::unique_ptr<course> course_;
};

// The project whose jobs are to be listed: the one match, if there is just one.
std::optional<std::string> project_to_read(const config::project_spec& wanted,
                                           const observation& seen);

// The rotating share of run histories that a pass reads anew, so that each job is looked at once in
// runs_refresh. Remembers when it last gave a share: one per interval.
std::vector<run_read> due_for_refresh(const config::project_spec& wanted, const observation& seen,
                                      project_memory& memory, const policy& rules, moment now);

// A plan for a project that could not be read: no actions, the last report marked Unreachable.
project_report unreachable(project_report last, const std::string& why);

// "git_sync: running for 40 s (timeout 5 min)"; empty when nothing is in progress.
std::string activity_line(const project_report& report, core::timestamp now);

}  // namespace cmlrec::plan
