#include "simulator/fixture.hpp"

namespace cmlrec::simulator {
namespace {

class SimulatorRuns : public simulator_test {
 protected:
  void SetUp() override { start_with({}); }
  void start_with(rules how) {
    start(std::move(how));
    ready_project();
  }
  std::string child_of(const std::string& parent, const std::string& name) {
    return make_job(name, R"(,"parent_id":")" + parent + "\"");
  }
  int ledger_count(std::string_view name) { return ledger_now().at(name).to_number<int>(); }
  int caused_by(std::string_view cause) {
    return ledger_now().at("runs_by_cause").at(cause).to_number<int>();
  }
};

TEST_F(SimulatorRuns, GoThroughTheirPhases) {
  const auto job = make_job("a");
  const auto made = start_run(job);
  EXPECT_EQ(made.text("status"), "ENGINE_SCHEDULING");
  pass(5);
  EXPECT_EQ(history(job), "STARTING");
  pass(3);
  EXPECT_EQ(history(job), "RUNNING");
  pass(39);
  EXPECT_EQ(history(job), "RUNNING");
  pass(1);
  EXPECT_EQ(history(job), "SUCCEEDED");
}

TEST_F(SimulatorRuns, StampsAreThoseOfTheirPhasesHoweverLateOneLooks) {
  const auto job = make_job("a");
  const auto id = start_run(job).text("id");
  pass(3600);
  const auto r = get(runs_of(job) + "/" + id);
  EXPECT_EQ(r.text("created_at"), "2026-01-05T10:00:31.000Z");
  EXPECT_EQ(r.text("scheduling_at"), "2026-01-05T10:00:31.000Z");
  EXPECT_EQ(r.text("starting_at"), "2026-01-05T10:00:36.000Z");
  EXPECT_EQ(r.text("running_at"), "2026-01-05T10:00:39.000Z");
  EXPECT_EQ(r.text("finished_at"), "2026-01-05T10:01:19.000Z");
}

TEST_F(SimulatorRuns, EchoEnvironmentAndArguments) {
  const auto r = post(runs_of(make_job("a")), R"({"environment":{"A":"b"},"arguments":"-x"})");
  EXPECT_EQ(r.text("environment"), R"({"A":"b"})");
  EXPECT_EQ(r.text("arguments"), "-x");
}

TEST_F(SimulatorRuns, TakeSizesFromTheirJobOnce) {
  const auto job = make_job("a", R"(,"cpu":2)");
  const auto id = start_run(job).text("id");
  patch(jobs + "/" + job, R"({"cpu":4})");
  EXPECT_EQ(get(runs_of(job) + "/" + id)["cpu"].to_number<double>(), 2);
}

TEST_F(SimulatorRuns, SecondOneOfAJobIsRejected) {
  const auto job = make_job("a");
  start_run(job);
  const auto r = start_run(job);
  EXPECT_EQ(r.status, 400);
  EXPECT_EQ(r["code"].as_int64(), 9);
  EXPECT_EQ(r.message(), "job run for job ID already active");
  EXPECT_EQ(history(job), "SCHEDULING");
}

TEST_F(SimulatorRuns, SecondOneMayBeRejectedAndLeaveASkippedOne) {
  rules how;
  how.busy = busy_policy::reject_and_skip;
  start_with(how);
  const auto job = make_job("a");
  start_run(job);
  pass(1);
  EXPECT_EQ(start_run(job).status, 400);
  EXPECT_EQ(history(job), "SKIPPED SCHEDULING");
}

TEST_F(SimulatorRuns, SecondOneMayBeAnsweredWithASkippedOne) {
  rules how;
  how.busy = busy_policy::skip;
  start_with(how);
  const auto job = make_job("a");
  start_run(job);
  const auto r = start_run(job);
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.text("status"), "ENGINE_SKIPPED");
  pass(60);
  EXPECT_EQ(start_run(job).text("status"), "ENGINE_SCHEDULING");
  EXPECT_EQ(ledger_count("runs_skipped"), 1);
  EXPECT_EQ(caused_by("api"), 2);
}

TEST_F(SimulatorRuns, DependentStartsAfterItsParentsSuccess) {
  const auto a = make_job("a");
  const auto b = child_of(a, "b");
  start_run(a);
  pass(48);
  EXPECT_EQ(history(b), "");
  pass(2);
  EXPECT_EQ(history(b), "SCHEDULING");
  EXPECT_EQ(caused_by("dependency"), 1);
  EXPECT_EQ(ledger_count("children_triggered_early"), 0);
}

TEST_F(SimulatorRuns, WholeChainRunsInOneLeapOfTime) {
  const auto a = make_job("a");
  const auto b = child_of(a, "b");
  const auto c = child_of(b, "c");
  start_run(a);
  pass(3600);
  EXPECT_EQ(history(c), "SUCCEEDED");
}

TEST_F(SimulatorRuns, DependentDoesNotStartAfterAFailure) {
  rules how;
  how.jobs["a"].every.ends = outcome::failed;
  start_with(how);
  const auto a = make_job("a");
  const auto b = child_of(a, "b");
  start_run(a);
  pass(3600);
  EXPECT_EQ(history(a), "FAILED");
  EXPECT_EQ(history(b), "");
}

TEST_F(SimulatorRuns, DependentWaitsForACallWithoutAutoStart) {
  rules how;
  how.auto_start = false;
  start_with(how);
  const auto a = make_job("a");
  const auto b = child_of(a, "b");
  start_run(a);
  pass(3600);
  EXPECT_EQ(history(b), "");
}

TEST_F(SimulatorRuns, ChildTriggeredBeforeItsParentSucceededIsCounted) {
  const auto a = make_job("a");
  const auto b = child_of(a, "b");
  start_run(b);
  EXPECT_EQ(ledger_count("children_triggered_early"), 1);
}

TEST_F(SimulatorRuns, ChildTriggeredWhileCmlIsAboutToStartItIsCounted) {
  const auto a = make_job("a");
  const auto b = child_of(a, "b");
  start_run(a);
  pass(49);
  start_run(b);
  EXPECT_EQ(ledger_count("children_triggered_early"), 1);
}

TEST_F(SimulatorRuns, EndWithTheTimeoutOnlyIfItKills) {
  const auto mild = make_job("mild", R"(,"timeout":10)");
  const auto hard = make_job("hard", R"(,"timeout":10,"kill_on_timeout":true)");
  start_run(mild);
  start_run(hard);
  pass(18);
  EXPECT_EQ(history(mild), "RUNNING");
  EXPECT_EQ(history(hard), "TIMEDOUT");
}

TEST_F(SimulatorRuns, TimeoutCanCountMinutes) {
  rules how;
  how.timeout_in_minutes = true;
  start_with(how);
  const auto job = make_job("a", R"(,"timeout":1,"kill_on_timeout":true)");
  start_run(job);
  pass(60);
  EXPECT_EQ(history(job), "SUCCEEDED");
}

TEST_F(SimulatorRuns, StopGoesOverStopping) {
  const auto job = make_job("a");
  const auto id = start_run(job).text("id");
  pass(10);
  const auto r = post(runs_of(job) + "/" + id + ":stop", "");
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.text("status"), "ENGINE_STOPPING");
  pass(2);
  EXPECT_EQ(history(job), "STOPPED");
}

TEST_F(SimulatorRuns, StoppingAFinishedOneIs400) {
  const auto job = make_job("a");
  const auto id = start_run(job).text("id");
  pass(60);
  EXPECT_EQ(post(runs_of(job) + "/" + id + ":stop", "").status, 400);
}

TEST_F(SimulatorRuns, MayNeverBeScheduledAndCanBeStopped) {
  rules how;
  how.jobs["a"].every.ends = outcome::never_scheduled;
  start_with(how);
  const auto job = make_job("a");
  const auto id = start_run(job).text("id");
  pass(86'400);
  EXPECT_EQ(history(job), "SCHEDULING");
  post(runs_of(job) + "/" + id + ":stop", "");
  pass(2);
  EXPECT_EQ(history(job), "STOPPED");
}

TEST_F(SimulatorRuns, MayHaveAnOddStatusAndStayActive) {
  rules how;
  how.jobs["a"].every.ends = outcome::odd_word;
  how.jobs["a"].every.word = "ENGINE_PREEMPTED";
  start_with(how);
  const auto job = make_job("a");
  start_run(job);
  pass(3600);
  EXPECT_EQ(history(job), "PREEMPTED");
  EXPECT_EQ(start_run(job).status, 400);
}

TEST_F(SimulatorRuns, FirstOnesFailAsTold) {
  rules how;
  how.jobs["a"].fail_first = 2;
  start_with(how);
  const auto job = make_job("a");
  for (int i = 0; i < 3; ++i) {
    start_run(job);
    pass(60);
  }
  EXPECT_EQ(history(job), "SUCCEEDED FAILED FAILED");
}

TEST_F(SimulatorRuns, OneNumberCanBeScriptedApart) {
  rules how;
  how.jobs["demo/a"].by_number[2].ends = outcome::timedout;
  how.jobs["demo/a"].by_number[2].running = std::chrono::seconds{1};
  start_with(how);
  const auto job = make_job("a");
  start_run(job);
  pass(60);
  start_run(job);
  pass(9);
  EXPECT_EQ(history(job), "TIMEDOUT SUCCEEDED");
}

TEST_F(SimulatorRuns, StartByScheduleUnlessPaused) {
  const auto on = make_job("on", R"(,"schedule":"*/10 * * * *")");
  const auto off = make_job("off", R"(,"schedule":"*/10 * * * *","paused":true)");
  pass(25 * 60);
  EXPECT_EQ(history(on), "SUCCEEDED SUCCEEDED");
  EXPECT_EQ(history(off), "");
  EXPECT_EQ(caused_by("schedule"), 2);
}

TEST_F(SimulatorRuns, ScheduledWhileBusyIsSkipped) {
  rules how;
  how.jobs["a"].every.running = std::chrono::minutes{15};
  start_with(how);
  const auto job = make_job("a", R"(,"schedule":"*/10 * * * *")");
  pass(20 * 60);
  EXPECT_EQ(history(job), "SKIPPED RUNNING");
}

TEST_F(SimulatorRuns, AreRetriedByTheWorkspaceWhereTheJobSaysSo) {
  rules how;
  how.jobs["a"].every.ends = outcome::failed;
  start_with(how);
  const auto job = make_job("a", R"(,"retry_enabled":true,"max_retry":2,"retry_delay":30)");
  start_run(job);
  pass(48 + 29);
  EXPECT_EQ(history(job), "FAILED");
  pass(3600);
  EXPECT_EQ(history(job), "FAILED FAILED FAILED");
  EXPECT_EQ(caused_by("retry"), 2);
}

}  // namespace
}  // namespace cmlrec::simulator
