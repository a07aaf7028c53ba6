#include "reconcile/fixture.hpp"

namespace cmlrec::reconcile::test {
namespace {

using ::testing::ElementsAre;
class Loop : public loop_test {
 protected:
  // An operator suspends the project in the middle of the first call of this operation.
  void suspend_when_asked(const std::string& operation) {
    cml.when_asked = [this, operation, asked = false](const std::string& called) mutable {
      if (called != operation || std::exchange(asked, true)) return;
      const plan::suspension held{std::nullopt, "ada"};
      loop->demand({plan::order::kind::suspend, "ray-cluster", nullptr, held});
    };
  }
};

TEST_F(Loop, AnEmptyWorkspaceConvergesAndCmlStartsTheChildren) {
  want_chain();
  start();
  ASSERT_TRUE(until_converged());
  EXPECT_THAT(cml.starts, ElementsAre("git_sync"));
  EXPECT_EQ(cml.runs_of("launch"), 1U);
  EXPECT_EQ(cml.writes, 5);  // a project, three jobs, a run
}

TEST_F(Loop, EachWriteIsToldWithItsObjectAndTheFileItWentBy) {
  want("git_sync");
  start();
  ASSERT_TRUE(until_converged());
  ASSERT_EQ(watcher.writes.size(), 3U);
  std::vector<std::string> kinds;
  for (const auto& w : watcher.writes) {
    kinds.push_back(w.kind);
    EXPECT_FALSE(w.object_id.empty()) << w.operation;
    EXPECT_EQ(w.file, "v1");
  }
  EXPECT_THAT(kinds, ElementsAre("project", "job", "run"));
  version = "v2";
  project.jobs[0].fields["script"] = core::text{"other.py"};
  loop->set_desired(desired());
  ASSERT_TRUE(clock.run_until([&] { return watcher.writes.size() == 4; }, 10min));
  EXPECT_EQ(watcher.writes[3].operation, "UpdateJob");
  EXPECT_EQ(watcher.writes[3].name, "git_sync");
  EXPECT_EQ(watcher.writes[3].file, "v2");
}

TEST_F(Loop, AConvergedWorkspaceIsReadAndNeverWritten) {
  want_chain();
  start();
  ASSERT_TRUE(until_converged());
  const auto writes = cml.writes;
  const auto gets = cml.calls["GetJobRun"];
  pass_time(24h);
  EXPECT_EQ(cml.writes, writes);
  EXPECT_EQ(cml.calls["GetJobRun"], gets);
}

TEST_F(Loop, EachJobsRunsAreReadAboutOnceInRunsRefresh) {
  want_chain();
  start();
  ASSERT_TRUE(until_converged());
  const auto before = cml.calls["ListJobRuns"];
  pass_time(1h);
  const auto reads = cml.calls["ListJobRuns"] - before;
  EXPECT_GE(reads, 18);
  EXPECT_LE(reads, 66);  // at least one of three per pass of 60 s
}

TEST_F(Loop, ApplyEndsWhenEverythingHasConverged) {
  want_chain();
  o.how = mode::once;
  start();
  ASSERT_TRUE(clock.run_until([&] { return ended; }, 1h));
  EXPECT_EQ(last, outcome::done);
}

TEST_F(Loop, ASecondApplyWritesNothing) {
  want_chain();
  o.how = mode::once;
  start();
  ASSERT_TRUE(clock.run_until([&] { return ended; }, 1h));
  const auto writes = cml.writes;
  start();
  ASSERT_TRUE(clock.run_until([&] { return ended; }, 1s));
  EXPECT_EQ(last, outcome::done);
  EXPECT_EQ(cml.writes, writes);
}

TEST_F(Loop, AForcedApplyRunsTheChainExactlyOnceMore) {
  want_chain();
  o.how = mode::once;
  start();
  ASSERT_TRUE(clock.run_until([&] { return ended; }, 1h));
  o.force = true;
  start();
  ASSERT_TRUE(clock.run_until([&] { return ended; }, 1h));
  EXPECT_EQ(last, outcome::done);
  for (const char* job : {"git_sync", "setup", "launch"}) EXPECT_EQ(cml.runs_of(job), 2U) << job;
  EXPECT_THAT(cml.starts, ElementsAre("git_sync", "git_sync"));
}

TEST_F(Loop, EveryWriteIsToldWithItsReasonAndAnswer) {
  want_chain();
  cml.faults.push_back({"CreateJob", fault_kind::lost_after});
  start();
  ASSERT_TRUE(until_converged());
  EXPECT_EQ(watcher.writes.size(), static_cast<std::size_t>(cml.writes));
  int uncertain = 0;
  for (const auto& w : watcher.writes) {
    EXPECT_FALSE(w.operation.empty());
    EXPECT_FALSE(w.reason.empty()) << w.operation;
    EXPECT_FALSE(w.answer.empty()) << w.operation;
    uncertain += !w.ok && w.may_have_happened ? 1 : 0;
  }
  EXPECT_EQ(uncertain, 1);
}

TEST_F(Loop, ChildrenThatCmlDoesNotStartAreStartedOnceEach) {
  want_chain();
  cml.auto_start = false;
  start();
  ASSERT_TRUE(until_converged());
  EXPECT_THAT(cml.starts, ElementsAre("git_sync", "setup", "launch"));
}

TEST_F(Loop, AJobAddedByAReloadIsCreatedAndRun) {
  want("git_sync");
  start();
  ASSERT_TRUE(until_converged());
  want("extra");
  loop->set_desired(desired());
  ASSERT_TRUE(clock.run_until([&] { return cml.runs_of("extra") == 1; }, 5s));
  EXPECT_EQ(cml.runs_of("git_sync"), 1U);
}

TEST_F(Loop, WhatAReloadTakesAwayIsNotBegunByAPassThatIsUnderWay) {
  want("git_sync");
  start();
  ASSERT_TRUE(until_converged());
  want("extra");
  loop->set_desired(desired());
  bool reloaded = false;
  cml.when_asked = [&](const std::string& operation) {
    if (operation != "ListJobs" || std::exchange(reloaded, true)) return;
    project.jobs.pop_back();
    loop->set_desired(desired());
  };
  pass_time(2min);
  EXPECT_TRUE(reloaded);
  EXPECT_EQ(cml.jobs_named("extra"), 0U);
}

TEST_F(Loop, WhatAReloadTakesAwayIsNotBegunInTheMiddleOfManyWrites) {
  for (int i = 0; i < 40; ++i) want("job" + std::to_string(i));
  o.most_at_once = 2;
  bool reloaded = false;
  cml.when_asked = [&](const std::string& operation) {
    if (operation != "CreateJob" || std::exchange(reloaded, true)) return;
    project.jobs.resize(3);
    loop->set_desired(desired());
  };
  start();
  ASSERT_TRUE(until_converged());
  EXPECT_TRUE(reloaded);
  EXPECT_EQ(cml.calls["CreateJob"], 3);
}

TEST_F(Loop, AStopInTheMiddleOfManyWritesBeginsNoMore) {
  for (int i = 0; i < 40; ++i) want("job" + std::to_string(i));
  o.most_at_once = 2;
  cml.when_asked = [&](const std::string& operation) {
    if (operation == "CreateJob") loop->stop();
  };
  start();
  ASSERT_TRUE(clock.run_until([&] { return ended; }, 10min));
  EXPECT_LE(cml.calls["CreateJob"], 2);
}

TEST_F(Loop, AForcedJobRunsWithWhatIsBelowItOnceMoreAcrossARestart) {
  want_chain();
  store = std::make_unique<memory_store>();
  start();
  ASSERT_TRUE(until_converged());
  // Asked for, and killed before the next pass.
  EXPECT_TRUE(loop->demand({plan::order::kind::force, "ray-cluster", loop->projects().at(0)->jobs.data() + 1, {}}));
  const auto journal = store->state;
  stop();
  store->state = journal;
  start();
  ASSERT_TRUE(clock.run_until([&] { return cml.runs_of("launch") == 2; }, 30min));
  ASSERT_TRUE(until_converged());
  EXPECT_EQ(cml.runs_of("git_sync"), 1U);
  EXPECT_EQ(cml.runs_of("setup"), 2U);
  EXPECT_EQ(cml.runs_of("launch"), 2U);
}

TEST_F(Loop, ADemandOfAnUnknownProjectIsRefused) {
  want("git_sync");
  start();
  EXPECT_FALSE(loop->demand({plan::order::kind::retry, "other", nullptr, {}}));
}

TEST_F(Loop, ASuspendedProjectIsWatchedUntilItIsResumed) {
  want("git_sync");
  start();
  ASSERT_TRUE(until_converged());
  loop->demand({plan::order::kind::suspend, "ray-cluster", nullptr, plan::suspension{std::nullopt, "ada"}});
  ASSERT_TRUE(until(plan::project_state::suspended, 5s));
  want("extra");
  loop->set_desired(desired());
  pass_time(10min);
  EXPECT_EQ(cml.jobs_named("extra"), 0U);
  loop->demand({plan::order::kind::resume, "ray-cluster", nullptr, {}});
  ASSERT_TRUE(clock.run_until([&] { return cml.runs_of("extra") == 1; }, 1min));
}

TEST_F(Loop, WhatAnOperatorSuspendsIsNotBegunByAPassThatIsUnderWay) {
  want("git_sync");
  start();
  ASSERT_TRUE(until_converged());
  want("extra");
  loop->set_desired(desired());
  suspend_when_asked("ListJobs");
  ASSERT_TRUE(until(plan::project_state::suspended, 2min));
  EXPECT_EQ(cml.jobs_named("extra"), 0U);
}

TEST_F(Loop, ASuspensionInTheMiddleOfManyWritesBeginsNoMore) {
  for (int i = 0; i < 40; ++i) want("job" + std::to_string(i));
  o.most_at_once = 2;
  suspend_when_asked("CreateJob");
  start();
  ASSERT_TRUE(until(plan::project_state::suspended, 10min));
  EXPECT_LE(cml.calls["CreateJob"], 2);
}

TEST_F(Loop, ASuspensionStopsWhatIsBeingWrittenDownToBeSent) {
  for (int i = 0; i < 40; ++i) want("job" + std::to_string(i));
  store = std::make_unique<memory_store>();
  suspend_when_asked("CreateJob");
  start();
  ASSERT_TRUE(until(plan::project_state::suspended, 10min));
  EXPECT_EQ(cml.calls["CreateJob"], 1);
}

TEST_F(Loop, AProjectThatTheFileNoLongerHasIsLeftAlone) {
  want("git_sync");
  start();
  ASSERT_TRUE(until_converged());
  auto other = project;
  other.name = "other";
  other.fields["name"] = core::text{"other"};
  loop->set_desired({{other}});
  const auto writes_of_jobs = cml.calls["UpdateJob"] + cml.calls["DeleteJob"];
  ASSERT_TRUE(clock.run_until([&] { return !watcher.removed.empty(); }, 5min));
  EXPECT_THAT(watcher.removed, ElementsAre("ray-cluster"));
  EXPECT_EQ(cml.calls["UpdateJob"] + cml.calls["DeleteJob"], writes_of_jobs);
}

TEST_F(Loop, AParameterEditedByHandIsCorrectedAtTheNextPass) {
  want("git_sync");
  project.jobs[0].fields["cpu"] = 4.0;
  start();
  ASSERT_TRUE(until_converged());
  cml.find_job("git_sync")->fields["cpu"] = 1.0;
  cml.find_job("git_sync")->fields["memory"] = 2.0;
  pass_time(70s);
  EXPECT_EQ(std::get<double>(cml.find_job("git_sync")->fields["cpu"]), 4.0);
  EXPECT_EQ(std::get<double>(cml.find_job("git_sync")->fields["memory"]), 2.0);
}

TEST_F(Loop, AFieldThatCmlIgnoresIsWrittenOnce) {
  want("git_sync");
  project.jobs[0].fields["timezone"] = core::text{"Europe/Berlin"};
  cml.ignored_patches = {"timezone"};
  start();
  ASSERT_TRUE(until_converged());
  cml.find_job("git_sync")->fields["timezone"] = core::text{"Asia/Tokyo"};
  pass_time(24h);
  EXPECT_EQ(cml.calls["UpdateJob"], 1);
  EXPECT_EQ(watcher.report.state, plan::project_state::degraded);
}

TEST_F(Loop, AFailedRunIsRetriedAndThenSucceeds) {
  want("git_sync");
  project.jobs[0].retry = {3, 30s, 10min};
  cml.failures["git_sync"] = 2;
  start();
  ASSERT_TRUE(until_converged());
  EXPECT_EQ(cml.runs_of("git_sync"), 3U);
}

TEST_F(Loop, ApplyFailsWhenAJobFailsForGood) {
  want_chain();
  cml.failures["setup"] = 1;
  o.how = mode::once;
  start();
  ASSERT_TRUE(clock.run_until([&] { return ended; }, 1h));
  EXPECT_EQ(last, outcome::failed);
  EXPECT_EQ(cml.runs_of("launch"), 0U);
}

TEST_F(Loop, ASecondApplyTriesAgainWhatHadFailed) {
  want("git_sync");
  cml.failures["git_sync"] = 1;
  o.how = mode::once;
  start();
  ASSERT_TRUE(clock.run_until([&] { return ended; }, 1h));
  ASSERT_EQ(last, outcome::failed);
  start();
  ASSERT_TRUE(clock.run_until([&] { return ended; }, 1h));
  EXPECT_EQ(last, outcome::done);
}

TEST_F(Loop, ACloneThatFailsIsDegradedWithinItsDeadline) {
  want("git_sync");
  cml.clone_outcome = "failure";
  start();
  ASSERT_TRUE(until(plan::project_state::degraded, 5min));
  EXPECT_EQ(cml.jobs_named("git_sync"), 0U);
}

TEST_F(Loop, ACloneThatNeverEndsIsDegradedAtItsDeadline) {
  want("git_sync");
  cml.clone_outcome = "creating";
  start();
  ASSERT_TRUE(until(plan::project_state::degraded, 20min));
}

TEST_F(Loop, WhileSomethingIsInProgressAStatusLineComesAtLeastEveryTenSeconds) {
  want("git_sync");
  cml.run_time = 10min;
  start();
  ASSERT_TRUE(until_converged());
  core::timestamp before{};
  core::duration longest{0};
  for (const auto& e : watcher.events) {
    if (e.name != "status" || e.message.rfind("git_sync: running", 0) != 0) continue;
    if (before != core::timestamp{}) longest = std::max(longest, e.at - before);
    before = e.at;
  }
  EXPECT_NE(before, core::timestamp{});
  EXPECT_LE(longest, 10s);
}

TEST_F(Loop, ADryRunWritesNothing) {
  want_chain();
  o.how = mode::dry_run;
  start();
  ASSERT_TRUE(clock.run_until([&] { return ended; }, 1min));
  EXPECT_EQ(cml.writes, 0);
  EXPECT_EQ(loop->plans().at("ray-cluster").actions.size(), 1U);
}

TEST_F(Loop, StopEndsAKeepingLoop) {
  want("git_sync");
  start();
  ASSERT_TRUE(until_converged());
  loop->stop();
  EXPECT_TRUE(clock.run_until([&] { return ended; }, 10s));
}

TEST_F(Loop, ReconcileNowDoesNotWaitForTheInterval) {
  want("git_sync");
  start();
  ASSERT_TRUE(until_converged());
  pass_time(5s);
  const auto passes = watcher.passes;
  loop->reconcile_now();
  EXPECT_TRUE(clock.run_until([&] { return watcher.passes > passes; }, 1s));
}

TEST_F(Loop, AnHttpCheckIsMadeOnceForADeployment) {
  want("git_sync");
  config::http_check check;
  check.url = "http://127.0.0.1/";
  project.verify.push_back({"page", check});
  start();
  ASSERT_TRUE(until_converged());
  pass_time(1h);
  EXPECT_EQ(probe.probes, 1);
}

TEST_F(Loop, AForcedRebuildOfTheDaemonIsNotRepeatedByARestart) {
  want("git_sync");
  store = std::make_unique<memory_store>();
  o.force = true;
  start();
  ASSERT_TRUE(until_converged());
  stop();
  const auto runs = cml.runs_of("git_sync");
  watcher.report = {};
  start();
  ASSERT_TRUE(until_converged());
  pass_time(10min);
  EXPECT_EQ(cml.runs_of("git_sync"), runs);
}

TEST_F(Loop, AfterTheMachineWentDownAbsenceIsBelievedOnlyWhenLostWritesHaveSettled) {
  want("git_sync");
  store = std::make_unique<memory_store>();
  store->state.emplace();
  store->state->of_this_boot = false;
  start();
  pass_time(o.rules.write_settle - 2s);
  EXPECT_EQ(cml.calls["CreateProject"], 0);
  ASSERT_TRUE(until_converged());
  EXPECT_EQ(cml.calls["CreateProject"], 1);
}

}  // namespace
}  // namespace cmlrec::reconcile::test
