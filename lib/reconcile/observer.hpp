// What reconcile/ tells of its work. telemetry/ implements it; the tests record it.
#pragma once

#include <optional>
#include <string>

#include "core/error.hpp"
#include "core/time.hpp"
#include "plan/report.hpp"

namespace cmlrec::reconcile {

enum class severity { debug, info, warning, error };

// One line of the history. `name` is stable and dotted ("run.started", "job.created",
// "project.degraded", "config.reloaded"); `message` is for people.
struct event {
  core::timestamp at;  // this machine's calendar
  severity level = severity::info;
  std::string name;
  std::string project;  // may be empty
  std::string job;      // key; may be empty
  std::string message;
};

// One write to CML that was answered, or given up.
struct write_record {
  core::timestamp at;  // when it was sent, by this machine's calendar
  core::duration took{};
  std::string operation;  // as the API names it: "CreateJob"
  std::string action;     // "create_job"
  std::string kind;       // of the object: project, job, run
  std::string project;
  std::string project_id;  // empty: not known yet
  std::string job;         // its key; empty: about the project
  std::string name;        // of the project or job
  std::string id;          // of the object; empty: not known
  std::string why;         // a sentence
  std::optional<core::error> failure;  // nothing: it was done
  std::string answer;      // what was done, in words; empty: it was not
  std::string file;        // version of the file that it went by
};

enum class pass_result { converged, progressing, degraded, suspended, failed };

class observer {
 public:
  virtual ~observer() = default;
  virtual void on_event(const event& e) = 0;
  virtual void on_pass(const std::string& project, pass_result result, core::duration took) = 0;
  // A write was answered. `action`: create_project, update_job, start_run, ... ; `ok`: it was done.
  virtual void on_action(const std::string& project, const std::string& action, bool ok) = 0;
  // The same write in full, for the audit.
  virtual void on_write(const write_record&) {}
  virtual void on_report(const plan::project_report& report) = 0;
  virtual void on_removed(const std::string& project) = 0;  // the file no longer has it
  virtual void on_reload(bool ok, const std::string& message) = 0;
};

}  // namespace cmlrec::reconcile
