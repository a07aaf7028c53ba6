#include "telemetry/fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::telemetry::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

options room_for(std::size_t most) {
  options o;
  o.most_series = most;
  return o;
}

TEST(MetricsRemoval, AProjectThatHasGoneHasNoSeries) {
  kept t;
  t.sut->on_report(project_of("gone", {"j"}));
  t.sut->on_pass("gone", reconcile::pass_result::converged, milliseconds{1});
  t.sut->on_pass("gone", reconcile::pass_result::failed, milliseconds{1});
  t.sut->on_write(written("gone", "create_job", true));
  t.sut->on_report(project_of("stays", {"j"}));
  t.sut->on_pass("stays", reconcile::pass_result::converged, milliseconds{1});
  t.sut->on_removed("gone");
  const auto text = t.sut->metrics_text();
  EXPECT_THAT(text, Not(HasSubstr("\"gone\"")));
  EXPECT_EQ(samples(text, "cml_reconciler_passes_total").size(), 1U);
  EXPECT_EQ(samples(text, "cml_reconciler_job_state").size(), 1U);
}

TEST(MetricsRemoval, AJobThatHasGoneHasNoSeries) {
  kept t;
  t.sut->on_report(project_of("a", {"one", "two"}));
  t.sut->on_report(project_of("a", {"two"}));
  EXPECT_THAT(t.sut->metrics_text(), Not(HasSubstr("\"one\"")));
}

TEST(MetricsRemoval, AProjectThatComesBackCountsFromNothing) {
  kept t;
  t.sut->on_pass("a", reconcile::pass_result::converged, milliseconds{1});
  t.sut->on_pass("a", reconcile::pass_result::converged, milliseconds{1});
  t.sut->on_removed("a");
  t.sut->on_pass("a", reconcile::pass_result::converged, milliseconds{1});
  EXPECT_THAT(shown(t, "passes_total"),
              ElementsAre(R"(cml_reconciler_passes_total{project="a",result="converged"} 1)"));
}

TEST(MetricsBounds, JobsPastTheMostShareOneSeries) {
  kept t(room_for(3));
  auto report = project_of("a", {"one", "two", "three", "four"});
  report.jobs.own()[2].differences.resize(2);
  report.jobs.own()[3].differences.resize(1);
  t.sut->on_report(report);
  EXPECT_THAT(shown(t, "differences"),
              ElementsAre(R"(cml_reconciler_differences{project="a",job=""} 0)",
                          R"(cml_reconciler_differences{project="a",job="one"} 0)",
                          R"(cml_reconciler_differences{project="a",job="two"} 0)",
                          R"(cml_reconciler_differences{project="a",job="_other"} 3)"));
  EXPECT_THAT(
      shown(t, "job_state"),
      ElementsAre(R"(cml_reconciler_job_state{project="a",job="one",state="UpToDate"} 1)",
                  R"(cml_reconciler_job_state{project="a",job="two",state="UpToDate"} 1)",
                  R"(cml_reconciler_job_state{project="a",job="_other",state="UpToDate"} 2)"));
}

TEST(MetricsBounds, ProjectsPastTheMostShareOneSeries) {
  kept t(room_for(1));
  t.sut->on_report(project_of("a", {}));
  auto late = project_of("b", {"j"});
  late.healthy = false;
  t.sut->on_report(late);
  t.sut->on_report(project_of("c", {}));
  EXPECT_THAT(shown(t, "project_healthy"),
              ElementsAre(R"(cml_reconciler_project_healthy{project="a"} 1)",
                          R"(cml_reconciler_project_healthy{project="_other"} 0)"));
  EXPECT_THAT(
      shown(t, "job_state"),
      ElementsAre(R"(cml_reconciler_job_state{project="_other",job="_other",state="UpToDate"} 1)"));
  t.sut->on_pass("b", reconcile::pass_result::converged, milliseconds{1});
  t.sut->on_pass("c", reconcile::pass_result::converged, milliseconds{1});
  EXPECT_THAT(shown(t, "passes_total"),
              ElementsAre(R"(cml_reconciler_passes_total{project="_other",result="converged"} 2)"));
}

TEST(MetricsBounds, OldestSuccessAndLongestRunStandForTheOthers) {
  kept t(room_for(1));
  auto report = project_of("a", {"one", "two"});
  for (std::size_t i = 0; i < 2; ++i) {
    cml::run run;
    run.running_at = at("2026-01-01T00:00:00Z");
    run.finished_at = *run.running_at + std::chrono::seconds{10 + 5 * static_cast<int>(i)};
    report.jobs.own()[i].last_run = run;
    report.jobs.own()[i].last_success = core::timestamp{std::chrono::seconds{100 + static_cast<int>(i)}};
  }
  t.sut->on_report(report);
  EXPECT_THAT(
      shown(t, "last_run_duration_seconds"),
      ElementsAre(R"(cml_reconciler_last_run_duration_seconds{project="a",job="_other"} 15)"));
  EXPECT_THAT(
      shown(t, "last_success_timestamp_seconds"),
      ElementsAre(
          R"(cml_reconciler_last_success_timestamp_seconds{project="a",job="_other"} 100)"));
}

TEST(MetricsBounds, ANameThatHasAPlaceKeepsIt) {
  kept t(room_for(2));
  t.sut->on_report(project_of("m", {"j"}));
  t.sut->on_report(project_of("a", {"j"}));
  EXPECT_THAT(shown(t, "project_in_sync"),
              ElementsAre(R"(cml_reconciler_project_in_sync{project="m"} 1)",
                          R"(cml_reconciler_project_in_sync{project="_other"} 1)"));
}

TEST(MetricsBounds, ThePlacesOfWhatHasGoneAreGivenAway) {
  kept t(room_for(3));
  t.sut->on_report(project_of("a", {"one", "two"}));
  t.sut->on_report(project_of("a", {"three", "four"}));
  EXPECT_THAT(t.sut->metrics_text(), Not(HasSubstr("_other")));
  t.sut->on_removed("a");
  t.sut->on_report(project_of("b", {"one", "two"}));
  EXPECT_THAT(t.sut->metrics_text(), Not(HasSubstr("_other")));
}

TEST(MetricsBounds, TheSharedCountersOutliveOneOfThoseThatShareThem) {
  kept t(room_for(0));
  t.sut->on_pass("a", reconcile::pass_result::converged, milliseconds{1});
  t.sut->on_pass("b", reconcile::pass_result::converged, milliseconds{1});
  t.sut->on_removed("a");
  EXPECT_THAT(shown(t, "passes_total"),
              ElementsAre(R"(cml_reconciler_passes_total{project="_other",result="converged"} 2)"));
}

TEST(MetricsBounds, OperationsAndActionsDoNotGrowWithoutEnd) {
  kept t;
  for (int i = 0; i < 1000; ++i) {
    t.sut->on_attempt(("Op" + std::to_string(i)).c_str(), 200, milliseconds{1});
    t.sut->on_write(written("a", "act_" + std::to_string(i), true));
  }
  EXPECT_EQ(shown(t, "api_calls_total").size(), 101U);
  EXPECT_EQ(shown(t, "actions_total").size(), 101U);
}

TEST(MetricsBounds, ALargeFileStaysWithinTheBound) {
  kept t;
  for (int p = 0; p < 100; ++p) {
    std::vector<std::string> jobs;
    for (int j = 0; j < 100; ++j) jobs.push_back("job-" + std::to_string(j));
    t.sut->on_report(project_of("project-" + std::to_string(p), jobs));
  }
  EXPECT_LE(shown(t, "job_state").size(), 2000U + 2U);
  EXPECT_LE(shown(t, "differences").size(), 2000U + 102U);
}

}  // namespace
}  // namespace cmlrec::telemetry::testing
