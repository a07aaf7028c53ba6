// What is known of one project in CML: the planner's second input. Job and project lists are of the
// present pass; run histories are kept from pass to pass, because a finished run never changes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cml/models.hpp"
#include "core/time.hpp"

namespace cmlrec::plan {

// Both clocks at one moment.
struct moment {
  core::timestamp cml;   // CML's calendar: what its stamps are compared with
  core::instant local;   // this process's steady clock: what waits after writes are measured on
};

struct run_history {
  std::vector<cml::run> runs;  // newest first by created_at
  bool complete = false;       // nothing older exists
  moment began{};              // when the list was begun: it tells of nothing after that
};

// Adds a run or replaces the one of its id, and keeps the order.
void merge(run_history& history, const cml::run& run);

struct observation {
  core::instant pass_began{};
  // What the look-up by name (a superset, CML's filter matches substrings) or by id gave.
  std::vector<cml::project> projects;
  std::optional<std::vector<cml::job>> jobs;                        // nothing: not listed yet
  std::map<std::string, run_history, std::less<>> histories;        // by job id
  std::string username;                                             // of the key; empty: unknown
};

// CML's calendar is no earlier than the newest stamp that it has given.
core::timestamp calendar(const observation& seen, core::timestamp by_date_header);
core::timestamp calendar(const run_history& history, core::timestamp by_date_header);

// A point between every run that is known and every run that will begin. It is taken from the stamps
// of the runs themselves, so that no difference between clocks can put a run on the wrong side;
// `by_date_header` where there is no run at all.
core::timestamp after_known_runs(const observation& seen, core::timestamp by_date_header);

struct run_poll {
  std::string job_id;
  std::string run_id;
};
// The active runs whose present state this pass does not know yet.
std::vector<run_poll> runs_to_poll(const observation& seen);

}  // namespace cmlrec::plan
