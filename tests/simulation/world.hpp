// The truth: a CML workspace in memory, with the temper that a seed has given it. It does at once
// what is asked of it; that calls take time, fail and get lost is the wire's matter.
#pragma once

#include "cml/codec.hpp"
#include "cml/models.hpp"
#include "core/error.hpp"
#include "simulation/kernel.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cmlrec::simulation {

// What CML does of itself, or does in more than one way.
struct temper {
  enum class when_busy { refuse, refuse_and_leave_skipped, answer_with_skipped };

  bool starts_children = true;
  core::duration child_delay_most = std::chrono::seconds{20};
  core::duration stamp_skew = std::chrono::seconds{0};  // a child's stamp may be this much early
  when_busy busy = when_busy::refuse;
  std::set<std::string> ignored_job_fields;  // PATCH answers 200 and does nothing
  std::set<std::string> ignored_project_fields;
  bool injects_addons = false;
  bool omits_zero = false;         // members with their type's zero value
  bool echoes_environment = true;  // of runs
  bool says_creator = true;
  bool updated_at_moves = false;  // whenever a run of the job begins
  core::duration clone_least = std::chrono::seconds{2};
  core::duration clone_most = std::chrono::seconds{60};
  double clone_fails = 0;
  std::string cloning_word = "creating";
  std::string cloned_word = "success";
  core::duration script_delay{0};  // "script not found" for so long after the clone
  double run_fails = 0;
  double run_stuck = 0;  // never leaves SCHEDULING
  double run_lost = 0;   // ends in a status that nobody knows, for ever
  double odd_words = 0;  // a status that nobody knows, for a while
  core::duration run_least = std::chrono::seconds{2};
  core::duration run_most = std::chrono::seconds{60};
  bool sorts_runs = true;
  bool sorts_lists = true;
  int page_size = 50;
};

enum class origin { daemon, child_start, person, schedule, own_retry };
const char* to_string(origin by);
const char* word_of(cml::run_state state);  // "ENGINE_RUNNING"

struct sim_run {
  cml::run run;
  origin by = origin::person;
  int life = 0;
  core::instant began{};
  std::optional<core::instant> ended;
  std::optional<origin> stopped_by;
};

struct sim_project;

struct sim_job {
  cml::job job;
  sim_project* project = nullptr;
  std::uint64_t order = 0;
  bool by_daemon = false;
  bool alive = true;
  int own_retries = 0;
  std::vector<sim_run> runs;  // oldest first
  std::size_t forgotten = 0;  // that were before them

  const sim_run* active() const;
  // By its number among all that there ever were; null where it is forgotten.
  sim_run* run_at(std::size_t number);
};

struct sim_project {
  cml::project project;
  std::uint64_t order = 0;
  bool by_daemon = false;
  std::optional<core::instant> cloned_at;
  std::vector<std::unique_ptr<sim_job>> jobs;

  sim_job* find(const std::string& name);
  std::size_t count(const std::string& name) const;
};

// Told of what becomes true by the daemon's doing.
class witness {
 public:
  virtual ~witness() = default;
  virtual void project_made(sim_project& project) = 0;
  virtual void job_made(sim_job& job) = 0;
  virtual void happened(const std::string& what) = 0;  // for the trace
  virtual bool tracing() const = 0;
};

class world {
 public:
  world(kernel& in, temper t, random_source random)
      : in_(in), temper_(std::move(t)), random_(random) {}
  void set_witness(witness* w) { witness_ = w; }

  // What the API offers.
  core::result<cml::page<cml::project>> list_projects(const std::string& name_part,
                                                      const std::string& token);
  core::result<cml::project> get_project(const std::string& id);
  core::result<cml::project> create_project(const cml::project_write& body, bool by_daemon = true);
  core::result<cml::project> update_project(const std::string& id, const cml::project_write& body);
  core::result<cml::page<cml::job>> list_jobs(const std::string& project_id,
                                              const std::string& token);
  core::result<cml::job> create_job(const std::string& project_id, const cml::job_write& body,
                                    bool by_daemon = true);
  core::result<cml::job> update_job(const std::string& project_id, const std::string& job_id,
                                    const cml::job_write& body);
  core::result<bool> delete_job(const std::string& project_id, const std::string& job_id);
  core::result<cml::page<cml::run>> list_runs(const std::string& job_id, const std::string& token);
  core::result<cml::run> get_run(const std::string& job_id, const std::string& run_id);
  // `made`: called where a run has begun, before anything else happens.
  core::result<cml::run> start_run(const std::string& job_id, const cml::run_request& body,
                                   int life,
                                   const std::function<void(sim_job&, const sim_run&)>& made);
  core::result<cml::run> stop_run(const std::string& job_id, const std::string& run_id, origin by);

  // What a seed arranges, and people do.
  sim_project& add_project(const std::string& name, const std::string& owner, bool cloned);
  sim_job& add_job(sim_project& project, const cml::job_write& body);
  void add_past_run(sim_job& job, cml::run_state state, core::duration ago, core::duration took);
  void begin_by(sim_job& job, origin by);
  // Cron by another name: a run every `every`, while the job has a schedule and is not paused.
  void keep_schedule(sim_job& job, core::duration every);
  // A history has an end: runs that are older than the newest `keep` are gone.
  void forget_old_runs(std::size_t keep);
  // From now on nothing new goes wrong by itself.
  void calm_down();

  sim_project* find_project(const std::string& id);
  sim_job* find_job(const std::string& id);
  std::vector<std::unique_ptr<sim_project>>& projects() { return projects_; }
  const temper& its_temper() const { return temper_; }
  bool key_is_valid = true;

 private:
  std::string new_id();
  void tell(const std::function<std::string()>& what);
  cml::project seen_from_outside(const cml::project& p) const;
  cml::job seen_from_outside(const cml::job& j) const;
  cml::run seen_from_outside(const cml::run& r) const;
  std::uint64_t place(std::uint64_t order, bool sorted) const;
  template <class T, class Item, class Take>
  cml::page<T> page_of(std::vector<const Item*> items, bool sorted, const std::string& token,
                       Take take) const;
  sim_run& begin(sim_job& job, origin by, int life, const std::optional<core::text_map>& env);
  void let_it_run(sim_job& job, std::size_t number);
  void change(sim_job& job, std::size_t number, core::duration after, cml::run_state to,
              std::string word = {});
  void end(sim_job& job, std::size_t number, cml::run_state how);
  void start_children(const sim_job& parent);
  void let_it_clone(sim_project& project);
  std::optional<core::error> script_trouble(const sim_project& project) const;
  void add_addons(sim_job& job) const;

  kernel& in_;
  temper temper_;
  random_source random_;
  witness* witness_ = nullptr;
  std::vector<std::unique_ptr<sim_project>> projects_;
  std::map<std::string, sim_job*> jobs_by_id_;
  std::uint64_t last_order_ = 0;
  std::uint64_t last_run_ = 0;
};

}  // namespace cmlrec::simulation
