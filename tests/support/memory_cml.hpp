// A CML in memory, behind the Api interface: for the loop on virtual time. It keeps the behaviours
// that the loop must be right under, and takes faults by name.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cml/api.hpp"
#include "core/clock.hpp"

namespace cmlrec::test {

enum class fault_kind {
  lost_before,   // no answer, not done
  lost_after,    // done, no answer
  late_commit,   // an error now, done 30 s later
  server_error,  // 503, not done
  refused_key,   // 401
  html,          // a login page
  refused,       // 400
};

struct fault {
  std::string operation;  // "CreateJob"
  fault_kind kind = fault_kind::server_error;
};

class memory_cml final : public cml::api {
 public:
  explicit memory_cml(core::clock& clock) : clock_(clock) {}

  cml::async_result<std::vector<cml::project>> list_projects(std::string name,
                                                             core::instant) override;
  cml::async_result<cml::project> get_project(std::string id, core::instant) override;
  cml::async_result<cml::project> create_project(cml::project_write body, core::instant) override;
  cml::async_result<cml::project> update_project(std::string id, cml::project_write body,
                                                 core::instant) override;
  cml::async_result<std::vector<cml::job>> list_jobs(std::string project_id,
                                                     core::instant) override;
  cml::async_result<cml::job> create_job(std::string project_id, cml::job_write body,
                                         core::instant) override;
  cml::async_result<cml::job> update_job(std::string project_id, std::string id,
                                         cml::job_write body, core::instant) override;
  cml::async_result<bool> delete_job(std::string project_id, std::string id,
                                     core::instant) override;
  cml::async_result<cml::runs_page> list_runs(std::string project_id, std::string job_id, int most,
                                              core::instant) override;
  cml::async_result<cml::run> get_run(std::string project_id, std::string job_id,
                                      std::string run_id, core::instant) override;
  cml::async_result<cml::run> start_run(std::string project_id, std::string job_id,
                                        cml::run_request body, core::instant) override;
  cml::async_result<cml::run> stop_run(std::string project_id, std::string job_id,
                                       std::string run_id, core::instant) override;
  cml::async_result<cml::key_check> validate_key(core::instant) override;
  core::timestamp server_time() const override;

  // What a test arranges.
  bool auto_start = true;
  core::duration clone_time = std::chrono::seconds{20};
  core::duration run_time = std::chrono::seconds{40};
  std::string clone_outcome = "success";
  std::set<std::string> ignored_patches;            // field names
  std::map<std::string, int> failures;              // job name -> so many next runs fail
  std::deque<fault> faults;                         // each is used once, in order per operation
  std::function<void(const std::string& operation)> when_asked;
  cml::project& add_project(const std::string& name);
  cml::job& add_job(const std::string& name);       // of the first project
  cml::job* find_job(const std::string& name);
  void person_runs(const std::string& job_name);

  // What a test looks at.
  std::map<std::string, int> calls;
  int writes = 0;
  std::vector<std::string> starts;  // job names, of runs that were asked for by a POST
  std::size_t jobs_named(const std::string& name);
  std::size_t projects_named(const std::string& name);
  std::size_t runs_of(const std::string& job_name);

 private:
  struct stored_run {
    cml::run run;
    bool will_fail = false;
    bool child_started = false;
  };
  struct late_write {
    core::instant at;
    std::function<void()> commit;
  };

  void tick();
  // Nothing: go on. Otherwise the error to answer; `commit` is done now or later as the fault says.
  std::optional<core::error> fault_of(const std::string& operation, bool write,
                                      std::function<void()> commit);
  std::string new_id();
  cml::run& begin_run(const std::string& job_id);
  cml::project make_project(const cml::project_write& body);
  cml::job make_job(const cml::job_write& body);

  core::clock& clock_;
  std::vector<cml::project> projects_;
  std::vector<cml::job> jobs_;
  std::vector<stored_run> runs_;
  std::vector<late_write> late_;
  int next_id_ = 0;
};

}  // namespace cmlrec::test
