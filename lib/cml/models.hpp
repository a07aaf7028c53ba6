// The objects of CML's REST API v2, as far as the daemon looks at them.
#pragma once

#include "core/time.hpp"
#include "core/value.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cmlrec::cml {

struct project {
  std::string id;
  std::string name;
  std::string owner;    // username; empty where CML does not say
  std::string creator;  // username
  // As CML says it: creating, success, failure by the API's document; "unknown", "succeeded",
  // "ready", "error" and an empty string have been met.
  std::string creation_status;
  std::optional<core::timestamp> created_at;
  std::optional<core::timestamp> updated_at;
  core::field_set fields;  // by the names of core::project_fields()
};

struct job {
  std::string id;
  std::string name;
  std::string parent_id;  // empty: none
  std::string type;       // manual, cron, dependent
  std::string creator;
  std::optional<core::timestamp> created_at;
  std::optional<core::timestamp> updated_at;
  core::field_set fields;  // by the names of core::job_fields(), without the parent
  friend bool operator==(const job&, const job&) = default;
};

enum class run_state {
  scheduling,
  starting,
  running,
  stopping,
  succeeded,
  failed,
  timed_out,
  stopped,
  skipped,  // CML was busy with another run of the job: no outcome at all
  unknown,  // ENGINE_UNKNOWN, a value that is not listed, or none: not terminal
};

struct run {
  std::string id;
  std::string job_id;
  run_state state = run_state::unknown;
  std::string status;   // the server's own word
  std::string creator;  // username; empty where CML does not say
  std::optional<core::timestamp> created_at;
  std::optional<core::timestamp> running_at;
  std::optional<core::timestamp> finished_at;
  core::text_map environment;  // what the run was started with, where CML echoes it
  std::string arguments;
};

// "ENGINE_SUCCEEDED" and "succeeded" alike, whatever the case.
run_state parse_run_state(std::string_view status);
const char* to_string(run_state state);
// Succeeded, failed, timed out, stopped, skipped: it will not change again.
bool is_finished(run_state state);

// The body of a POST or a PATCH: only what is in it is sent.
struct job_write {
  core::field_set fields;
  std::optional<std::string> parent_id;  // "" in a PATCH: clear it
};

struct project_write {
  core::field_set fields;
};

struct run_request {
  std::optional<core::text_map> environment;  // nothing: the job's own
};

struct key_check {
  bool valid = false;
  std::string username;
  std::string message;
};

}  // namespace cmlrec::cml
