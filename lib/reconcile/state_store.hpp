// What may outlive a process, where a state directory is given: the writes that were sent and not
// yet seen, forced rebuilds, and from when attempts are counted. Nothing else is kept: all the rest
// is read back from CML.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/time.hpp"
#include "plan/memory.hpp"

namespace cmlrec::reconcile {

struct saved_job {
  bool create_sent = false;
  bool start_sent = false;
  std::optional<core::timestamp> force_at;
  std::optional<core::timestamp> attempts_from;
  std::optional<plan::suspension> suspended;
  friend bool operator==(const saved_job&, const saved_job&) = default;
};

struct saved_project {
  bool create_sent = false;
  bool force_requested = false;
  std::optional<core::timestamp> force_at;
  std::set<std::string> jobs_to_force;  // by key
  bool retry_requested = false;
  std::set<std::string> jobs_to_retry;  // by key
  std::optional<plan::suspension> suspended;
  std::map<std::string, saved_job> jobs;  // by name
  friend bool operator==(const saved_project&, const saved_project&) = default;
};

struct saved_state {
  std::map<std::string, saved_project> projects;  // by name
  // By this machine's calendar: from here on the journal knows of every write that may be under way.
  std::optional<core::timestamp> complete_from;
  // False: the machine has been started anew since, and what was written last may be lost with it.
  bool of_this_boot = true;
  bool force_rebuild_taken = false;  // FORCE_REBUILD of `run` acts once, not at every restart
  friend bool operator==(const saved_state&, const saved_state&) = default;
};

class state_store {
 public:
  virtual ~state_store() = default;
  // Nothing: there is no journal of a former life.
  virtual std::optional<saved_state> load() = 0;
  // False, with the reason in `why`, where it could not be written.
  virtual bool save(const saved_state& state, std::string& why) = 0;
};

// state.json in `directory`, which is made if need be and locked for as long as the store lives.
// Throws std::runtime_error with one line that says what to do.
std::unique_ptr<state_store> open_state_directory(const std::string& directory);

}  // namespace cmlrec::reconcile
