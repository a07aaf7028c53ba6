#include "plan/fixture.hpp"

namespace cmlrec::plan::test {
namespace {

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

}  // namespace
}  // namespace cmlrec::plan::test
