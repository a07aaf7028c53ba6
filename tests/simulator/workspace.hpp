// The workspace itself: projects, jobs and runs, and how they change with requests and with time.
// It has no clock and no socket: time comes in by advance_to, and the same calls in the same order
// give the same answers and the same ids.
#pragma once

#include "simulator/model.hpp"
#include "simulator/rules.hpp"

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

namespace cmlrec::simulator {

// Is told what comes into being, and how runs go on.
class workspace_observer {
 public:
  virtual ~workspace_observer() = default;
  virtual void project_created(const project& p, bool name_was_taken) = 0;
  virtual void job_created(const project& p, const job& j, bool name_was_taken) = 0;
  virtual void run_changed(const project& p, const job& j, const run& r) = 0;
  // An API call has started a job whose parent was not ready for it.
  virtual void child_triggered_early(const project& p, const job& j) = 0;
};

class workspace {
 public:
  workspace(rules r, timestamp now, workspace_observer* observer = nullptr);

  timestamp now() const { return now_; }
  const std::string& username() const { return rules_.username; }
  // Everything due until then happens, in the order of its time. Time never goes back.
  void advance_to(timestamp now);

  answer<json::object> create_project(const json::object& body);
  answer<json::object> get_project(std::string_view id) const;
  answer<json::object> update_project(std::string_view id, const json::object& body);
  answer<json::object> delete_project(std::string_view id);

  answer<json::object> create_job(std::string_view project_id, const json::object& body);
  answer<json::object> get_job(std::string_view project_id, std::string_view id) const;
  answer<json::object> update_job(std::string_view project_id, std::string_view id,
                                  const json::object& body);
  answer<json::object> delete_job(std::string_view project_id, std::string_view id);

  answer<json::object> create_run(std::string_view project_id, std::string_view job_id,
                                  const json::object& body, const std::string& cause);
  answer<json::object> get_run(std::string_view project_id, std::string_view job_id,
                               std::string_view id) const;
  answer<json::object> stop_run(std::string_view project_id, std::string_view job_id,
                                std::string_view id);

  // As a read shows them, in order of creation.
  std::vector<json::object> projects() const;
  answer<std::vector<json::object>> jobs(std::string_view project_id) const;
  std::vector<json::object> all_jobs() const;
  answer<std::vector<json::object>> runs(std::string_view project_id,
                                         std::string_view job_id) const;
  static std::vector<json::object> runtimes();

  // What people do in the browser: names or ids, any field, no check but that of existence. An
  // empty project is fine while only one has such a job.
  answer<json::object> edit_by_hand(std::string_view project, std::string_view job,
                                    const json::object& fields);
  answer<json::object> run_by_hand(std::string_view project, std::string_view job,
                                   const json::object& body);
  answer<json::object> stop_by_hand(std::string_view project, std::string_view job);
  answer<json::object> delete_by_hand(std::string_view project, std::string_view job);

  // True while the first calls to a new project are to be lost; counts the call.
  bool loses_call(std::string_view project_id);

  // Objects that were there before: see script.hpp for their form. The error is a sentence.
  std::optional<std::string> add_initial(const json::object& state);

  json::object save() const;
  // The error is a sentence; the workspace is then unusable.
  std::optional<std::string> load(const json::object& saved);

 private:
  project* find_project(std::string_view id);
  const project* find_project(std::string_view id) const;
  static job* find_job(project& p, std::string_view id);
  static const job* find_job(const project& p, std::string_view id);
  struct place {
    project* in = nullptr;
    simulator::job* what = nullptr;
  };
  answer<place> locate(std::string_view project_id, std::string_view job_id);
  answer<place> locate_by_hand(std::string_view project, std::string_view job);

  json::object show(const project& p) const;
  json::object show(const project& p, const simulator::job& j) const;
  json::object show(const project& p, const simulator::job& j, const simulator::run& r) const;
  json::object user() const;

  bool script_exists(const project& p, const std::string& script) const;
  const project_rule* rule_of(const project& p) const;
  // Parent, schedule and type as a whole, after a change.
  std::optional<api_error> check_links(const project& p, const simulator::job& j) const;
  void settle_job(simulator::job& j);
  answer<project*> add_project(const json::object& body);
  answer<simulator::job*> add_job(project& p, const json::object& body);
  std::optional<std::string> add_initial_job(project& p, const json::object& given);
  std::optional<std::string> add_initial_runs(const project& p, simulator::job& j,
                                              const json::array& runs);

  simulator::run& start_run(const project& p, simulator::job& j, const json::object& body,
                            const std::string& cause, int attempt, bool skipped);
  void start_unattended(const project& p, simulator::job& j, const pending_start& due);
  void note_early_child(const project& p, const simulator::job& j);
  void begin_stop(const project& p, simulator::job& j, simulator::run& r);
  void step(project& p, simulator::job& j, simulator::run& r);
  void finish(project& p, simulator::job& j, simulator::run& r, const char* status);
  void after_finish(project& p, simulator::job& j, const simulator::run& r);
  void queue_retry(simulator::job& j, const simulator::run& r);
  bool fire_next(timestamp until);
  void clone_ended(project& p);

  std::string random_text(std::size_t length);
  std::string public_id();  // xxxx-xxxx-xxxx-xxxx

  rules rules_;
  timestamp now_;
  workspace_observer* observer_;
  std::uint64_t counter_ = 0;
  std::list<project> projects_;
};

// "{\"A\":\"b\"}" as a read shows an environment.
std::string environment_text(const json::object& environment);

}  // namespace cmlrec::simulator
