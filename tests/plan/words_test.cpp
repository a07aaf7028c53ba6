#include "plan/fixture.hpp"

namespace cmlrec::plan::test {
namespace {

TEST(PlanWords, TheActivityLineNamesJobStateTimeAndTimeout) {
  project_report report;
  job_report job;
  job.key = "git_sync";
  job.timeout = 5min;
  job.active_run.emplace();
  job.active_run->state = cml::run_state::running;
  job.active_run->running_at = noon - 40s;
  report.jobs.own().push_back(job);
  EXPECT_EQ(activity_line(report, noon), "git_sync: running for 40 s (timeout 5 min)");
}

TEST(PlanWords, TheActivityLineCountsTheOthers) {
  project_report report;
  for (const char* key : {"a", "b", "c"}) {
    job_report job;
    job.key = key;
    job.active_run.emplace();
    job.active_run->state = cml::run_state::scheduling;
    job.active_run->created_at = noon - 5s;
    report.jobs.own().push_back(job);
  }
  EXPECT_EQ(activity_line(report, noon), "a: scheduling for 5 s, and 2 more");
}

TEST(PlanWords, NothingIsSaidWhenNothingIsInProgress) {
  EXPECT_EQ(activity_line(project_report{}, noon), "");
}

TEST(PlanWords, AnUnreachableProjectKeepsWhatWasKnown) {
  project_report last;
  last.jobs.own().resize(2);
  last.state = project_state::converged;
  const auto now_report = unreachable(last, "connection refused");
  EXPECT_EQ(now_report.state, project_state::unreachable);
  EXPECT_EQ(now_report.jobs.size(), 2U);
  EXPECT_EQ(now_report.reasons.at(0), "connection refused");
}

TEST(JobFinder, FindsEachJobInTheReportsOrderAndInAnyOther) {
  project_report report;
  for (const char* key : {"a", "b", "c", "d"}) {
    job_report job;
    job.key = key;
    report.jobs.own().push_back(job);
  }
  job_finder finder(report);
  for (const char* key : {"a", "b", "d", "c", "d", "a", "b"}) {
    const auto* found = finder.find(key);
    ASSERT_NE(found, nullptr) << key;
    EXPECT_EQ(found->key, key);
  }
  EXPECT_EQ(finder.find("e"), nullptr);
  EXPECT_EQ(finder.find("c")->key, "c");
}

}  // namespace
}  // namespace cmlrec::plan::test
