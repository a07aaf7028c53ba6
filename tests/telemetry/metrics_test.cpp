#include "telemetry/fixture.hpp"
#include "telemetry/metric_table.hpp"

#include <cstdlib>
#include <ctime>
#include <set>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::telemetry::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

TEST(MetricTable, RowsStandWhereTheirIdsSay) {
  std::size_t i = 0;
  for (const auto& row : metric_table())
    EXPECT_EQ(static_cast<std::size_t>(row.id), i++) << row.name;
  EXPECT_EQ(describe(metric_id::process_max_fds).name, "process_max_fds");
}

TEST(MetricTable, CountersAndOnlyTheyEndInTotal) {
  for (const auto& row : metric_table()) {
    const bool total = row.name.size() > 6 && row.name.substr(row.name.size() - 6) == "_total";
    EXPECT_EQ(total, row.type == metric_type::counter) << row.name;
  }
}

TEST(MetricTable, EveryRowIsShownWithItsHelpTypeAndLabels) {
  kept t;
  tell_everything(*t.sut);
  const auto text = t.sut->metrics_text();
  for (const auto& row : metric_table()) {
    const std::string name(row.name);
    EXPECT_THAT(text, HasSubstr("# HELP " + name + " "));
    EXPECT_THAT(text, HasSubstr("# TYPE " + name + " " + to_string(row.type) + "\n"));
    const auto first = samples(text, row.type == metric_type::histogram ? name + "_count" : name);
    ASSERT_THAT(first, Not(IsEmpty())) << name;
    for (const auto label : row.labels)
      EXPECT_THAT(first.front(), HasSubstr(std::string(label) + "=\"")) << name;
  }
}

TEST(MetricTable, NothingIsShownThatItDoesNotName) {
  kept t;
  tell_everything(*t.sut);
  const auto text = t.sut->metrics_text();
  std::set<std::string> known;
  for (const auto& row : metric_table()) known.emplace(row.name);
  for (std::size_t i = 0; (i = text.find("# TYPE ", i)) != std::string::npos; ++i) {
    const auto name = text.substr(i + 7, text.find(' ', i + 7) - i - 7);
    EXPECT_EQ(known.count(name), 1U) << name;
  }
}

TEST(Metrics, PassesAreCountedByProjectAndResult) {
  kept t;
  t.sut->on_pass("a", reconcile::pass_result::converged, milliseconds{20});
  t.sut->on_pass("a", reconcile::pass_result::converged, milliseconds{30});
  t.sut->on_pass("a", reconcile::pass_result::failed, milliseconds{300});
  EXPECT_THAT(shown(t, "passes_total"),
              ElementsAre(R"(cml_reconciler_passes_total{project="a",result="converged"} 2)",
                          R"(cml_reconciler_passes_total{project="a",result="failed"} 1)"));
  EXPECT_THAT(shown(t, "pass_duration_seconds_count"),
              ElementsAre("cml_reconciler_pass_duration_seconds_count 3"));
  EXPECT_THAT(shown(t, "pass_duration_seconds_bucket"),
              AllOf(Contains(R"(cml_reconciler_pass_duration_seconds_bucket{le="0.025"} 1)"),
                    Contains(R"(cml_reconciler_pass_duration_seconds_bucket{le="+Inf"} 3)")));
}

TEST(Metrics, ActionsAreCountedByKindAndResult) {
  kept t;
  t.sut->on_write(written("a", "create_job", true));
  t.sut->on_write(written("a", "create_job", false));
  EXPECT_THAT(
      shown(t, "actions_total"),
      ElementsAre(
          R"(cml_reconciler_actions_total{action="create_job",project="a",result="failure"} 1)",
          R"(cml_reconciler_actions_total{action="create_job",project="a",result="success"} 1)"));
}

TEST(Metrics, CallsAreCountedByOperationAndCode) {
  kept t;
  t.sut->on_attempt("ListJobs", 200, milliseconds{30});
  t.sut->on_attempt("ListJobs", 0, milliseconds{30});
  t.sut->on_attempt("ListJobs", 99'999, milliseconds{30});
  EXPECT_THAT(
      shown(t, "api_calls_total"),
      ElementsAre(R"(cml_reconciler_api_calls_total{code="200",operation="ListJobs"} 1)",
                  R"(cml_reconciler_api_calls_total{code="none",operation="ListJobs"} 1)",
                  R"(cml_reconciler_api_calls_total{code="other",operation="ListJobs"} 1)"));
  EXPECT_THAT(
      shown(t, "api_call_duration_seconds_count"),
      ElementsAre(R"(cml_reconciler_api_call_duration_seconds_count{operation="ListJobs"} 3)"));
}

TEST(Metrics, RetriesAreCountedByWhatWentWrong) {
  kept t;
  t.sut->on_retry("ListJobs", milliseconds{1}, core::error(core::error_kind::server, "502"));
  ASSERT_EQ(shown(t, "api_retries_total").size(), 1U);
  EXPECT_EQ(shown(t, "api_retries_total").front(),
            std::string("cml_reconciler_api_retries_total{kind=\"") +
                core::to_string(core::error_kind::server) + "\",operation=\"ListJobs\"} 1");
}

TEST(Metrics, TimeOfTheRateLimitIsAddedUp) {
  kept t;
  t.sut->on_rate_limited(milliseconds{250});
  t.sut->on_rate_limited(milliseconds{500});
  EXPECT_THAT(shown(t, "rate_limit_wait_seconds_total"),
              ElementsAre("cml_reconciler_rate_limit_wait_seconds_total 0.75"));
}

TEST(Metrics, CircuitIsShownOpenAndClosed) {
  kept t;
  EXPECT_THAT(shown(t, "circuit_open"), ElementsAre("cml_reconciler_circuit_open 0"));
  t.sut->on_circuit(true, "502");
  EXPECT_THAT(shown(t, "circuit_open"), ElementsAre("cml_reconciler_circuit_open 1"));
  t.sut->on_circuit(false, "");
  EXPECT_THAT(shown(t, "circuit_open"), ElementsAre("cml_reconciler_circuit_open 0"));
}

TEST(Metrics, AProjectHasOneSeriesForEveryState) {
  kept t;
  t.sut->on_report(project_of("a", {}));
  EXPECT_THAT(
      shown(t, "project_state"),
      UnorderedElementsAre(R"(cml_reconciler_project_state{project="a",state="Converged"} 1)",
                           R"(cml_reconciler_project_state{project="a",state="Progressing"} 0)",
                           R"(cml_reconciler_project_state{project="a",state="Degraded"} 0)",
                           R"(cml_reconciler_project_state{project="a",state="Suspended"} 0)",
                           R"(cml_reconciler_project_state{project="a",state="Unreachable"} 0)"));
}

TEST(Metrics, InSyncHealthyAndReachableAreToldApart) {
  kept t;
  auto report = project_of("a", {});
  report.healthy = false;
  t.sut->on_report(report);
  EXPECT_THAT(shown(t, "project_in_sync"),
              ElementsAre(R"(cml_reconciler_project_in_sync{project="a"} 1)"));
  EXPECT_THAT(shown(t, "project_healthy"),
              ElementsAre(R"(cml_reconciler_project_healthy{project="a"} 0)"));
  EXPECT_THAT(shown(t, "project_reachable"),
              ElementsAre(R"(cml_reconciler_project_reachable{project="a"} 1)"));
}

TEST(Metrics, AJobHasTheSeriesOfItsStateAlone) {
  kept t;
  auto report = project_of("a", {"j"});
  t.sut->on_report(report);
  EXPECT_THAT(shown(t, "job_state"),
              ElementsAre(R"(cml_reconciler_job_state{project="a",job="j",state="UpToDate"} 1)"));
  report.jobs.own()[0].state = plan::job_state::failed;
  t.sut->on_report(report);
  EXPECT_THAT(shown(t, "job_state"),
              ElementsAre(R"(cml_reconciler_job_state{project="a",job="j",state="Failed"} 1)"));
}

TEST(Metrics, DifferencesOfProjectAndJobsAreCounted) {
  kept t;
  tell_everything(*t.sut);
  EXPECT_THAT(shown(t, "differences"),
              ElementsAre(R"(cml_reconciler_differences{project="ray-cluster",job=""} 1)",
                          R"(cml_reconciler_differences{project="ray-cluster",job="git_sync"} 1)",
                          R"(cml_reconciler_differences{project="ray-cluster",job="launch"} 0)"));
  EXPECT_THAT(shown(t, "unappliable"),
              ElementsAre(R"(cml_reconciler_unappliable{project="ray-cluster",job=""} 1)",
                          R"(cml_reconciler_unappliable{project="ray-cluster",job="git_sync"} 0)",
                          R"(cml_reconciler_unappliable{project="ray-cluster",job="launch"} 0)"));
  EXPECT_THAT(shown(t, "orphans"),
              ElementsAre(R"(cml_reconciler_orphans{project="ray-cluster"} 1)"));
}

TEST(Metrics, NewestSuccessAndDurationAreShownWhereThereIsOne) {
  kept t;
  tell_everything(*t.sut);
  const auto success = shown(t, "last_success_timestamp_seconds");
  ASSERT_EQ(success.size(), 1U);
  EXPECT_THAT(success.front(), HasSubstr(R"({project="ray-cluster",job="git_sync"} )"));
  EXPECT_DOUBLE_EQ(std::atof(success.front().substr(success.front().find('}') + 2).c_str()),
                   1767322800.5);
  EXPECT_THAT(shown(t, "last_run_duration_seconds"),
              ElementsAre(R"(cml_reconciler_last_run_duration_seconds)"
                          R"({project="ray-cluster",job="git_sync"} 60.5)"));
}

cml::run ended(const std::string& id, cml::run_state state) {
  cml::run run;
  run.id = id;
  run.state = state;
  return run;
}

TEST(Metrics, RunsAreCountedByOutcomeOnceEach) {
  kept t;
  auto report = project_of("a", {"j"});
  t.sut->on_report(report);
  report.jobs.own()[0].last_run = ended("r1", cml::run_state::failed);
  t.sut->on_report(report);
  t.sut->on_report(report);
  report.jobs.own()[0].last_run = ended("r2", cml::run_state::succeeded);
  t.sut->on_report(report);
  const std::string failed = cml::to_string(cml::run_state::failed);
  const std::string succeeded = cml::to_string(cml::run_state::succeeded);
  EXPECT_THAT(
      shown(t, "runs_total"),
      UnorderedElementsAre(
          R"(cml_reconciler_runs_total{job="j",outcome=")" + failed + "\",project=\"a\"} 1",
          R"(cml_reconciler_runs_total{job="j",outcome=")" + succeeded + "\",project=\"a\"} 1"));
}

TEST(Metrics, RunsThatEndedBeforeTheFirstReportAreNotCounted) {
  kept t;
  auto report = project_of("a", {"j"});
  report.jobs.own()[0].last_run = ended("r1", cml::run_state::succeeded);
  t.sut->on_report(report);
  t.sut->on_report(report);
  EXPECT_THAT(shown(t, "runs_total"), IsEmpty());
}

TEST(Metrics, RunsFoundWhenAJobIsFirstLookedAtAreNotCounted) {
  kept t;
  auto report = project_of("a", {"j"});
  report.jobs.own()[0].state = plan::job_state::unknown;
  t.sut->on_report(report);
  report.jobs.own()[0].state = plan::job_state::up_to_date;
  report.jobs.own()[0].last_run = ended("r1", cml::run_state::succeeded);
  t.sut->on_report(report);
  EXPECT_THAT(shown(t, "runs_total"), IsEmpty());
}

TEST(Metrics, RunsOfAJobThatHasGoneHaveNoSeries) {
  kept t;
  auto report = project_of("a", {"j", "k"});
  t.sut->on_report(report);
  report.jobs.own()[0].last_run = ended("r1", cml::run_state::succeeded);
  t.sut->on_report(report);
  ASSERT_EQ(shown(t, "runs_total").size(), 1U);
  report.jobs.own().erase(report.jobs.begin());
  t.sut->on_report(report);
  EXPECT_THAT(shown(t, "runs_total"), IsEmpty());
}

TEST(Metrics, RunsOfAJobWithoutARoomShareASeries) {
  options o;
  o.most_series = 1;
  kept t(o);
  auto report = project_of("a", {"j"});
  t.sut->on_report(report);
  report.jobs.own()[0].last_run = ended("r1", cml::run_state::succeeded);
  t.sut->on_report(report);
  ASSERT_EQ(shown(t, "runs_total").size(), 1U);
  EXPECT_THAT(shown(t, "runs_total").front(), HasSubstr(R"(job="_other")"));
}

TEST(Metrics, DriftIsCountedWhenItAppears) {
  kept t;
  auto report = project_of("a", {"j"});
  report.jobs.own()[0].differences.push_back({"cpu", "1", "2", false, ""});
  t.sut->on_report(report);
  t.sut->on_report(report);
  EXPECT_THAT(shown(t, "drift_total"),
              ElementsAre(R"(cml_reconciler_drift_total{field="cpu",kind="job",project="a"} 1)"));
  report.jobs.own()[0].differences[0].live = "3";
  report.differences.push_back({"visibility", "public", "private", false, ""});
  t.sut->on_report(report);
  EXPECT_THAT(
      shown(t, "drift_total"),
      ElementsAre(
          R"(cml_reconciler_drift_total{field="cpu",kind="job",project="a"} 2)",
          R"(cml_reconciler_drift_total{field="visibility",kind="project",project="a"} 1)"));
}

TEST(Metrics, SuspendedJobsAreCounted) {
  kept t;
  auto report = project_of("a", {"j", "k"});
  report.jobs.own()[1].state = plan::job_state::suspended;
  t.sut->on_report(report);
  EXPECT_THAT(shown(t, "suspended_jobs"),
              ElementsAre(R"(cml_reconciler_suspended_jobs{project="a"} 1)"));
}

TEST(Metrics, ReloadsAreCountedAndTheLastGoodOneRemembered) {
  kept t;
  const auto started = shown(t, "config_last_reload_success_timestamp_seconds");
  t.now += std::chrono::hours{1};
  t.sut->on_reload(false, "bad");
  EXPECT_THAT(shown(t, "config_last_reload_successful"),
              ElementsAre("cml_reconciler_config_last_reload_successful 0"));
  EXPECT_EQ(shown(t, "config_last_reload_success_timestamp_seconds"), started);
  t.sut->on_reload(true, "good");
  EXPECT_THAT(shown(t, "config_last_reload_successful"),
              ElementsAre("cml_reconciler_config_last_reload_successful 1"));
  EXPECT_NE(shown(t, "config_last_reload_success_timestamp_seconds"), started);
  EXPECT_THAT(shown(t, "config_reloads_total"),
              ElementsAre(R"(cml_reconciler_config_reloads_total{result="failure"} 1)",
                          R"(cml_reconciler_config_reloads_total{result="success"} 1)"));
}

TEST(Metrics, TheWorstOfTheLastBeatsIsShown) {
  kept t;
  t.sut->on_loop_lag(milliseconds{500});
  for (int i = 0; i < 59; ++i) t.sut->on_loop_lag(milliseconds{2});
  EXPECT_THAT(shown(t, "event_loop_lag_seconds"),
              ElementsAre("cml_reconciler_event_loop_lag_seconds 0.5"));
  t.sut->on_loop_lag(milliseconds{2});
  EXPECT_THAT(shown(t, "event_loop_lag_seconds"),
              ElementsAre("cml_reconciler_event_loop_lag_seconds 0.002"));
}

TEST(Metrics, VersionIsALabel) {
  options o;
  o.version = "1.2.3";
  kept t(o);
  EXPECT_THAT(shown(t, "build_info"),
              ElementsAre(R"(cml_reconciler_build_info{version="1.2.3"} 1)"));
}

double only_value(const kept& t, const std::string& name) {
  const auto found = samples(t.sut->metrics_text(), name);
  if (found.size() != 1U) return -1;
  return std::atof(found.front().substr(found.front().find(' ') + 1).c_str());
}

TEST(Metrics, TheProcessIsDescribed) {
  kept t;
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_NEAR(only_value(t, "process_start_time_seconds"), now, 300);
  EXPECT_GE(only_value(t, "process_cpu_seconds_total"), 0);
  EXPECT_GT(only_value(t, "process_resident_memory_bytes"), 1e6);
  EXPECT_GE(only_value(t, "process_virtual_memory_bytes"),
            only_value(t, "process_resident_memory_bytes"));
  EXPECT_GT(only_value(t, "process_max_fds"), 3);
}

TEST(Metrics, OpenDescriptorsAreCountedWithoutTheCountItself) {
  kept t;
  const auto before = only_value(t, "process_open_fds");
  const int extra = ::dup(0);
  EXPECT_EQ(only_value(t, "process_open_fds"), before + 1);
  ::close(extra);
}

TEST(Metrics, ValuesOfLabelsAreEscaped) {
  kept t;
  t.sut->on_pass("a\"b\\c\nd\xff", reconcile::pass_result::converged, milliseconds{1});
  EXPECT_THAT(shown(t, "passes_total"),
              ElementsAre("cml_reconciler_passes_total{project=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD\","
                          "result=\"converged\"} 1"));
}

TEST(Metrics, FamiliesStandInOrder) {
  kept t;
  tell_everything(*t.sut);
  const auto text = t.sut->metrics_text();
  std::string last;
  for (std::size_t i = 0; (i = text.find("# TYPE ", i)) != std::string::npos; ++i) {
    const auto name = text.substr(i + 7, text.find(' ', i + 7) - i - 7);
    EXPECT_LT(last, name);
    last = name;
  }
}

}  // namespace
}  // namespace cmlrec::telemetry::testing
