// What must never happen, watched from outside: what the daemon sends, held against what it has
// been told and against the truth. It shares no rule with lib/plan: an error there must not be
// repeated here.
#pragma once

#include "cml/api.hpp"
#include "config/desired.hpp"
#include "plan/policy.hpp"
#include "reconcile/observer.hpp"
#include "reconcile/reconciler.hpp"
#include "simulation/world.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cmlrec::simulation {

// Every secret of a simulated file holds this.
inline constexpr const char* secret_text = "s3cr3t";
// CML's stamps of a parent's end and of its child's start may be this far apart.
inline constexpr core::duration stamp_tolerance = std::chrono::seconds{10};

struct breach {
  std::string rule;
  std::string what;
  core::instant at{};
};

struct figures {
  std::size_t writes = 0;
  std::size_t starts = 0;  // of runs, among them
  std::size_t runs_by_daemon = 0;
  std::size_t objects_by_daemon = 0;
  std::size_t passes = 0;
  std::size_t orders = 0;  // of operators
};

class checker final : public witness, public reconcile::observer {
 public:
  checker(kernel& in, world& cml, const plan::policy& rules, bool trace)
      : in_(in), cml_(cml), rules_(rules), trace_on_(trace) {}

  // What happens to the daemon.
  void file_is(const config::desired_state& file);
  // `attempts_anew`: `apply`, which gives what had failed another try.
  // `remembers`: there is a journal, so what operators have asked for still holds.
  void life_begins(bool attempts_anew, bool force, bool remembers);
  // An operator has asked for it, and has been told that it is so.
  void ordered(const plan::order& o, const config::project_spec& spec);

  // What it asks and is told.
  void pass_begins(const std::string& project_name);
  void pass_begins_by_id(const std::string& project_id);
  void learned_projects(const std::string& name,
                        const core::result<std::vector<cml::project>>& answer);
  void learned_project_by_id(const std::string& id, const core::result<cml::project>& answer);
  void asks_jobs(const std::string& project_id);
  void learned_jobs(const std::string& project_id,
                    const core::result<std::vector<cml::job>>& answer);
  void asks_runs(const std::string& job_id);
  void learned_runs(const std::string& job_id, const core::result<cml::runs_page>& answer);
  void learned_run(const std::string& job_id, const std::string& run_id,
                   const core::result<cml::run>& answer);
  void learned_update(const std::string& job_id, const cml::job_write& body,
                      const core::result<cml::job>& answer);

  // What it writes.
  void sends_create_project(const cml::project_write& body);
  void sends_update_project(const std::string& id, const cml::project_write& body);
  void sends_create_job(const std::string& project_id, const cml::job_write& body);
  void sends_update_job(const std::string& project_id, const std::string& job_id,
                        const cml::job_write& body);
  void sends_delete_job(const std::string& project_id, const std::string& job_id);
  // From when on the daemon cannot know what others have started.
  core::instant sends_start_run(const std::string& project_id, const std::string& job_id,
                                const cml::run_request& body);
  void sends_stop_run(const std::string& project_id, const std::string& job_id,
                      const std::string& run_id);

  // A POST goes out; the server may do it until then.
  void sends_once(const std::string& what, core::instant until);
  static std::string name_in(const core::field_set& fields);

  // What it comes to.
  void run_made(sim_job& job, const sim_run& run, core::instant known_from);
  void project_made(sim_project& project) override;
  void job_made(sim_job& job) override;
  void happened(const std::string& what) override { write_trace(what); }
  bool tracing() const override { return trace_on_; }

  // What it says.
  void on_event(const reconcile::event& e) override;
  void on_pass(const std::string& project, reconcile::pass_result result,
               core::duration took) override;
  void on_write(const reconcile::write_record& w) override;
  void on_report(const plan::project_report& report) override;
  void on_removed(const std::string& project) override { reports_.erase(project); }
  void on_reload(bool, const std::string&) override {}
  void waited(core::duration longest);
  void says(const std::string& text, const char* where);

  template <class Make>
  void note(Make make) {
    if (trace_on_) write_trace(make());
  }
  void violated(const std::string& rule, const std::string& what);

  const std::optional<breach>& broken() const { return broken_; }
  const std::string& trace() const { return trace_; }
  const figures& counted() const { return counted_; }
  const std::map<std::string, plan::project_report>& reports() const { return reports_; }
  const std::vector<reconcile::event>& events() const { return events_; }
  // For a simulation that never ends: drops what only the past was judged by.
  void forget_what_is_over();
  // The newest file.
  const config::desired_state& file() const { return versions_.back().file; }
  // The same, with what operators hold still suspended in it.
  config::desired_state file_with_orders() const;
  // When an operator last forced the job, while the daemon has kept it in mind.
  std::optional<core::timestamp> last_force_of(const std::string& project,
                                               const std::string& job) const;
  core::instant last_write() const { return last_write_; }

 private:
  struct version {
    core::instant from;
    config::desired_state file;
  };
  struct known_job {
    bool runs_whole = false;
    core::instant asked_at{};
    std::map<std::string, cml::run> runs;
  };
  // By the project's name in the file.
  struct known_project {
    core::instant pass_began{};
    bool found_whole = false;
    std::vector<cml::project> found;
    bool jobs_whole = false;
    std::map<std::string, cml::job> jobs;
    int deletions = 0;
  };

  struct demanded {
    core::instant at;
    std::string project;
    std::set<std::string> jobs;  // names; none: all
  };

  void write_trace(const std::string& line);
  // `job`: a name, or empty for the project itself. Still held so long from now.
  bool is_held(const std::string& project, const std::string& job, core::duration margin) const;
  // A write to the job, or, where it is empty, to the project.
  void touches(const std::string& project_id, const std::string& job, const std::string& what);
  static bool applies(const demanded& d, const sim_job& job);
  // How often the job has been forced, by the daemon's start or by operators.
  std::size_t forces_of(const sim_job& job, core::instant since) const;
  bool was_retried(const sim_job& job, core::instant since) const;
  // The specs of a project in every file that a pass under way may go by, newest first.
  std::vector<const config::project_spec*> specs_of(const std::string& project_id,
                                                    core::instant since) const;
  static const config::job_spec* job_in(const config::project_spec& spec, const std::string& name);
  known_project* known(const std::string& project_id);
  bool lists_are_whole(const std::string& project_id, const std::string& what);
  const cml::job* known_live(const known_project& k, const std::string& name) const;
  bool has_known_active(const std::string& job_id) const;
  bool known_fresh(const known_project& k, const config::project_spec& spec,
                   const config::job_spec& job, int depth) const;
  std::string cause_of(const sim_job& job, const sim_run& run, core::instant known_from) const;
  void check_start(const known_project& k, const config::project_spec& spec,
                   const config::job_spec& job, const cml::job& live);
  void a_write();

  kernel& in_;
  world& cml_;
  const plan::policy& rules_;
  bool trace_on_;
  std::string trace_;
  std::optional<breach> broken_;
  figures counted_;
  std::vector<version> versions_;
  std::map<std::string, known_project> known_;
  std::map<std::string, known_job> runs_;
  std::map<std::string, plan::project_report> reports_;
  std::vector<reconcile::event> events_;
  core::instant last_write_{};
  // Reasons for another attempt, or another run, that the truth of the workspace does not show.
  std::vector<core::instant> attempts_anew_;
  std::vector<core::instant> forced_;
  std::vector<demanded> forced_by_order_;
  std::size_t forgotten_forces_ = 0;  // so many of the first: the process that knew of them is gone
  std::vector<demanded> retried_;
  // Project -> job, or empty for the project itself -> until when; nothing: until it is resumed.
  std::map<std::string, std::map<std::string, std::optional<core::timestamp>>> held_;
  std::map<std::string, std::vector<core::instant>> patched_;  // by job id
  std::map<std::string, std::size_t> forced_runs_;             // by job id, used up
  std::map<std::string, core::instant> on_its_way_;            // POSTs, of any life
  std::map<std::string, int> fruitless_;                       // PATCHes of this life
};

}  // namespace cmlrec::simulation
