// What reconcile/ tells of its work. telemetry/ implements it; the tests record it.
#pragma once

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

// What became of one action of a plan: the audit of what the daemon has done to CML.
struct write_record {
  core::timestamp at{};    // when it was sent, by this machine's calendar
  std::string project;     // as in the file
  std::string project_id;  // empty: not known yet
  std::string job;         // key; empty: it is about the project
  std::string action;      // "start_run"
  std::string operation;   // CML's name for it, "CreateJobRun"; empty: nothing was sent to CML
  std::string kind;        // of the object: project, job, run
  std::string name;        // of the project or job in CML
  std::string object_id;   // of the project, job or run; empty: it was to be made, and has no id
  std::string reason;      // why the planner wanted it
  bool ok = false;
  bool may_have_happened = false;  // it failed, and may have been done all the same
  std::string error;               // the kind of a failure: "timed_out"
  int http_status = 0;             // of a failure; 0: no answer, or it was done
  std::string answer;              // in words: what was done, or what went wrong
  core::duration took{0};
  std::string file;  // version of the file that it went by
};

enum class pass_result { converged, progressing, degraded, suspended, failed };

class observer {
 public:
  virtual ~observer() = default;
  virtual void on_event(const event& e) = 0;
  virtual void on_pass(const std::string& project, pass_result result, core::duration took) = 0;
  // A write was answered, or was not.
  virtual void on_write(const write_record& w) = 0;
  virtual void on_report(const plan::project_report& report) = 0;
  virtual void on_removed(const std::string& project) = 0;  // the file no longer has it
  virtual void on_reload(bool ok, const std::string& message) = 0;
};

}  // namespace cmlrec::reconcile
