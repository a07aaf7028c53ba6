// What one life of the daemon remembers of its own doings. Nothing in it is needed to be right after
// a restart; it says what was sent and cannot be seen yet, what was tried and did not take, and what
// people asked for. Pure values: the functions here are how outcomes get in.
#pragma once

#include "core/error.hpp"
#include "core/time.hpp"
#include "plan/observation.hpp"
#include "plan/plan.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace cmlrec::plan {

// A write that CML refused, or that could not be sent.
struct refusal {
  std::string message;
  std::string write_hash;  // of what was refused: another write is a new matter
  core::instant first_at{};
  core::instant last_at{};
  int count = 0;
  bool script_missing = false;  // "script 'x.py' not found in project directory"
  bool busy = false;            // quota, "already active": passes by itself
};

// A field whose PATCH was answered and did not take: as long as both sides stay the same, it is not
// tried again.
struct rejected_value {
  std::string desired;
  std::string live;
};

// How often one and the same change was written, for a server that forgets it again.
struct written_value {
  std::string transition;
  std::deque<core::instant> at;
};

// Since when this process knows that a run has ended. Clocks differ: a wait after the end of a run is
// over when either CML's calendar or this process's own clock says so.
struct known_end {
  std::string run_id;
  core::instant since{};
};

// What an operator holds still, beside what the file suspends.
struct suspension {
  std::optional<core::timestamp> until;  // by CML's calendar; nothing: until it is resumed
  std::string by;                        // who, for people
  friend bool operator==(const suspension&, const suspension&) = default;
};

struct job_memory {
  std::optional<core::instant> create_sent;  // a POST whose job is not in a list yet
  std::optional<core::instant> start_sent;   // a POST of a run that may still take effect
  std::map<action_kind, refusal> refused;
  std::map<std::string, rejected_value> unappliable;  // by field
  std::map<std::string, written_value> written;       // by field
  std::optional<core::timestamp> attempts_from;       // PATCH by the daemon, apply, retry
  std::optional<core::timestamp> force_at;
  std::optional<suspension> suspended;
  known_end success;
  known_end failure;
  std::set<std::string> stopped_by_us;  // runs
  std::deque<core::timestamp> starts;   // by CML's clock, of the last hour
};

struct check_memory {
  bool passed = false;
  int failures = 0;
  std::string message;
  std::optional<core::instant> last_at;
};

struct verify_memory {
  std::optional<core::timestamp> deployment;  // what the results belong to
  std::optional<core::instant> began_at;
  std::map<std::string, check_memory> checks;  // by name
};

struct project_memory {
  // A former process may have sent a write just before this one began: absence is believed only
  // from lists begun write_settle after this. Nothing: the journal says that none is under way.
  std::optional<core::instant> life_began;
  std::optional<core::instant> create_sent;
  std::map<action_kind, refusal> refused;
  std::map<std::string, rejected_value> unappliable;
  std::map<std::string, written_value> written;
  std::optional<core::instant> first_seen;  // of the project, where CML gives no created_at
  core::field_set creation_fields;          // git_url and so on as they were when first read

  std::map<std::string, job_memory> jobs;       // by name
  std::optional<core::timestamp> force_at;       // of the whole project
  bool force_requested = false;                  // to be stamped as soon as all runs are known
  std::set<std::string> jobs_to_force;           // by key, likewise
  bool retry_requested = false;                  // of all jobs, likewise
  std::set<std::string> jobs_to_retry;           // by key, likewise
  // When the newest of these was asked for in this life: runs that were begun before it show in
  // lists that were begun after it.
  std::optional<core::instant> requested_at;
  std::optional<suspension> suspended;           // of the whole project
  std::deque<core::instant> deletions;           // for the prune limit
  verify_memory verify;
  std::optional<core::instant> rotated_at;
};

// Of a project, or of one of its jobs: nothing where it is not held, or where its time is over.
const suspension* active(const std::optional<suspension>& held, core::timestamp now);

// Before the write goes out.
void note_sent(project_memory& memory, const action& a, moment now);
// It was to go out, and did not.
void note_not_sent(project_memory& memory, const action& a);
// After its answer. `job`: what a PATCH answered; null where it is not about one. `attempts_from`:
// failures before it are those of another definition; see after_known_runs().
void note_done(project_memory& memory, const action& a, const cml::job* job,
               core::timestamp attempts_from, moment now);
// CML answered the POST of a run with `started`. A run that is skipped at birth means busy.
void note_started(project_memory& memory, const action& a, const cml::run& started, moment now);
void note_project_updated(project_memory& memory, const action& a, const cml::project& answer,
                          moment now);
void note_failed(project_memory& memory, const action& a, const core::error& why, moment now);
// After a pass has listed everything: forgets what has shown itself, and jobs that are gone.
void note_observed(project_memory& memory, const config::project_spec& wanted,
                   const observation& seen, const policy& rules, moment now);
// After a plan without reads: since when ends of runs are known. Results of checks of an earlier deployment are forgotten.
void note_plan(project_memory& memory, const project_plan& plan, moment now);
void note_check(project_memory& memory, const std::string& check, bool passed,
                const std::string& message, moment now);

}  // namespace cmlrec::plan
