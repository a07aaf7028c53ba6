// What a job's run history says, held against what the file asks for: like make.
#pragma once

#include <optional>
#include <string>

#include "config/desired.hpp"
#include "plan/memory.hpp"
#include "plan/observation.hpp"
#include "plan/policy.hpp"

namespace cmlrec::plan {

// What a success must be newer than, and what it must be of.
struct demands {
  std::optional<core::timestamp> parent_success;  // finished_at of the parent's newest success
  std::string parent_key;
  std::optional<core::timestamp> rerun_after;
  std::optional<core::timestamp> forced_at;
  std::string forced_because = "a rebuild was forced";
  std::string spec_hash;  // empty: any definition will do
  std::optional<core::timestamp> defined_at;  // the live job's updated_at
};

struct run_facts {
  const cml::run* active = nullptr;
  const cml::run* newest_finished = nullptr;  // not skipped
  const cml::run* newest_success = nullptr;   // whether it counts or not
  const cml::run* counting_success = nullptr; // newest one that meets the demands
  std::string stale_because;                  // why there is none; empty where there is one
  int failures = 0;                           // attempts that failed since the count began
  const cml::run* newest_failure = nullptr;   // of these
  bool stopped = false;  // the newest finished run was stopped, by somebody else
  int starts_last_hour = 0;
  std::optional<core::timestamp> oldest_start;  // of those
};

// `attempts_from`: failures before it are not counted. `history` must outlive the result.
run_facts examine(const run_history& history, const demands& asked,
                  std::optional<core::timestamp> attempts_from, const job_memory& memory,
                  const std::string& username, const policy& rules, core::timestamp now);

}  // namespace cmlrec::plan
