// What would be done, project by project and step by step: the one source of the text and the JSON.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/desired.hpp"
#include "plan/plan.hpp"

namespace cmlrec::daemon {

enum class step_kind {
  create_project,
  update_project,
  create_job,
  update_job,
  delete_job,
  run_job,
  differs,    // a difference that cannot be closed
  held,       // a job that will not come right by what the plan does; the reason says why
  watched,    // run: never
  suspended,
};
const char* to_string(step_kind kind);  // "create_job"

struct plan_step {
  step_kind kind = step_kind::held;
  std::string job_key;   // empty: the project; of delete_job the job's name
  std::string job_name;
  std::string id;        // in CML; empty: not there yet
  std::string state;     // of the job: "Failed"
  std::string reason;    // may be empty
  std::string parent;    // key
  bool by_parent = false;  // run_job: CML starts it after its parent
  std::vector<std::pair<std::string, std::string>> fields;  // create_*: name -> as shown, masked
  std::vector<plan::difference> differences;
};

struct project_preview {
  std::string name;
  std::string id;
  plan::project_state state = plan::project_state::progressing;
  std::vector<plan_step> steps;
  std::vector<std::string> reasons;  // why it is not converged
  std::size_t orphans = 0;
};

struct plan_preview {
  std::vector<project_preview> projects;
  int create = 0;
  int change = 0;
  int start = 0;
  int remove = 0;
  // Something would be written or started.
  bool changes() const { return create + change + start + remove > 0; }
};

plan_preview preview_of(const config::desired_state& desired,
                        const std::map<std::string, plan::project_plan>& plans);

}  // namespace cmlrec::daemon
