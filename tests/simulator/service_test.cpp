// Faults, the ledger, people, saved state and scripts.
#include "simulator/cron.hpp"
#include "simulator/fixture.hpp"
#include "simulator/script.hpp"

#include <cstdio>
#include <fstream>
#include <unistd.h>

namespace cmlrec::simulator {
namespace {

class SimulatorFaults : public simulator_test {
 protected:
  void order(const std::string& body) { ASSERT_EQ(post("/-/faults", body).status, 200); }
  std::size_t projects() { return get("/api/v2/projects")["projects"].as_array().size(); }
  response create() { return post("/api/v2/projects", R"({"name":"demo"})"); }
};

TEST_F(SimulatorFaults, LostBeforeDoesNothing) {
  order(R"({"operation":"CreateProject","fault":"lost_before"})");
  EXPECT_EQ(create().how, delivery::close);
  EXPECT_EQ(projects(), 0U);
}

TEST_F(SimulatorFaults, LostAfterHasDoneIt) {
  order(R"({"operation":"CreateProject","fault":"lost_after"})");
  EXPECT_EQ(create().how, delivery::close);
  EXPECT_EQ(projects(), 1U);
}

TEST_F(SimulatorFaults, LateCommitIsDoneAfterTheGatewayGaveUp) {
  order(R"({"operation":"CreateProject","fault":"late_commit","count":1,"delay_seconds":30})");
  const auto r = create();
  EXPECT_EQ(r.status, 500);
  EXPECT_EQ(r.message(), "failed to forward request: context deadline exceeded");
  pass(29);
  EXPECT_EQ(projects(), 0U);
  pass(1);
  EXPECT_EQ(projects(), 1U);
  EXPECT_EQ(get("/api/v2/projects")["projects"].at(0).at("created_at").as_string(),
            "2026-01-05T10:00:30.000Z");
}

TEST_F(SimulatorFaults, CountIsHowOftenItHappens) {
  order(R"({"operation":"reads","fault":"unavailable","count":2})");
  EXPECT_EQ(get("/api/v2/projects").status, 503);
  EXPECT_EQ(create().status, 200);
  EXPECT_EQ(get("/api/v2/projects").status, 503);
  EXPECT_EQ(get("/api/v2/projects").status, 200);
}

TEST_F(SimulatorFaults, ErrorAfterAnswers500AndDeletes) {
  const auto made = create();
  order(R"({"operation":"DeleteProject","fault":"error_after"})");
  EXPECT_EQ(remove("/api/v2/projects/" + made.text("id")).status, 500);
  EXPECT_EQ(projects(), 0U);
}

TEST_F(SimulatorFaults, ThrottlingSaysWhenToComeBack) {
  order(R"({"fault":"throttled","retry_after_seconds":7})");
  request r{"GET", "/api/v2/projects", "Bearer " + std::string(test_key), ""};
  const auto answer = sim_->handle(r);
  EXPECT_EQ(answer.status, 429);
  ASSERT_EQ(answer.headers.size(), 1U);
  EXPECT_EQ(answer.headers[0].second, "7");
}

TEST_F(SimulatorFaults, LoginPageIsHtml) {
  order(R"({"fault":"html"})");
  request r{"GET", "/api/v2/projects", "Bearer " + std::string(test_key), ""};
  const auto answer = sim_->handle(r);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.content_type.starts_with("text/html"));
}

TEST_F(SimulatorFaults, RandomOnesAreTheSameForASeed) {
  const auto statuses = [](std::uint64_t seed) {
    fault_source source(seed);
    EXPECT_FALSE(source.set_rates("unavailable=30,lost_after=20"));
    std::string out;
    for (int i = 0; i < 200; ++i) {
      const auto f = source.next("ListJobs", false);
      out += f ? to_string(f->kind)[0] : '.';
    }
    return out;
  };
  EXPECT_EQ(statuses(7), statuses(7));
  EXPECT_NE(statuses(7), statuses(8));
  EXPECT_NE(statuses(7).find('u'), std::string::npos);
  EXPECT_NE(statuses(7).find('.'), std::string::npos);
}

TEST_F(SimulatorFaults, UnknownOnesAreRefusedWithTheKnown) {
  const auto r = post("/-/faults", R"({"fault":"rain"})");
  EXPECT_EQ(r.status, 400);
  EXPECT_NE(r.message().find("late_commit"), std::string::npos);
  fault_source source;
  EXPECT_TRUE(source.set_rates("lost_after"));
  EXPECT_TRUE(source.set_rates("lost_after=101"));
  EXPECT_TRUE(source.set_rates("lost_after=60,hang=60"));
}

TEST_F(SimulatorFaults, ClearEndsThem) {
  order(R"({"fault":"hang","count":100})");
  EXPECT_EQ(remove("/-/faults")["waiting"].as_array().size(), 0U);
  EXPECT_EQ(get("/api/v2/projects").status, 200);
}

class SimulatorLedger : public simulator_test {};

TEST_F(SimulatorLedger, CountsCallsWritesAndRefusals) {
  ready_project();
  make_job("a");
  get(jobs);
  get(jobs + "/short");
  const auto l = ledger_now();
  EXPECT_EQ(l.at("calls").at("CreateJob").to_number<int>(), 1);
  EXPECT_EQ(l.at("calls").at("ListJobs").to_number<int>(), 1);
  EXPECT_EQ(l.at("writes").to_number<int>(), 2);
  EXPECT_EQ(l.at("rejected").to_number<int>(), 1);
  EXPECT_EQ(l.at("created").at("jobs").at(0).at("name").as_string(), "a");
}

TEST_F(SimulatorLedger, ValidatingAKeyIsNoWrite) {
  post("/api/v2/auth/validate_key", R"({"audience":"API"})");
  EXPECT_EQ(ledger_now().at("writes").to_number<int>(), 0);
}

TEST_F(SimulatorLedger, FollowsTheStatusOfRuns) {
  ready_project();
  start_run(make_job("a"));
  EXPECT_EQ(ledger_now().at("runs").at(0).at("status").as_string(), "ENGINE_SCHEDULING");
  pass(60);
  EXPECT_EQ(ledger_now().at("runs").at(0).at("status").as_string(), "ENGINE_SUCCEEDED");
}

TEST_F(SimulatorLedger, ResetForgetsRunsThatGoOn) {
  ready_project();
  start_run(make_job("a"));
  post("/-/ledger/reset", "");
  pass(60);
  EXPECT_TRUE(ledger_now().at("runs").as_array().empty());
}

class SimulatorPeople : public simulator_test {
 protected:
  void SetUp() override {
    start();
    ready_project();
    job = make_job("a");
  }
  std::string job;
};

TEST_F(SimulatorPeople, EditAnyField) {
  pass(1);
  const auto r = post("/-/edit", R"({"project":"demo","job":"a","fields":{"cpu":4,"paused":true,)"
                                 R"("timeout":60,"environment":{"A":"b"}}})");
  ASSERT_EQ(r.status, 200) << r.message();
  const auto read = get(jobs + "/" + job);
  EXPECT_EQ(read["cpu"].to_number<double>(), 4);
  EXPECT_TRUE(read["paused"].as_bool());
  EXPECT_EQ(read.text("timeout"), "60");
  EXPECT_EQ(read.text("environment"), R"({"A":"b"})");
  EXPECT_EQ(read.text("updated_at"), "2026-01-05T10:00:32.000Z");
}

TEST_F(SimulatorPeople, BadEditChangesNothing) {
  EXPECT_EQ(post("/-/edit", R"({"job":"a","fields":{"cpu":4,"colour":"red"}})").status, 400);
  EXPECT_EQ(get(jobs + "/" + job)["cpu"].to_number<double>(), 1);
}

TEST_F(SimulatorPeople, RunAndStopAJob) {
  EXPECT_EQ(post("/-/run", R"({"job":"a"})").status, 200);
  EXPECT_EQ(ledger_now().at("runs_by_cause").at("manual").to_number<int>(), 1);
  EXPECT_EQ(post("/-/stop", R"({"job":"a"})").status, 200);
  pass(2);
  EXPECT_EQ(history(job), "STOPPED");
}

TEST_F(SimulatorPeople, DeleteAJob) {
  EXPECT_EQ(post("/-/delete-job", R"({"project":"demo","job":"a"})").status, 200);
  EXPECT_EQ(get(jobs + "/" + job).status, 404);
}

TEST_F(SimulatorPeople, TwoJobsOfOneNameMustBeToldApart) {
  make_job("a");
  EXPECT_EQ(post("/-/run", R"({"job":"a"})").status, 400);
  EXPECT_EQ(post("/-/run", R"({"job":")" + job + "\"}").status, 200);
}

TEST_F(SimulatorPeople, TimeCanBeMoved) {
  const auto before = get("/-/time").text("now");
  EXPECT_EQ(post("/-/time", R"({"advance_seconds":60})").status, 200);
  EXPECT_NE(get("/-/time").text("now"), before);
  EXPECT_EQ(post("/-/time", R"({"advance_seconds":-1})").status, 400);
}

class SimulatorState : public simulator_test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "cml-simulator-state-" + std::to_string(::getpid()) + ".json";
    std::remove(path_.c_str());
    open();
  }
  void TearDown() override { std::remove(path_.c_str()); }
  void open() {
    start();
    const auto problem = sim_->use_state_file(path_, fresh_);
    ASSERT_FALSE(problem) << *problem;
  }
  std::string path_;
  bool fresh_ = true;
};

TEST_F(SimulatorState, SurvivesARestartInTheMiddleOfARun) {
  EXPECT_TRUE(fresh_);
  ready_project();
  const auto a = make_job("a", R"(,"cpu":2)");
  const auto b = make_job("b", R"(,"parent_id":")" + a + "\"");
  start_run(a);
  const auto before = get(jobs).body;
  open();
  EXPECT_FALSE(fresh_);
  EXPECT_EQ(get(jobs).body, before);
  EXPECT_EQ(history(a), "SCHEDULING");
  pass(3600);
  EXPECT_EQ(history(b), "SUCCEEDED");
}

TEST_F(SimulatorState, IdsGoOnAfterARestart) {
  ready_project();
  const auto a = make_job("a");
  open();
  EXPECT_NE(make_job("b"), a);
}

TEST_F(SimulatorState, TimeNeverGoesBack) {
  ready_project();
  make_job("a");
  const auto before = clock_.now();
  clock_.start_at(*core::parse_timestamp("2026-01-05T10:00:00Z"));
  open();
  EXPECT_EQ(clock_.now(), before);
}

TEST_F(SimulatorState, DamagedFileIsRefused) {
  std::ofstream(path_) << "{\"format\":1}";
  start();
  const auto problem = sim_->use_state_file(path_, fresh_);
  ASSERT_TRUE(problem);
  EXPECT_NE(problem->find(path_), std::string::npos);
}

class SimulatorScript : public simulator_test {
 protected:
  std::optional<std::string> run_script(const std::string& text) {
    rules how;
    script s;
    if (const auto problem = read_script(text, how, s)) return problem;
    start(how);
    if (const auto problem = sim_->add_initial(s.initial)) return problem;
    sim_->schedule(std::move(s.actions));
    const auto listed = get("/api/v2/projects");
    if (!listed["projects"].as_array().empty()) {
      project = listed["projects"].at(0).at("id").as_string();
      jobs = "/api/v2/projects/" + project + "/jobs";
    }
    return std::nullopt;
  }
  std::string id_of(const std::string& name) {
    const auto listed = get(jobs);
    for (const auto& j : listed["jobs"].as_array())
      if (j.at("name").as_string() == name) return std::string(j.at("id").as_string());
    return {};
  }
};

constexpr const char* one_job = R"("state":{"projects":[{"name":"demo","created_at":"-2d","jobs":[
  {"name":"a","script":"a.py","runs":[
    {"status":"ENGINE_FAILED","created_at":"-3h"},
    {"status":"ENGINE_SUCCEEDED","created_at":"-2h","finished_at":"-1h"}]},
  {"name":"b","script":"b.py","parent":"a"}]}]})";

TEST_F(SimulatorScript, ObjectsAreThereFromTheStart) {
  const auto problem = run_script(std::string("{") + one_job + "}");
  ASSERT_FALSE(problem) << *problem;
  EXPECT_EQ(history(id_of("a")), "SUCCEEDED FAILED");
  EXPECT_EQ(get(jobs + "/" + id_of("b")).text("parent_id"), id_of("a"));
  const auto newest = get(runs_of(id_of("a")) + "?sort=-created_at");
  EXPECT_EQ(newest["job_runs"].at(0).at("finished_at").as_string(), "2026-01-05T09:00:00.000Z");
  EXPECT_TRUE(ledger_now().at("runs").as_array().empty());
  EXPECT_EQ(start_run(id_of("a")).status, 200);
}

TEST_F(SimulatorScript, OutcomesAreByJobAndNumber) {
  const auto problem = run_script(
      R"({"jobs":{"a":{"running_seconds":100,"outcome":"failed","runs":[{"number":3,"outcome":"succeeded"}]}},)" +
      std::string(one_job) + "}");
  ASSERT_FALSE(problem) << *problem;
  start_run(id_of("a"));
  pass(107);
  EXPECT_TRUE(history(id_of("a")).starts_with("RUNNING"));
  pass(1);
  EXPECT_TRUE(history(id_of("a")).starts_with("SUCCEEDED"));
  start_run(id_of("a"));
  pass(200);
  EXPECT_TRUE(history(id_of("a")).starts_with("FAILED"));
}

TEST_F(SimulatorScript, PeopleActAtTheirTime) {
  const auto problem =
      run_script(R"({"actions":[{"after_seconds":60,"do":"edit","job":"a","fields":{"cpu":8}},)"
                 R"({"after_seconds":90,"do":"delete-job","job":"b"}],)" +
                 std::string(one_job) + "}");
  ASSERT_FALSE(problem) << *problem;
  pass(59);
  EXPECT_EQ(get(jobs + "/" + id_of("a"))["cpu"].to_number<double>(), 1);
  pass(31);
  EXPECT_EQ(get(jobs + "/" + id_of("a"))["cpu"].to_number<double>(), 8);
  EXPECT_EQ(id_of("b"), "");
}

TEST_F(SimulatorScript, MistakesAreNamedWithTheirPlace) {
  EXPECT_EQ(run_script(R"({"jobs":{"a":{"outcome":"great"}}})").value_or("").substr(0, 15),
            "jobs.a.outcome:");
  EXPECT_EQ(run_script(R"({"job":{}})").value_or("").substr(0, 4), "job:");
  EXPECT_TRUE(run_script(R"({"actions":[{"do":"sleep"}]})"));
  EXPECT_TRUE(run_script(R"({"state":{"projects":[{"name":"x","colour":"red"}]}})"));
  EXPECT_TRUE(run_script("{"));
}

std::string next_of(const char* text, const char* after) {
  const auto parsed = cron::parse(text);
  if (!parsed) return "malformed";
  const auto at = parsed->next(*core::parse_timestamp(after));
  return at ? core::format_timestamp(*at).substr(0, 16) : "never";
}

TEST(SimulatorCron, FindsTheNextMinute) {
  EXPECT_EQ(next_of("* * * * *", "2026-01-05T10:00:00Z"), "2026-01-05T10:01");
  EXPECT_EQ(next_of("*/15 * * * *", "2026-01-05T10:46:00Z"), "2026-01-05T11:00");
  EXPECT_EQ(next_of("0 13 * * 1", "2026-01-05T13:00:00Z"), "2026-01-12T13:00");
  EXPECT_EQ(next_of("0 0 29 feb *", "2026-01-05T10:00:00Z"), "2028-02-29T00:00");
  EXPECT_EQ(next_of("30 8 * * 7", "2026-01-05T10:00:00Z"), "2026-01-11T08:30");
  EXPECT_EQ(next_of("0 0 1 * mon", "2026-01-05T10:00:00Z"), "2026-01-12T00:00");
  EXPECT_EQ(next_of("@daily", "2026-01-05T10:00:00Z"), "2026-01-06T00:00");
  EXPECT_EQ(next_of("0 0 31 feb *", "2026-01-05T10:00:00Z"), "never");
}

TEST(SimulatorCron, RefusesWhatIsNoSchedule) {
  for (const char* wrong : {"", "often", "* * * *", "60 * * * *", "* 24 * * *", "5-1 * * * *",
                            "*/0 * * * *", "* * 0 * *", "* * * 13 *", "* * * * 8"})
    EXPECT_EQ(next_of(wrong, "2026-01-05T10:00:00Z"), "malformed") << wrong;
}

}  // namespace
}  // namespace cmlrec::simulator
