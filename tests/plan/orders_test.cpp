#include "plan/fixture.hpp"
#include "plan/orders.hpp"

namespace cmlrec::plan::test {
namespace {

using cml::run_state;
using testing::HasSubstr;

class PlanOrders : public planner_test {
 protected:
  bool ordered(order::kind what, const config::job_spec* job = nullptr,
               std::optional<suspension> held = std::nullopt) {
    return note_order(memory, {what, wanted.name, job, std::move(held)}, now);
  }
};

TEST_F(PlanOrders, OnlyASuspensionOfWhatWasNotHeldStopsWhatIsUnderWay) {
  const auto& a = want("a");
  EXPECT_FALSE(ordered(order::kind::force));
  EXPECT_FALSE(ordered(order::kind::retry, &a));
  EXPECT_TRUE(ordered(order::kind::suspend, &a, suspension{noon + 1min, "ada"}));
  EXPECT_FALSE(ordered(order::kind::suspend, &a, suspension{noon + 2min, "ada"}));
  EXPECT_EQ(memory.jobs["Job a"].suspended->until, noon + 2min);
  now.cml += 2min;  // that one is over
  EXPECT_TRUE(ordered(order::kind::suspend, &a, suspension{noon + 5min, "ada"}));
}

TEST_F(PlanOrders, ToResumeAProjectResumesItsJobsToo) {
  const auto& a = want("a");
  ordered(order::kind::suspend, nullptr, suspension{std::nullopt, "ada"});
  ordered(order::kind::suspend, &a, suspension{std::nullopt, "ada"});
  EXPECT_FALSE(ordered(order::kind::resume));
  EXPECT_FALSE(memory.suspended);
  EXPECT_FALSE(memory.jobs["Job a"].suspended);
}

TEST_F(PlanOrders, ToResumeAJobLeavesTheProjectHeld) {
  const auto& a = want("a");
  ordered(order::kind::suspend, nullptr, suspension{std::nullopt, "ada"});
  ordered(order::kind::suspend, &a, suspension{std::nullopt, "ada"});
  ordered(order::kind::resume, &a);
  EXPECT_TRUE(memory.suspended);
  EXPECT_FALSE(memory.jobs["Job a"].suspended);
}

TEST_F(PlanOrders, AForceIsStampedOnce) {
  ordered(order::kind::force);
  stamp_force(memory, wanted, seen, now);
  const auto first = memory.force_at;
  now.cml += 1h;
  stamp_force(memory, wanted, seen, now);
  EXPECT_EQ(memory.force_at, first);
}

TEST_F(PlanOrders, AForceDoesNotWaitForTheRunsOfWhatIsAmbiguous) {
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

TEST_F(PlanOrders, AForceWaitsForTheRunsAsTheyWereWhenItWasAskedFor) {
  for (const char* key : {"a", "b"}) {
    want(key);
    live_job(key);
    run(key, run_state::succeeded, 1h);
  }
  live_project();
  want("below_a", "a");
  live_job("below_a");
  now.local += 1s;  // the lists were begun at noon
  ordered(order::kind::force, &wanted.jobs.front());
  EXPECT_FALSE(has_requests(memory, wanted, seen));
  const auto plan = decide();
  ASSERT_EQ(plan.reads.size(), 2U);
  for (const auto& r : plan.reads) seen.histories[r.job_id].began.local = local_noon + 1s;
  EXPECT_TRUE(has_requests(memory, wanted, seen));
  EXPECT_TRUE(decide().reads.empty());
}

TEST_F(PlanOrders, OfARetryOnlyTheNamedJobIsTriedAgain) {
  live_project();
  for (const char* key : {"a", "b"}) {
    want(key);
    live_job(key);
    run(key, run_state::failed, 1h);
  }
  ordered(order::kind::retry, &wanted.jobs.front());
  ASSERT_TRUE(has_requests(memory, wanted, seen));
  stamp_retries(memory, wanted, seen);
  EXPECT_FALSE(has_requests(memory, wanted, seen));
  const auto plan = decide();
  EXPECT_TRUE(starts(plan, "a"));
  EXPECT_EQ(job(plan, "b").state, job_state::failed);
}

TEST_F(PlanOrders, ARetryOfTheProjectIsOneOfWhatFailedOrWasStopped) {
  live_project();
  for (const char* key : {"a", "b", "c"}) {
    want(key);
    live_job(key);
  }
  run("a", run_state::failed, 1h);
  run("b", run_state::stopped, 1h);
  run("c", run_state::succeeded, 1h);
  ordered(order::kind::retry);
  stamp_retries(memory, wanted, seen);
  const auto plan = decide();
  EXPECT_TRUE(starts(plan, "a"));
  EXPECT_TRUE(starts(plan, "b"));
  EXPECT_FALSE(starts(plan, "c"));
}

TEST_F(PlanOrders, WhatIsAskedForWaitsUntilTheRunsAreKnown) {
  want("a");
  live_job("a");
  memory.force_requested = true;
  seen.histories.clear();
  EXPECT_FALSE(has_requests(memory, wanted, seen));
}

TEST_F(PlanOrders, AProjectThatAnOperatorSuspendsIsLeftAloneUntilItsTime) {
  live_project();
  want("a");
  live_job("a");
  ordered(order::kind::suspend, nullptr, suspension{noon + 10min, "ada"});
  auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.state, project_state::suspended);
  EXPECT_THAT(plan.report.reasons.at(0), HasSubstr("suspended until 2026-03-01T12:10:00.000Z by ada"));
  now.cml += 10min;
  EXPECT_TRUE(starts(decide(), "a"));
}

TEST_F(PlanOrders, AJobThatAnOperatorSuspendsIsLeftAloneAndTheOthersAreNot) {
  live_project();
  for (const char* key : {"a", "b"}) {
    want(key);
    live_job(key);
  }
  ordered(order::kind::suspend, &wanted.jobs.front(), suspension{std::nullopt, "ada"});
  const auto plan = decide();
  EXPECT_EQ(job(plan, "a").state, job_state::suspended);
  EXPECT_THAT(job(plan, "a").reason, HasSubstr("suspended until resumed by ada"));
  EXPECT_FALSE(starts(plan, "a"));
  EXPECT_TRUE(starts(plan, "b"));
}

TEST_F(PlanOrders, ASuspensionThatIsOverIsForgotten) {
  want("a");
  live_job("a");
  memory.suspended = memory.jobs["Job a"].suspended = suspension{noon, "ada"};
  note_observed(memory, wanted, seen, rules, now);
  EXPECT_FALSE(memory.suspended);
  EXPECT_FALSE(memory.jobs["Job a"].suspended);
}

}  // namespace
}  // namespace cmlrec::plan::test
