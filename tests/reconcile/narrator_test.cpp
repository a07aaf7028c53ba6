#include "reconcile/narrator.hpp"

#include <gtest/gtest.h>

namespace cmlrec::reconcile {
namespace {

plan::project_report report_of(plan::project_state state, plan::job_state job_state) {
  plan::project_report r;
  r.name = "p";
  r.state = state;
  plan::job_report job;
  job.key = "a";
  job.state = job_state;
  job.reason = "because";
  r.jobs.own().push_back(job);
  return r;
}

TEST(Narrator, TellsAChangeOfStateOnce) {
  const auto before = report_of(plan::project_state::progressing, plan::job_state::running);
  const auto after = report_of(plan::project_state::converged, plan::job_state::up_to_date);
  const auto events = narrate(before, after, {});
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].message, "UpToDate: because");
  EXPECT_EQ(events[1].message, "Converged");
  EXPECT_TRUE(narrate(after, after, {}).empty());
}

TEST(Narrator, TellsADifferenceOnce) {
  auto before = report_of(plan::project_state::progressing, plan::job_state::running);
  auto after = before;
  after.jobs.own()[0].differences.push_back({"cpu", "1", "2", false, ""});
  ASSERT_EQ(narrate(before, after, {}).size(), 1U);
  EXPECT_EQ(narrate(before, after, {})[0].message, "cpu is 1 and should be 2");
  EXPECT_TRUE(narrate(after, after, {}).empty());
}

TEST(Narrator, AFailureIsAWarningAndDegradedAnError) {
  const auto before = report_of(plan::project_state::progressing, plan::job_state::running);
  const auto after = report_of(plan::project_state::degraded, plan::job_state::failed);
  const auto events = narrate(before, after, {});
  EXPECT_EQ(events[0].level, severity::warning);
  EXPECT_EQ(events[1].level, severity::error);
}

}  // namespace
}  // namespace cmlrec::reconcile
