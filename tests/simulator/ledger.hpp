// What has been asked of the workspace and what came of it, for whoever judges a client.
#pragma once

#include "simulator/workspace.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/json.hpp>

namespace cmlrec::simulator {

class ledger : public workspace_observer {
 public:
  void count_call(const std::string& operation, bool is_write);
  void count_rejected() { ++rejected_; }
  void count_fault(const std::string& kind) { ++faults_[kind]; }
  void note_violation(std::string text);
  void enter();
  void leave() { --in_flight_; }

  void project_created(const project& p, bool name_was_taken) override;
  void job_created(const project& p, const job& j, bool name_was_taken) override;
  void run_changed(const project& p, const job& j, const run& r) override;
  void child_triggered_early(const project& p, const job& j) override;

  json::object report() const;
  // Forgets everything but what is in flight; runs that go on are not counted again.
  void reset();

 private:
  struct run_entry {
    std::string project;
    std::string job;
    std::string job_id;
    std::string run_id;
    std::string cause;
    std::string status;
    timestamp created_at;
    std::optional<timestamp> finished_at;
  };

  std::map<std::string, std::uint64_t> calls_;
  std::map<std::string, std::uint64_t> faults_;
  json::array projects_;
  json::array jobs_;
  std::vector<run_entry> runs_;
  std::map<std::string, std::size_t> run_index_;
  std::vector<std::string> violations_;
  std::vector<std::string> early_;
  std::uint64_t duplicates_ = 0;
  std::uint64_t writes_ = 0;
  std::uint64_t rejected_ = 0;
  std::uint64_t in_flight_ = 0;
  std::uint64_t most_in_flight_ = 0;
};

}  // namespace cmlrec::simulator
