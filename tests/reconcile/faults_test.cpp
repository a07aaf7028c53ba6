#include "reconcile/fixture.hpp"

namespace cmlrec::reconcile::test {
namespace {

class LoopFaults : public loop_test {
 protected:
  void expect_one_of_each() {
    EXPECT_EQ(cml.projects_named("ray-cluster"), 1U);
    EXPECT_EQ(cml.jobs_named("git_sync"), 1U);
    EXPECT_EQ(cml.runs_of("git_sync"), 1U);
  }
};

struct write_fault {
  const char* operation;
  fault_kind kind;
  friend void PrintTo(const write_fault& f, std::ostream* out) { *out << f.operation; }
};

class LoopLostWrites : public LoopFaults, public ::testing::WithParamInterface<write_fault> {};

TEST_P(LoopLostWrites, ExactlyOneObjectOrRunExistsAfterwards) {
  want("git_sync");
  cml.faults.push_back({GetParam().operation, GetParam().kind});
  start();
  ASSERT_TRUE(until_converged());
  pass_time(10min);
  expect_one_of_each();
}

INSTANTIATE_TEST_SUITE_P(
    EveryWrite, LoopLostWrites,
    ::testing::Values(write_fault{"CreateProject", fault_kind::lost_before},
                      write_fault{"CreateProject", fault_kind::lost_after},
                      write_fault{"CreateProject", fault_kind::late_commit},
                      write_fault{"CreateProject", fault_kind::server_error},
                      write_fault{"CreateJob", fault_kind::lost_before},
                      write_fault{"CreateJob", fault_kind::lost_after},
                      write_fault{"CreateJob", fault_kind::late_commit},
                      write_fault{"CreateJob", fault_kind::html},
                      write_fault{"CreateJobRun", fault_kind::lost_before},
                      write_fault{"CreateJobRun", fault_kind::lost_after},
                      write_fault{"CreateJobRun", fault_kind::late_commit},
                      write_fault{"CreateJobRun", fault_kind::server_error}),
    [](const auto& chosen) {
      return std::string(chosen.param.operation) + "_" +
             std::to_string(static_cast<int>(chosen.param.kind));
    });

TEST_F(LoopFaults, AFailedListNeverLeadsToAWrite) {
  want("git_sync");
  for (int i = 0; i < 50; ++i) cml.faults.push_back({"ListProjects", fault_kind::server_error});
  start();
  pass_time(10min);
  EXPECT_EQ(cml.writes, 0);
  EXPECT_EQ(watcher.report.state, plan::project_state::unreachable);
  EXPECT_TRUE(watcher.said("service unavailable"));
}

TEST_F(LoopFaults, RecoveryComesByItself) {
  want("git_sync");
  for (int i = 0; i < 10; ++i) cml.faults.push_back({"ListJobs", fault_kind::html});
  start();
  ASSERT_TRUE(until(plan::project_state::unreachable, 10min));
  EXPECT_TRUE(until_converged());
  expect_one_of_each();
}

TEST_F(LoopFaults, AFailedRunListNeverLeadsToARun) {
  want("git_sync");
  start();
  ASSERT_TRUE(until_converged());
  stop();
  watcher.report = {};
  for (int i = 0; i < 20; ++i) cml.faults.push_back({"ListJobRuns", fault_kind::server_error});
  start();
  ASSERT_TRUE(until_converged());
  EXPECT_EQ(cml.runs_of("git_sync"), 1U);
}

TEST_F(LoopFaults, ARefusedKeyEndsApplyAtOnce) {
  want("git_sync");
  o.how = mode::once;
  cml.faults.push_back({"ValidateAPIKey", fault_kind::refused_key});
  start();
  ASSERT_TRUE(clock.run_until([&] { return ended; }, 5s));
  EXPECT_EQ(last, outcome::refused);
  EXPECT_EQ(cml.writes, 0);
}

TEST_F(LoopFaults, AKeyThatIsRevokedStopsTheWritesAndIsProbedSlowly) {
  want("git_sync");
  start();
  ASSERT_TRUE(until_converged());
  for (int i = 0; i < 5; ++i) cml.faults.push_back({"ListProjects", fault_kind::refused_key});
  const auto calls = cml.calls["ListProjects"];
  ASSERT_TRUE(until(plan::project_state::unreachable, 5min));
  pass_time(3min);
  EXPECT_LE(cml.calls["ListProjects"] - calls, 6);
  EXPECT_TRUE(until_converged());
}

TEST_F(LoopFaults, ApplyGivesUpAnUnreachableWorkspace) {
  want("git_sync");
  o.how = mode::once;
  for (int i = 0; i < 1000; ++i) cml.faults.push_back({"ListProjects", fault_kind::lost_before});
  start();
  ASSERT_TRUE(clock.run_until([&] { return ended; }, 10min));
  EXPECT_EQ(last, outcome::unreachable);
}

TEST_F(LoopFaults, AKilledDaemonDoesNotRepeatAWriteThatTakesEffectLater) {
  want("git_sync");
  cml.add_project("ray-cluster");
  cml.faults.push_back({"CreateJob", fault_kind::late_commit});
  start();
  ASSERT_TRUE(clock.run_until([&] { return cml.calls["CreateJob"] == 1; }, 2min));
  stop();  // without a state directory the next life knows nothing of it
  start();
  ASSERT_TRUE(until_converged());
  EXPECT_EQ(cml.jobs_named("git_sync"), 1U);
}

TEST_F(LoopFaults, WithAJournalARestartKnowsWhatIsUnderWay) {
  want("git_sync");
  want("other");
  cml.add_project("ray-cluster");
  store = std::make_unique<memory_store>();
  store->state = saved_state{};
  cml.faults.push_back({"CreateJob", fault_kind::late_commit});
  start();
  ASSERT_TRUE(clock.run_until([&] { return cml.calls["CreateJob"] == 2; }, 2min));
  stop();
  start();
  ASSERT_TRUE(until_converged());
  EXPECT_EQ(cml.jobs_named("git_sync"), 1U);
  EXPECT_EQ(cml.jobs_named("other"), 1U);
}

TEST_F(LoopFaults, WithAJournalNothingIsWaitedForThatWasNotSent) {
  want("git_sync");
  cml.add_project("ray-cluster");
  store = std::make_unique<memory_store>();
  store->state = saved_state{};
  start();
  EXPECT_TRUE(clock.run_until([&] { return cml.jobs_named("git_sync") == 1; }, 1s));
}

TEST_F(LoopFaults, AScriptThatComesLateIsWaitedFor) {
  want("git_sync");
  for (int i = 0; i < 3; ++i) cml.faults.push_back({"CreateJob", fault_kind::refused});
  start();
  ASSERT_TRUE(until_converged());
  EXPECT_EQ(cml.jobs_named("git_sync"), 1U);
}

TEST_F(LoopFaults, TheRunOfAPersonIsAdoptedInsteadOfASecondOne) {
  want("git_sync");
  cml.add_project("ray-cluster");
  cml.add_job("git_sync").fields["script"] = core::text{"git_sync.py"};
  cml.person_runs("git_sync");
  start();
  ASSERT_TRUE(until_converged());
  EXPECT_TRUE(cml.starts.empty());
}

}  // namespace
}  // namespace cmlrec::reconcile::test
