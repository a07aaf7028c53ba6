#include "plan/fixture.hpp"

namespace cmlrec::plan::test {
namespace {

using cml::run_state;
using testing::HasSubstr;

TEST(PlanPolicy, PollsAfterASecondThenATenthThenTenSeconds) {
  EXPECT_EQ(poll_after(0s), 1s);
  EXPECT_EQ(poll_after(40s), 4s);
  EXPECT_EQ(poll_after(1h), 10s);
}

TEST(PlanPolicy, ARefusedWriteWaitsLongerEachTime) {
  EXPECT_EQ(refusal_wait(1), 5s);
  EXPECT_EQ(refusal_wait(2), 10s);
  EXPECT_EQ(refusal_wait(50), 5min);
}

TEST(PlanPolicy, ARetryWaitsNoLongerThanItsMaximum) {
  EXPECT_EQ(retry_wait(1, 30s, 10min), 30s);
  EXPECT_EQ(retry_wait(3, 30s, 10min), 2min);
  EXPECT_EQ(retry_wait(30, 30s, 10min), 10min);
}

class PlanMemory : public planner_test {};

TEST_F(PlanMemory, AFormerLifeIsForgottenWhenItsWritesWouldHaveShown) {
  memory.life_began = local_noon - 35s;
  note_observed(memory, wanted, seen, rules, now);
  EXPECT_FALSE(memory.life_began.has_value());
}

TEST_F(PlanMemory, AForceIsStampedOnce) {
  memory.force_requested = true;
  stamp_force(memory, wanted, seen, now);
  const auto first = memory.force_at;
  now.cml += 1h;
  stamp_force(memory, wanted, seen, now);
  EXPECT_EQ(memory.force_at, first);
}

TEST_F(PlanMemory, AForceDoesNotWaitForTheRunsOfWhatIsAmbiguous) {
  want("a");
  want("b");
  live_project();
  live_job("a");
  live_job("b");
  live_job("b");
  seen.jobs->back().id = "id-another";
  seen.histories = {{id_of("a"), seen.histories[id_of("a")]}};
  memory.force_requested = true;
  EXPECT_TRUE(has_requests(memory, wanted, seen));
}

TEST_F(PlanMemory, AForceWaitsForTheRunsAsTheyWereWhenItWasAskedFor) {
  for (const char* key : {"a", "b"}) {
    want(key);
    live_job(key);
    run(key, run_state::succeeded, 1h);
  }
  live_project();
  want("below_a", "a");
  live_job("below_a");
  memory.jobs_to_force = {"a"};
  memory.requested_at = local_noon + 1s;  // and the lists were begun at noon
  EXPECT_FALSE(has_requests(memory, wanted, seen));
  const auto plan = decide();
  ASSERT_EQ(plan.reads.size(), 2U);
  for (const auto& r : plan.reads) seen.histories[r.job_id].began.local = local_noon + 1s;
  EXPECT_TRUE(has_requests(memory, wanted, seen));
  EXPECT_TRUE(decide().reads.empty());
}

TEST_F(PlanMemory, WhatWasNotSentIsNotWaitedFor) {
  live_project();
  want("a");
  live_job("a");
  const auto start = decide().actions.at(0);
  note_sent(memory, start, now);
  note_not_sent(memory, start);
  EXPECT_FALSE(memory.jobs["Job a"].start_sent.has_value());
  EXPECT_TRUE(memory.jobs["Job a"].starts.empty());
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanMemory, AJobThatIsDeletedByHandMayBeTriedAfresh) {
  live_project();
  seen.jobs.emplace();
  memory.jobs["Job a"].unappliable["timezone"] = {"x", "y"};
  note_observed(memory, wanted, seen, rules, now);
  EXPECT_TRUE(memory.jobs["Job a"].unappliable.empty());
}

TEST_F(PlanMemory, AnUncertainFailureIsNotARefusal) {
  const auto creation = decide().actions.at(0);
  note_sent(memory, creation, now);
  core::error lost{core::error_kind::server, "failed to forward request"};
  lost.may_have_happened = true;
  note_failed(memory, creation, lost, now);
  EXPECT_TRUE(memory.refused.empty());
  EXPECT_TRUE(memory.create_sent.has_value());
}

TEST_F(PlanMemory, OfARetryOnlyTheNamedJobIsTriedAgain) {
  live_project();
  for (const char* key : {"a", "b"}) {
    want(key);
    live_job(key);
    run(key, run_state::failed, 1h);
  }
  memory.jobs_to_retry = {"a"};
  ASSERT_TRUE(has_requests(memory, wanted, seen));
  stamp_retries(memory, wanted, seen);
  EXPECT_FALSE(has_requests(memory, wanted, seen));
  const auto plan = decide();
  EXPECT_TRUE(starts(plan, "a"));
  EXPECT_EQ(job(plan, "b").state, job_state::failed);
}

TEST_F(PlanMemory, ARetryOfTheProjectIsOneOfWhatFailedOrWasStopped) {
  live_project();
  for (const char* key : {"a", "b", "c"}) {
    want(key);
    live_job(key);
  }
  run("a", run_state::failed, 1h);
  run("b", run_state::stopped, 1h);
  run("c", run_state::succeeded, 1h);
  memory.retry_requested = true;
  stamp_retries(memory, wanted, seen);
  const auto plan = decide();
  EXPECT_TRUE(starts(plan, "a"));
  EXPECT_TRUE(starts(plan, "b"));
  EXPECT_FALSE(starts(plan, "c"));
}

TEST_F(PlanMemory, WhatIsAskedForWaitsUntilTheRunsAreKnown) {
  want("a");
  live_job("a");
  memory.force_requested = true;
  seen.histories.clear();
  EXPECT_FALSE(has_requests(memory, wanted, seen));
}

TEST_F(PlanMemory, AProjectThatAnOperatorSuspendsIsLeftAloneUntilItsTime) {
  live_project();
  want("a");
  live_job("a");
  memory.suspended = suspension{noon + 10min, "ada"};
  auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.state, project_state::suspended);
  EXPECT_THAT(plan.report.reasons.at(0), HasSubstr("suspended until 2026-03-01T12:10:00.000Z by ada"));
  now.cml += 10min;
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanMemory, AJobThatAnOperatorSuspendsIsLeftAloneAndTheOthersAreNot) {
  live_project();
  for (const char* key : {"a", "b"}) {
    want(key);
    live_job(key);
  }
  memory.jobs["Job a"].suspended = suspension{std::nullopt, "ada"};
  const auto plan = decide();
  EXPECT_EQ(job(plan, "a").state, job_state::suspended);
  EXPECT_THAT(job(plan, "a").reason, HasSubstr("suspended until resumed by ada"));
  EXPECT_FALSE(starts(plan, "a"));
  EXPECT_TRUE(starts(plan, "b"));
}

TEST_F(PlanMemory, ASuspensionThatIsOverIsForgotten) {
  want("a");
  live_job("a");
  memory.suspended = memory.jobs["Job a"].suspended = suspension{noon, "ada"};
  note_observed(memory, wanted, seen, rules, now);
  EXPECT_FALSE(memory.suspended);
  EXPECT_FALSE(memory.jobs["Job a"].suspended);
}

}  // namespace
}  // namespace cmlrec::plan::test
