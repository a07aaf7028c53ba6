// How a project and its jobs stand, in words: what the planner says beside its actions, and what
// status, the metrics and the status page show.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cml/models.hpp"
#include "core/shared_list.hpp"
#include "core/time.hpp"

namespace cmlrec::plan {

enum class project_state { converged, progressing, degraded, suspended, unreachable };

enum class job_state {
  unknown,      // not looked at yet
  missing,      // CML does not have it (yet)
  up_to_date,   // has the success that the file asks for
  watched,      // run: never; its runs are somebody else's matter
  pending,      // is to be started now
  queued,       // active, and scheduling for longer than the scheduling deadline
  running,      // active
  overdue,      // active for longer than its timeout and the margin
  waiting,      // for its parent, for CML to start it, for a look-up: `reason` says which
  backing_off,  // failed; will be tried again at `next_at`
  failed,       // failed for good
  blocked,      // its parent has failed for good
  stopped,      // stopped by a person
  suspended,
  ambiguous,    // several live jobs bear its name
  guarded,      // the run guard holds it back
};

const char* to_string(project_state state);  // "Converged"
const char* to_string(job_state state);      // "UpToDate"

struct difference {
  std::string field;
  std::string live;     // as display() shows it: secrets masked
  std::string desired;
  bool unappliable = false;  // was tried and did not take, or can only be set at creation
  std::string note;          // why it cannot be applied; may be empty
};

struct job_report {
  std::string key;
  std::string name;
  std::string id;  // empty: not in CML
  std::string parent_key;
  std::string description;
  job_state state = job_state::unknown;
  std::string reason;  // a sentence, never empty after the first pass
  std::vector<difference> differences;
  std::optional<cml::run> active_run;
  std::optional<cml::run> last_run;  // newest finished one that was not skipped
  std::vector<cml::run> recent_runs;  // newest first, a few; without environment and arguments
  std::optional<core::timestamp> last_success;  // its finished_at
  int attempts = 0;                             // failed ones since the count was last reset
  int max_attempts = 1;
  std::optional<core::duration> running_for;  // of the active run, by CML's clock
  std::optional<core::duration> timeout;
  std::string next_action;                  // "start a run"; empty: none is foreseen
  std::optional<core::timestamp> next_at;   // by CML's clock
};

struct project_report {
  std::string name;
  std::string id;  // empty: not in CML
  project_state state = project_state::progressing;
  bool in_sync = false;    // definitions
  bool healthy = false;    // runs
  bool reachable = false;  // CML answers
  std::vector<std::string> reasons;  // why it is not converged; empty where it is
  std::string activity;  // the one thing it waits for: "git_sync: running for 40 s (timeout 5 min)"
  std::vector<difference> differences;  // of the project itself
  core::shared_list<job_report> jobs;  // in the order of the file
  std::vector<std::string> orphans;        // live jobs that the file does not have, by name
  std::vector<std::string> ambiguous_ids;  // of projects or jobs that share a name
  std::optional<core::timestamp> observed_at;  // CML's clock, of the newest whole pass
};

// Finds the jobs of one report by their keys, quickest where they are asked for in its own order.
class job_finder {
 public:
  // `of` must outlive it.
  explicit job_finder(const project_report& of) : of_(of) {}
  // Null: there is none.
  const job_report* find(const std::string& key);

 private:
  const project_report& of_;
  std::size_t next_ = 0;
  std::unordered_map<std::string_view, const job_report*> by_key_;  // made when it is needed
};

}  // namespace cmlrec::plan
