#include "plan/fixture.hpp"

namespace cmlrec::plan::test {
namespace {

using cml::run_state;
using core::text;
using core::text_map;
using ::testing::HasSubstr;

class PlanRuns : public planner_test {
 protected:
  PlanRuns() { live_project(); }

  void chain() {
    want("a");
    want("b", "a");
    live_job("a");
    live_job("b");
  }

  config::job_spec& spec(const std::string& key) {
    for (auto& s : wanted.jobs)
      if (s.key == key) return s;
    throw std::logic_error("no job " + key);
  }
};

TEST_F(PlanRuns, AJobThatNeverRanIsStarted) {
  want("a");
  live_job("a");
  const auto plan = decide();
  EXPECT_TRUE(starts(plan, "a"));
  EXPECT_EQ(plan.actions.at(0).reason, "it has never succeeded");
}

TEST_F(PlanRuns, AJobThatHasSucceededIsNotStartedAgain) {
  want("a");
  live_job("a");
  run("a", run_state::succeeded, 24h);
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.state, project_state::converged);
  EXPECT_TRUE(plan.final);
  EXPECT_EQ(plan.look_again, rules.interval);
}

TEST_F(PlanRuns, NothingIsStartedFromAHistoryThatWasNotRead) {
  want("a");
  const auto id = live_job("a").id;
  seen.histories.erase(id);
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  ASSERT_EQ(plan.reads.size(), 1U);
  EXPECT_EQ(plan.reads[0].job_id, id);
}

TEST_F(PlanRuns, NothingIsStartedFromAHistoryOfAnEarlierPass) {
  want("a");
  seen.histories[live_job("a").id].began.local = local_noon - 1s;
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.reads.size(), 1U);
}

TEST_F(PlanRuns, AnActiveRunIsWaitedFor) {
  want("a").fields["timeout"] = std::int64_t{300};
  live_job("a");
  run("a", run_state::running, 40s);
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(job(plan, "a").state, job_state::running);
  EXPECT_EQ(activity_line(plan.report, noon), "a: running for 40 s (timeout 5 min)");
  EXPECT_EQ(plan.look_again, 4s);
}

TEST_F(PlanRuns, AStatusThatNobodyKnowsIsNotTerminal) {
  want("a");
  live_job("a");
  run("a", run_state::unknown, 1min).status = "ENGINE_HIBERNATING";
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(job(plan, "a").state, job_state::running);
  EXPECT_THAT(job(plan, "a").reason, HasSubstr("ENGINE_HIBERNATING"));
}

TEST_F(PlanRuns, AnUnknownStatusIsUnderADeadlineOfItsOwn) {
  want("a");
  live_job("a");
  run("a", run_state::unknown, 2h);
  EXPECT_EQ(decide().report.state, project_state::degraded);
}

TEST_F(PlanRuns, AnUnknownStatusBehindANewerRunIsHistory) {
  want("a");
  live_job("a");
  run("a", run_state::unknown, 2h);
  run("a", run_state::succeeded, 1h);
  EXPECT_EQ(decide().report.state, project_state::converged);
}

TEST_F(PlanRuns, ASkippedRunIsNoOutcome) {
  want("a");
  live_job("a");
  run("a", run_state::skipped, 1min);
  run("a", run_state::succeeded, 1h);
  EXPECT_EQ(decide().report.state, project_state::converged);
}

TEST_F(PlanRuns, ASkippedRunIsNotAFailure) {
  want("a");
  live_job("a");
  run("a", run_state::skipped, 1min);
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, SchedulingPastItsDeadlineIsQueuedAndDegraded) {
  want("a");
  live_job("a");
  run("a", run_state::scheduling, 11min);
  const auto plan = decide();
  EXPECT_EQ(job(plan, "a").state, job_state::queued);
  EXPECT_EQ(plan.report.state, project_state::degraded);
  EXPECT_FALSE(plan.final);
}

TEST_F(PlanRuns, ThreeMinutesOfSchedulingAreNormal) {
  want("a");
  live_job("a");
  run("a", run_state::scheduling, 3min);
  EXPECT_EQ(decide().report.state, project_state::progressing);
}

TEST_F(PlanRuns, ARunPastItsTimeoutAndTheMarginIsOverdueAndLeftRunning) {
  want("a").fields["timeout"] = std::int64_t{600};
  live_job("a");
  run("a", run_state::running, 16min);
  const auto plan = decide();
  EXPECT_EQ(job(plan, "a").state, job_state::overdue);
  EXPECT_TRUE(plan.actions.empty());
}

TEST_F(PlanRuns, ARunWithinTheMarginIsNotOverdue) {
  want("a").fields["timeout"] = std::int64_t{600};
  live_job("a");
  run("a", run_state::running, 14min);
  EXPECT_EQ(job(decide(), "a").state, job_state::running);
}

TEST_F(PlanRuns, AnOverdueRunIsStoppedOnceWhereThatIsAskedFor) {
  want("a").fields["timeout"] = std::int64_t{600};
  live_job("a");
  run("a", run_state::running, 16min);
  rules.stop_overdue = true;
  auto plan = decide();
  ASSERT_EQ(count(plan, action_kind::stop_run), 1);
  note_sent(memory, plan.actions[0], now);
  EXPECT_EQ(count(decide(), action_kind::stop_run), 0);
}

TEST_F(PlanRuns, AStopThatWasNotMadeIsAskedForAgainLater) {
  want("a").fields["timeout"] = std::int64_t{600};
  live_job("a");
  run("a", run_state::running, 16min);
  rules.stop_overdue = true;
  const auto stop = decide().actions.at(0);
  note_sent(memory, stop, now);
  note_failed(memory, stop, core::error{core::error_kind::server, "try later"}, now);
  EXPECT_EQ(count(decide(), action_kind::stop_run), 0);
  now.local += 5s;
  EXPECT_EQ(count(decide(), action_kind::stop_run), 1);
}

TEST_F(PlanRuns, AChildWaitsForItsParent) {
  chain();
  const auto plan = decide();
  EXPECT_TRUE(starts(plan, "a"));
  EXPECT_FALSE(starts(plan, "b"));
  EXPECT_EQ(job(plan, "b").state, job_state::waiting);
}

TEST_F(PlanRuns, AChildIsBlockedWhenItsParentHasFailedForGood) {
  chain();
  want("c", "b");
  live_job("c");
  run("a", run_state::failed, 1h);
  const auto plan = decide();
  EXPECT_EQ(job(plan, "a").state, job_state::failed);
  EXPECT_EQ(job(plan, "b").state, job_state::blocked);
  EXPECT_EQ(job(plan, "c").state, job_state::blocked);
  EXPECT_TRUE(plan.final);
}

TEST_F(PlanRuns, AChildIsNotTriggeredWhileCmlMayStillStartIt) {
  chain();
  run("a", run_state::succeeded, 1min + 59s);  // ended 59 s ago
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(job(plan, "b").state, job_state::waiting);
  EXPECT_THAT(job(plan, "b").reason, HasSubstr("for CML to start it"));
  EXPECT_LE(plan.look_again, 1s);
}

TEST_F(PlanRuns, AChildThatCmlDidNotStartIsTriggeredAfterTheGrace) {
  chain();
  run("a", run_state::succeeded, 2min);
  EXPECT_TRUE(starts(decide(), "b"));
}

TEST_F(PlanRuns, AListBegunBeforeTheGraceWasOverDoesNotTellThatCmlStartedNothing) {
  chain();
  run("a", run_state::succeeded, 4min);  // known only now: its list took that long
  auto& list = seen.histories[id_of("b")];
  list.began = {noon - 150s, local_noon};
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  ASSERT_EQ(plan.reads.size(), 1U);
  EXPECT_EQ(plan.reads[0].job_id, id_of("b"));
  list.began = now;
  EXPECT_TRUE(starts(decide(), "b"));
}

TEST_F(PlanRuns, TheGraceEndsByOurOwnClockWhereCmlsCalendarIsBehindItsStamps) {
  chain();
  run("a", run_state::succeeded, -10min);  // stamped by another machine
  note_plan(memory, decide(), now);
  EXPECT_FALSE(starts(decide(), "b"));
  now.local += 60s;
  seen.pass_began = now.local;
  seen.histories[id_of("b")].began = now;
  EXPECT_TRUE(starts(decide(), "b"));
}

TEST_F(PlanRuns, TheCalendarIsNoEarlierThanTheNewestStamp) {
  want("a");
  live_job("a");
  const auto ended = *run("a", run_state::succeeded, -10min).finished_at;
  EXPECT_EQ(calendar(seen, noon), ended);
  EXPECT_EQ(calendar(seen, noon + 1h), noon + 1h);
}

TEST_F(PlanRuns, AChildStartedByCmlCountsThoughItsStampIsATouchEarly) {
  chain();
  run("a", run_state::succeeded, 1h);
  run("b", run_state::succeeded, 59min + 5s);  // began 5 s before its parent's stamp of the end
  EXPECT_EQ(decide().report.state, project_state::converged);
}

TEST_F(PlanRuns, AChildOlderThanItsParentsNewestSuccessIsStale) {
  chain();
  run("b", run_state::succeeded, 2h);
  run("a", run_state::succeeded, 1h);
  const auto plan = decide();
  EXPECT_TRUE(starts(plan, "b"));
  EXPECT_THAT(plan.actions.at(0).reason, HasSubstr("its parent a has succeeded since"));
}

TEST_F(PlanRuns, ARootIsNotStartedBeforeAllBelowItAreInPlace) {
  want("a");
  want("b", "a");
  live_job("a");
  const auto plan = decide();
  EXPECT_EQ(count(plan, action_kind::create_job), 1);
  EXPECT_FALSE(starts(plan, "a"));
}

TEST_F(PlanRuns, AJobIsNotStartedBeforeItsDefinitionIsInLine) {
  want("a").fields["cpu"] = 2.0;
  live_job("a").fields["cpu"] = 1.0;
  const auto plan = decide();
  EXPECT_EQ(count(plan, action_kind::update_job), 1);
  EXPECT_FALSE(starts(plan, "a"));
}

TEST_F(PlanRuns, AFailedRunIsNotRetriedByDefault) {
  want("a");
  live_job("a");
  run("a", run_state::failed, 1h);
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(job(plan, "a").state, job_state::failed);
  EXPECT_EQ(plan.report.state, project_state::degraded);
  EXPECT_TRUE(plan.final);
}

TEST_F(PlanRuns, ARunThatTimedOutHasFailed) {
  want("a");
  live_job("a");
  run("a", run_state::timed_out, 1h);
  EXPECT_EQ(job(decide(), "a").state, job_state::failed);
}

TEST_F(PlanRuns, ARetryWaitsForTheBackoffFromTheEndOfTheRun) {
  want("a").retry = {3, 30s, 10min};
  live_job("a");
  run("a", run_state::failed, 1min + 29s);
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(job(plan, "a").state, job_state::backing_off);
  EXPECT_EQ(job(plan, "a").next_at, noon + 1s);
  EXPECT_EQ(plan.look_again, 1s);
}

TEST_F(PlanRuns, ARetryIsMadeAfterTheBackoff) {
  want("a").retry = {3, 30s, 10min};
  live_job("a");
  run("a", run_state::failed, 1min + 30s);
  const auto plan = decide();
  EXPECT_TRUE(starts(plan, "a"));
  EXPECT_THAT(plan.actions[0].reason, HasSubstr("attempt 2 of 3"));
}

TEST_F(PlanRuns, TheBackoffDoubles) {
  want("a").retry = {3, 30s, 10min};
  live_job("a");
  run("a", run_state::failed, 10min);
  run("a", run_state::failed, 1min + 59s);
  EXPECT_FALSE(starts(decide(), "a"));
  now.cml += 1s;
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, AttemptsEndAtTheirNumber) {
  want("a").retry = {2, 1s, 1s};
  live_job("a");
  run("a", run_state::failed, 2h);
  run("a", run_state::failed, 1h);
  const auto plan = decide();
  EXPECT_EQ(job(plan, "a").state, job_state::failed);
  EXPECT_THAT(job(plan, "a").reason, HasSubstr("attempt 2 of 2"));
}

TEST_F(PlanRuns, AttemptsAreCountedBackToTheLastSuccess) {
  want("a").retry = {2, 1s, 1s};
  live_job("a");
  run("a", run_state::failed, 5h);
  run("a", run_state::failed, 4h);
  run("a", run_state::succeeded, 3h);
  run("a", run_state::failed, 1h);
  spec("a").rerun_after = noon - 150min;
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, AttemptsAreCountedBackToAForcedRebuild) {
  want("a");
  live_job("a");
  run("a", run_state::failed, 1h);
  memory.force_at = noon - 1min;
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, AttemptsAreCountedBackToAPatchByTheDaemon) {
  want("a");
  live_job("a");
  run("a", run_state::failed, 1h);
  memory.jobs["Job a"].attempts_from = noon - 1min;
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, AttemptsAreNeverCountedBackToUpdatedAt) {
  want("a");
  live_job("a").updated_at = noon - 1min;
  run("a", run_state::failed, 1h);
  EXPECT_EQ(job(decide(), "a").state, job_state::failed);
}

TEST_F(PlanRuns, ApplyCountsAttemptsFromItsOwnStart) {
  want("a");
  live_job("a");
  run("a", run_state::failed, 1h);
  stamp_attempts(memory, wanted, seen);
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, ARunThatIsActiveWhenApplyStartsIsOneOfItsAttempts) {
  want("a");
  live_job("a");
  auto& active = run("a", run_state::running, 1min);
  stamp_attempts(memory, wanted, seen);
  active.state = run_state::failed;
  active.finished_at = now.cml;
  EXPECT_EQ(job(decide(), "a").state, job_state::failed);
}

TEST_F(PlanRuns, CmlsOwnRetriesComeFirst) {
  want("a").retry = {2, 1s, 1s};
  auto& live = live_job("a");
  live.fields["retry_enabled"] = true;
  live.fields["max_retry"] = std::int64_t{2};
  live.fields["retry_delay"] = std::int64_t{60};
  run("a", run_state::failed, 2min);  // ended 1 min ago; CML may retry for 2 min
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_THAT(job(plan, "a").reason, HasSubstr("CML retries it by itself"));
  now.cml += 2min;
  EXPECT_EQ(decide().reads.size(), 1U);  // what CML has started meanwhile is not in the list yet
  seen.histories[id_of("a")].began = now;
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, ARunStoppedByAPersonIsNotStartedAgain) {
  want("a").retry = {5, 1s, 1s};
  live_job("a");
  run("a", run_state::stopped, 1h);
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(job(plan, "a").state, job_state::stopped);
  EXPECT_TRUE(plan.final);
}

TEST_F(PlanRuns, AStoppedJobIsStartedWhenForced) {
  want("a");
  live_job("a");
  run("a", run_state::stopped, 1h);
  memory.force_at = noon - 1min;
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, AStoppedRunAfterASuccessLeavesTheJobUpToDate) {
  want("a");
  live_job("a");
  run("a", run_state::succeeded, 2h);
  run("a", run_state::stopped, 1h);
  EXPECT_EQ(decide().report.state, project_state::converged);
}

TEST_F(PlanRuns, RerunAfterMakesOlderSuccessesStale) {
  want("a").rerun_after = noon - 30min;
  live_job("a");
  run("a", run_state::succeeded, 1h);
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, RerunAfterIsMetByANewerSuccess) {
  want("a").rerun_after = noon - 2h;
  live_job("a");
  run("a", run_state::succeeded, 1h);
  EXPECT_EQ(decide().report.state, project_state::converged);
}

TEST_F(PlanRuns, RerunAfterAppliesOnlyWhenItsTimeHasCome) {
  want("a").rerun_after = noon + 1h;
  live_job("a");
  run("a", run_state::succeeded, 1min);
  EXPECT_EQ(decide().report.state, project_state::converged);
  now.cml = noon + 61min;
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, AJobIsNotStartedWhileAJobTwoGenerationsAboveIsToRunAgain) {
  want("a").rerun_after = noon - 30min;
  want("b", "a");
  want("c", "b");
  for (const char* key : {"a", "b", "c"}) live_job(key);
  run("a", run_state::succeeded, 1h);
  run("b", run_state::succeeded, 50min);
  const auto plan = decide();
  EXPECT_TRUE(starts(plan, "a"));
  EXPECT_FALSE(starts(plan, "c"));
  EXPECT_EQ(job(plan, "c").reason, "for its ancestor a to succeed");
}

TEST_F(PlanRuns, WhatIsRunningIsWhyAProjectIsProgressing) {
  want("a");
  live_job("a");
  run("a", run_state::running, 5min);
  EXPECT_THAT(decide().report.reasons,
              testing::ElementsAre(testing::HasSubstr("a: run run1 is running")));
}

TEST_F(PlanRuns, WhyAProjectIsDegradedDoesNotChangeWithTheClock) {
  want("a").fields["timeout"] = std::int64_t{60};
  want("b");
  live_job("a");
  live_job("b");
  run("a", run_state::running, 1h);
  run("b", run_state::scheduling, 1h);
  const auto before = decide().report.reasons;
  now.cml += 1min;
  now.local += 1min;
  EXPECT_EQ(decide().report.reasons, before);
}

TEST_F(PlanRuns, ASuspendedJobThatIsMissingIsNotCalledWatched) {
  auto& spec = want("a");
  spec.run = config::run_policy::never;
  spec.suspend = true;
  want("b");
  live_job("b");
  run("b", run_state::succeeded, 1h);
  EXPECT_EQ(job(decide(), "a").state, job_state::suspended);
}

TEST_F(PlanRuns, AForcedRebuildIsMetByARunThatBeganAfterIt) {
  want("a");
  live_job("a");
  run("a", run_state::succeeded, 1h);
  memory.force_requested = true;
  stamp_force(memory, wanted, seen, now);
  EXPECT_TRUE(starts(decide(), "a"));
  now.cml += 5min;
  run("a", run_state::succeeded, 4min);
  EXPECT_EQ(decide().report.state, project_state::converged);
}

TEST_F(PlanRuns, AForcedRebuildInTheSecondOfARunIsAfterThatRun) {
  want("a");
  live_job("a");
  run("a", run_state::succeeded, -500ms);  // the Date header has whole seconds, and may be behind
  memory.force_requested = true;
  stamp_force(memory, wanted, seen, now);
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, AForcedRebuildIsMetByANewRunWhateverTheClockOfTheDateHeader) {
  want("a");
  live_job("a");
  run("a", run_state::succeeded, 1h);
  now.cml += 10min;  // the header is ahead of the stamps
  memory.force_requested = true;
  stamp_force(memory, wanted, seen, now);
  now.cml -= 10min;
  run("a", run_state::succeeded, 2min);
  EXPECT_EQ(decide().report.state, project_state::converged);
}

TEST_F(PlanRuns, ForcingAJobForcesAllBelowIt) {
  chain();
  want("other");
  live_job("other");
  run("a", run_state::succeeded, 2h);
  run("b", run_state::succeeded, 1h);
  run("other", run_state::succeeded, 1h);
  memory.jobs_to_force.insert("a");
  stamp_force(memory, wanted, seen, now);
  const auto plan = decide();
  EXPECT_TRUE(starts(plan, "a"));
  EXPECT_EQ(job(plan, "b").state, job_state::waiting);
  EXPECT_EQ(job(plan, "other").state, job_state::up_to_date);
}

TEST_F(PlanRuns, AnActiveRunFromBeforeAForceIsWaitedForFirst) {
  want("a");
  live_job("a");
  run("a", run_state::running, 1min);
  memory.force_at = noon;
  EXPECT_TRUE(decide().actions.empty());
}

TEST_F(PlanRuns, OnChangeASuccessOfThePresentDefinitionCounts) {
  want("a").run = config::run_policy::on_change;
  live_job("a").updated_at = noon;
  run("a", run_state::succeeded, 1h).environment[spec_mark] = text{spec_hash(spec("a"), "")};
  EXPECT_EQ(decide().report.state, project_state::converged);
}

TEST_F(PlanRuns, OnChangeASuccessOfAnotherDefinitionIsStale) {
  want("a").run = config::run_policy::on_change;
  live_job("a");
  run("a", run_state::succeeded, 1h).environment[spec_mark] = text{"0123456789abcdef"};
  const auto plan = decide();
  EXPECT_TRUE(starts(plan, "a"));
  EXPECT_THAT(plan.actions[0].reason, HasSubstr("definition has changed"));
}

TEST_F(PlanRuns, OnChangeASuccessWithoutAHashCountsIfItIsNewerThanTheChange) {
  want("a").run = config::run_policy::on_change;
  auto& live = live_job("a");
  run("a", run_state::succeeded, 1h);
  live.updated_at = noon - 2h;
  EXPECT_EQ(decide().report.state, project_state::converged);
  live.updated_at = noon - 30min;
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, OnChangeTheRunGetsTheWholeEnvironmentAndTheHash) {
  auto& s = want("a");
  s.run = config::run_policy::on_change;
  live_job("a").fields["environment"] = text_map{{"A", "1"}};
  const auto plan = decide();
  ASSERT_TRUE(starts(plan, "a"));
  const auto& env = plan.actions[0].run.environment;
  ASSERT_TRUE(env.has_value());
  EXPECT_EQ(env->at("A").value, "1");
  EXPECT_EQ(env->at(spec_mark).value, spec_hash(spec("a"), ""));
}

TEST_F(PlanRuns, OnceTheRunGetsNoEnvironmentOfItsOwn) {
  want("a");
  live_job("a");
  EXPECT_FALSE(decide().actions.at(0).run.environment.has_value());
}

TEST_F(PlanRuns, AWatchedJobIsNeverStartedAndNeverKeepsTheProjectFromConverged) {
  want("a").run = config::run_policy::never;
  live_job("a");
  run("a", run_state::failed, 1h);
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(job(plan, "a").state, job_state::watched);
  EXPECT_EQ(plan.report.state, project_state::converged);
}

TEST_F(PlanRuns, AnActiveRunOfAWatchedJobKeepsNobodyWaiting) {
  want("a").run = config::run_policy::never;
  live_job("a");
  run("a", run_state::running, 1h);
  EXPECT_TRUE(decide().final);
}

TEST_F(PlanRuns, TheRunGuardHoldsBackTheSeventhRunOfAnHour) {
  want("a").retry = {100, 1s, 1s};
  live_job("a");
  for (int i = 0; i < 6; ++i) run("a", run_state::failed, 10min + i * 5min);
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(job(plan, "a").state, job_state::guarded);
  EXPECT_EQ(plan.report.state, project_state::degraded);
  EXPECT_THAT(plan.report.reasons.at(0), HasSubstr("run guard"));
}

TEST_F(PlanRuns, TheRunGuardLetsGoAfterTheHour) {
  want("a").retry = {100, 1s, 1s};
  live_job("a");
  for (int i = 0; i < 6; ++i) run("a", run_state::failed, 10min + i * 5min);
  now.cml += 26min;
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, RunsOfOtherPeopleAreNotTheGuardsMatter) {
  want("a").retry = {100, 1s, 1s};
  live_job("a");
  seen.username = "daemon";
  for (int i = 0; i < 6; ++i) run("a", run_state::failed, 10min + i * 5min).creator = "ada";
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, AStartThatMayStillTakeEffectIsNotRepeated) {
  want("a");
  live_job("a");
  const auto start = decide().actions.at(0);
  note_sent(memory, start, now);
  core::error lost{core::error_kind::timed_out, "no answer"};
  lost.may_have_happened = true;
  note_failed(memory, start, lost, now);
  now.local += 34s;
  seen.pass_began = now.local;
  seen.histories[id_of("a")].began.local = now.local;
  note_observed(memory, wanted, seen, rules, now);
  EXPECT_TRUE(decide().actions.empty());
  now.local += 1s;
  seen.pass_began = now.local;
  seen.histories[id_of("a")].began.local = now.local;
  note_observed(memory, wanted, seen, rules, now);
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, AStartThatWasCertainlyNotDoneIsFreeAtOnce) {
  want("a");
  live_job("a");
  const auto start = decide().actions.at(0);
  note_sent(memory, start, now);
  core::error down{core::error_kind::unreachable, "connection refused"};
  note_failed(memory, start, down, now);
  EXPECT_FALSE(memory.jobs.at("Job a").start_sent.has_value());
  EXPECT_TRUE(memory.jobs.at("Job a").starts.empty());
}

TEST_F(PlanRuns, AnAnswerOfAlreadyActiveIsBusyAndNotAFailure) {
  want("a");
  live_job("a");
  core::error busy{core::error_kind::conflict, "job run for job ID already active"};
  note_failed(memory, decide().actions.at(0), busy, now);
  const auto plan = decide();
  EXPECT_EQ(plan.report.state, project_state::progressing);
  EXPECT_FALSE(starts(plan, "a"));
}

TEST_F(PlanRuns, ARunSkippedAtBirthIsBusyAndNotStartedAgainAtOnce) {
  want("a");
  live_job("a");
  const auto start = decide().actions.at(0);
  note_sent(memory, start, now);
  note_started(memory, start, run("a", run_state::skipped, 0s), now);
  EXPECT_FALSE(starts(decide(), "a"));
  now.local += 5s;
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanRuns, AJobThatFailedIsLookedAtOncePerIntervalForWhatPeopleDo) {
  want("a");
  live_job("a");
  run("a", run_state::failed, 1h);
  seen.histories[id_of("a")].began.local = local_noon - rules.interval;
  EXPECT_EQ(decide().reads.size(), 1U);
  seen.histories[id_of("a")].began.local = local_noon - rules.interval + 1s;
  EXPECT_TRUE(decide().reads.empty());
}

TEST_F(PlanRuns, TheRefreshRotatesSuchThatEachJobIsReadOnceInRunsRefresh) {
  for (int i = 0; i < 20; ++i) {
    const auto key = "j" + std::to_string(i);
    want(key);
    live_job(key);
    seen.histories[id_of(key)].began.local = local_noon - 5min + i * 1s;
  }
  const auto due = due_for_refresh(wanted, seen, memory, rules, now);
  ASSERT_EQ(due.size(), 2U);  // 20 jobs, a tenth of the ten minutes
  EXPECT_EQ(due[0].job_id, "id-j0");
  EXPECT_TRUE(due_for_refresh(wanted, seen, memory, rules, now).empty());
}

TEST_F(PlanRuns, ARefreshOfZeroMeansNever) {
  want("a");
  live_job("a");
  seen.histories[id_of("a")].began.local = local_noon - 24h;
  rules.runs_refresh = 0s;
  EXPECT_TRUE(due_for_refresh(wanted, seen, memory, rules, now).empty());
}

TEST_F(PlanRuns, OnlyActiveRunsArePolled) {
  want("a");
  live_job("a");
  run("a", run_state::succeeded, 1h);
  const auto active = run("a", run_state::running, 1min).id;
  seen.histories[id_of("a")].began.local = local_noon - 1s;
  const auto polls = runs_to_poll(seen);
  ASSERT_EQ(polls.size(), 1U);
  EXPECT_EQ(polls[0].run_id, active);
}

TEST_F(PlanRuns, EveryJobThatIsNotUpToDateHasAReason) {
  chain();
  want("c", "b");
  live_job("c");
  want("d").suspend = true;
  run("a", run_state::running, 10s);
  for (const auto& j : decide().report.jobs) EXPECT_FALSE(j.reason.empty()) << j.key;
}

TEST_F(PlanRuns, TheSameInputGivesTheSamePlan) {
  chain();
  const auto one = decide();
  const auto two = decide();
  ASSERT_EQ(one.actions.size(), two.actions.size());
  EXPECT_EQ(one.actions.at(0).reason, two.actions.at(0).reason);
  EXPECT_EQ(one.look_again, two.look_again);
}

}  // namespace
}  // namespace cmlrec::plan::test
