#include "plan/fixture.hpp"

namespace cmlrec::plan::test {
namespace {

using cml::run_state;
using ::testing::HasSubstr;

class PlanVerify : public planner_test {
 protected:
  PlanVerify() {
    live_project();
    want("a");
    live_job("a");
  }

  void check_by_request() {
    config::http_check request;
    request.url = "http://127.0.0.1:8265/";
    request.retries = 1;
    wanted.verify.push_back({"dashboard", request});
  }

  void check_by_job() {
    want("test");
    live_job("test");
    wanted.verify.push_back({"smoke", std::string("test")});
  }
};

TEST_F(PlanVerify, ARequestIsMadeWhenEveryJobIsUpToDate) {
  check_by_request();
  run("a", run_state::succeeded, 1h);
  const auto plan = decide();
  ASSERT_EQ(count(plan, action_kind::run_check), 1);
  EXPECT_EQ(plan.actions[0].check, "dashboard");
}

TEST_F(PlanVerify, NothingIsVerifiedAfterAFailure) {
  check_by_request();
  run("a", run_state::failed, 1h);
  EXPECT_EQ(count(decide(), action_kind::run_check), 0);
}

TEST_F(PlanVerify, ACheckThatPassedIsNotRepeatedForTheSameDeployment) {
  check_by_request();
  run("a", run_state::succeeded, 1h);
  note_plan(memory, decide(), now);
  note_check(memory, "dashboard", true, "", now);
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.state, project_state::converged);
}

TEST_F(PlanVerify, ANewDeploymentIsVerifiedAnew) {
  check_by_request();
  run("a", run_state::succeeded, 2h);
  note_plan(memory, decide(), now);
  note_check(memory, "dashboard", true, "", now);
  run("a", run_state::succeeded, 1h);
  EXPECT_EQ(count(decide(), action_kind::run_check), 1);
}

TEST_F(PlanVerify, ACheckIsRetriedAndThenFails) {
  check_by_request();
  run("a", run_state::succeeded, 1h);
  note_plan(memory, decide(), now);
  note_check(memory, "dashboard", false, "expected 200, got 502", now);
  EXPECT_EQ(decide().report.state, project_state::progressing);
  now.local += 5s;
  EXPECT_EQ(count(decide(), action_kind::run_check), 1);
  note_check(memory, "dashboard", false, "expected 200, got 502", now);
  const auto plan = decide();
  EXPECT_EQ(plan.report.state, project_state::degraded);
  EXPECT_THAT(plan.report.reasons.at(0), HasSubstr("got 502"));
  EXPECT_TRUE(plan.final);
}

TEST_F(PlanVerify, ACheckFailsAtTheDeadlineWhateverItsRetries) {
  check_by_request();
  run("a", run_state::succeeded, 1h);
  note_plan(memory, decide(), now);
  note_check(memory, "dashboard", false, "no answer", now);
  now.local += 15min;
  EXPECT_EQ(decide().report.state, project_state::degraded);
}

TEST_F(PlanVerify, AJobIsStartedAsACheckWhenTheOthersAreUpToDate) {
  check_by_job();
  run("a", run_state::succeeded, 1h);
  EXPECT_TRUE(starts(decide(), "test"));
}

TEST_F(PlanVerify, AJobThatIsACheckWaitsForTheOthers) {
  check_by_job();
  const auto plan = decide();
  EXPECT_FALSE(starts(plan, "test"));
  EXPECT_EQ(job(plan, "test").state, job_state::waiting);
}

TEST_F(PlanVerify, ARunOfACheckFromBeforeTheDeploymentDoesNotCount) {
  check_by_job();
  run("test", run_state::succeeded, 2h);
  run("a", run_state::succeeded, 1h);
  EXPECT_TRUE(starts(decide(), "test"));
}

TEST_F(PlanVerify, ACheckThatCmlStartedForTheDeploymentCountsThoughItsStampIsATouchEarly) {
  check_by_job();
  run("a", run_state::succeeded, 1h);
  run("test", run_state::succeeded, 1h - 57s);
  EXPECT_EQ(decide().report.state, project_state::converged);
}

TEST_F(PlanVerify, RerunAfterActsOnAJobThatIsACheck) {
  check_by_job();
  run("a", run_state::succeeded, 1h);
  run("test", run_state::succeeded, 30min);
  wanted.jobs.back().rerun_after = noon - 10min;
  EXPECT_TRUE(starts(decide(), "test"));
}

TEST_F(PlanVerify, ACheckThatFailedMakesTheProjectDegraded) {
  check_by_job();
  run("a", run_state::succeeded, 2h);
  run("test", run_state::failed, 1h);
  const auto plan = decide();
  EXPECT_EQ(plan.report.state, project_state::degraded);
  EXPECT_EQ(job(plan, "test").state, job_state::failed);
}

TEST_F(PlanVerify, AVerifiedDeploymentIsConverged) {
  check_by_job();
  run("a", run_state::succeeded, 2h);
  run("test", run_state::succeeded, 1h);
  EXPECT_EQ(decide().report.state, project_state::converged);
}

}  // namespace
}  // namespace cmlrec::plan::test
