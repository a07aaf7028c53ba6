// How this workspace behaves where real ones differ, and how its runs end. Everything here comes
// from flags and the script file; nothing of it changes while the simulator runs.
#pragma once

#include "core/time.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace cmlrec::simulator {

using core::duration;
using core::timestamp;

// What a second run of a busy job gets: real workspaces have been seen to do each of these.
enum class busy_policy { reject, reject_and_skip, skip };

enum class outcome { succeeded, failed, timedout, never_scheduled, odd_word };

// Overrides for one run; what is not set falls back to the job's, then to the defaults.
struct run_rule {
  std::optional<duration> scheduling;
  std::optional<duration> starting;
  std::optional<duration> running;
  std::optional<outcome> ends;
  std::string word;  // the status of an odd_word outcome
};

struct job_rule {
  run_rule every;
  std::map<int, run_rule> by_number;  // the first run of a job is number 1
  std::optional<int> fail_first;      // runs 1..N fail
};

enum class clone_outcome { success, failure, never };

struct project_rule {
  clone_outcome clone = clone_outcome::success;
  std::optional<duration> clone_time;
  std::optional<duration> script_delay;
  std::optional<std::string> ready_word;  // some workspaces say "ready" or "succeeded", or nothing
  std::set<std::string> missing_scripts;
};

struct rules {
  duration clone_time = std::chrono::seconds{20};
  duration script_delay = std::chrono::seconds{10};
  duration scheduling_time = std::chrono::seconds{5};
  duration starting_time = std::chrono::seconds{3};
  duration running_time = std::chrono::seconds{40};
  duration stopping_time = std::chrono::seconds{2};
  duration dependent_delay = std::chrono::seconds{2};
  bool auto_start = true;
  bool timeout_in_minutes = false;  // one public log reads so
  bool unique_names = false;
  bool parent_can_be_cleared = true;
  busy_policy busy = busy_policy::reject;
  std::set<std::string> missing_scripts;
  int calls_lost_after_creation = 0;  // the first calls to a new project end without an answer
  std::string username = "demo";
  unsigned long long seed = 1;
  std::map<std::string, job_rule> jobs;  // by "job" or by "project/job"
  std::map<std::string, project_rule> projects;
};

// The whole fate of one run, fixed when it is created.
struct run_plan {
  duration scheduling{0};
  duration starting{0};
  duration running{0};
  outcome ends = outcome::succeeded;
  std::string word;
};

run_plan plan_run(const rules& r, const std::string& project, const std::string& job, int number);

}  // namespace cmlrec::simulator
