// What the file says should be: the input of the planner. Plain values, already validated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/time.hpp"
#include "core/value.hpp"

namespace cmlrec::config {

enum class run_policy { once, on_change, never };
enum class environment_policy { replace, merge };

struct retry_policy {
  int max_attempts = 1;  // 1: no retry
  core::duration backoff = std::chrono::seconds{30};
  core::duration max_backoff = std::chrono::minutes{10};
  friend bool operator==(const retry_policy&, const retry_policy&) = default;
};

struct job_spec {
  std::string key;
  std::string name;
  // Exactly the fields that the file owns and that go to CML, by their name in the field table;
  // "name", "script" and the defaults of the file included; the parent is `parent_key`.
  core::field_set fields;
  std::optional<std::string> parent_key;  // nothing: the file says null or is silent
  bool owns_parent = false;  // the file has the key parent_job_key (even null): a parent that CML has
                             // and the file denies is a difference
  run_policy run = run_policy::once;  // "never" where it has a schedule, or depends on a watched job
  retry_policy retry;
  environment_policy env_policy = environment_policy::replace;
  bool suspend = false;
  std::optional<core::timestamp> rerun_after;  // the latest of the file's, the project's, its own
  std::string description;
  friend bool operator==(const job_spec&, const job_spec&) = default;
};

struct http_check {
  std::string url;
  int expected_status = 200;
  std::string body_contains;  // empty: any body
  core::duration timeout = std::chrono::seconds{10};
  int retries = 3;
  friend bool operator==(const http_check&, const http_check&) = default;
};

struct check_spec {
  std::string name;
  std::variant<std::string, http_check> what;  // the key of a job of the project, or a request
  friend bool operator==(const check_spec&, const check_spec&) = default;
};

struct project_spec {
  std::string name;
  std::optional<std::string> id;     // names the project directly
  std::optional<std::string> owner;  // narrows the match by name
  core::field_set fields;            // owned fields that go to CML, "name" included
  std::vector<job_spec> jobs;        // in the order of the file; parents may come later
  std::vector<check_spec> verify;
  environment_policy env_policy = environment_policy::replace;
  bool suspend = false;
  bool prune = false;
  int prune_limit = 3;
  core::duration clone_timeout = std::chrono::minutes{15};
  friend bool operator==(const project_spec&, const project_spec&) = default;
};

struct desired_state {
  std::vector<project_spec> projects;
  std::string version = {};  // names the content of the files: for the audit
};

}  // namespace cmlrec::config
