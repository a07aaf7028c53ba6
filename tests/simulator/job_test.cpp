#include "simulator/fixture.hpp"

namespace cmlrec::simulator {
namespace {

class SimulatorJobs : public simulator_test {
 protected:
  void SetUp() override {
    start();
    ready_project();
  }
  response edit(const std::string& job, const std::string& body) {
    return patch(jobs + "/" + job, body);
  }
  response read(const std::string& job) { return get(jobs + "/" + job); }
  static std::size_t addons(const response& r) {
    return r["runtime_addon_identifiers"].as_array().size();
  }
};

TEST_F(SimulatorJobs, MayShareAName) {
  make_job("a");
  make_job("a");
  EXPECT_EQ(get(jobs)["jobs"].as_array().size(), 2U);
  EXPECT_EQ(ledger_now().at("duplicate_names").to_number<int>(), 1);
}

TEST_F(SimulatorJobs, NeedARuntimeInARuntimeProject) {
  EXPECT_EQ(post(jobs, R"({"name":"a","script":"a.py"})").status, 400);
}

TEST_F(SimulatorJobs, RefuseAKernelOnCreateAndTakeItOnPatch) {
  EXPECT_EQ(
      post(jobs, R"({"name":"a","script":"a.py","runtime_identifier":"i","kernel":"python3"})")
          .status,
      400);
  const auto job = make_job("a");
  EXPECT_EQ(edit(job, R"({"kernel":"python3"})").text("kernel"), "python3");
}

TEST_F(SimulatorJobs, NeedNoRuntimeInALegacyProject) {
  const auto made =
      post("/api/v2/projects", R"({"name":"old","default_project_engine_type":"legacy_engine"})");
  pass(31);
  const auto r = post("/api/v2/projects/" + made.text("id") + "/jobs",
                      R"({"name":"a","script":"a.py","kernel":"python3"})");
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(addons(r), 0U);
}

TEST_F(SimulatorJobs, HaveTheDefaultsOfTheServer) {
  const auto r = read(make_job("a"));
  EXPECT_EQ(r["cpu"].to_number<double>(), 1);
  EXPECT_EQ(r["memory"].to_number<double>(), 1);
  EXPECT_EQ(r["nvidia_gpu"].as_int64(), 0);
  EXPECT_EQ(r.text("timezone"), "America/Los_Angeles");
  EXPECT_EQ(r.text("type"), "manual");
  EXPECT_EQ(r.text("environment"), "{}");
}

TEST_F(SimulatorJobs, AreReadInOtherTypesThanWritten) {
  const auto r = read(make_job("a", R"(,"timeout":300,"environment":{"A":"b"})"));
  EXPECT_EQ(r.text("timeout"), "300");
  EXPECT_EQ(r.text("environment"), R"({"A":"b"})");
  EXPECT_EQ(r.text("engine_image_id"), "0");
  EXPECT_EQ(r.text("accelerator_label_id"), "0");
}

TEST_F(SimulatorJobs, KeepEveryFieldOfTheCreate) {
  const auto r = read(make_job(
      "a", R"(,"cpu":2,"memory":4.5,"nvidia_gpu":1,"arguments":"--x","kill_on_timeout":true,)"
           R"("attachments":["r.csv"],"recipients":[{"email":"a@b.c","notify_on_failure":true}],)"
           R"("retry_enabled":true,"max_retry":3,"retry_delay":5,"success_recipients":"x@y.z")"));
  EXPECT_EQ(r["memory"].to_number<double>(), 4.5);
  EXPECT_EQ(r["nvidia_gpu"].as_int64(), 1);
  EXPECT_EQ(r.text("arguments"), "--x");
  EXPECT_TRUE(r["kill_on_timeout"].as_bool());
  EXPECT_EQ(r["attachments"].at(0).as_string(), "r.csv");
  EXPECT_TRUE(r["recipients"].at(0).at("notify_on_failure").as_bool());
  EXPECT_FALSE(r["recipients"].at(0).at("notify_on_stop").as_bool());
  EXPECT_EQ(r["max_retry"].as_int64(), 3);
  EXPECT_EQ(r.text("success_recipients"), "x@y.z");
}

TEST_F(SimulatorJobs, GetAnAddonOfTheServer) {
  EXPECT_EQ(addons(read(make_job("a"))), 1U);
  EXPECT_EQ(addons(read(make_job("b", R"(,"runtime_addon_identifiers":["spark"])"))), 2U);
}

TEST_F(SimulatorJobs, EmptyAddonListIsRefilled) {
  const auto job = make_job("a");
  EXPECT_EQ(addons(edit(job, R"({"runtime_identifier":"j","runtime_addon_identifiers":[]})")), 1U);
}

TEST_F(SimulatorJobs, AddonsWithoutRuntimeAre500) {
  const auto job = make_job("a");
  EXPECT_EQ(edit(job, R"({"runtime_addon_identifiers":["spark"]})").status, 500);
  EXPECT_EQ(addons(read(job)), 1U);
}

TEST_F(SimulatorJobs, RuntimeAloneResetsTheAddons) {
  const auto job = make_job("a", R"(,"runtime_addon_identifiers":["spark"])");
  EXPECT_EQ(addons(edit(job, R"({"runtime_identifier":"image:2"})")), 1U);
}

TEST_F(SimulatorJobs, PatchIsPartialAndAnswersLikeAGet) {
  const auto job = make_job("a", R"(,"memory":4)");
  const auto r = edit(job, R"({"cpu":2})");
  EXPECT_EQ(r["cpu"].to_number<double>(), 2);
  EXPECT_EQ(r["memory"].to_number<double>(), 4);
  EXPECT_EQ(r.body, read(job).body);
}

TEST_F(SimulatorJobs, PatchIgnoresSomeFieldsAndAnswers200) {
  const auto job = make_job("a");
  const auto r = edit(job, R"({"paused":true,"timezone":"UTC","recipients":[{"email":"a@b.c"}],)"
                           R"("success_recipients":"a@b.c","stopped_recipients":"a@b.c"})");
  EXPECT_EQ(r.status, 200);
  EXPECT_FALSE(r["paused"].as_bool());
  EXPECT_EQ(r.text("timezone"), "America/Los_Angeles");
  EXPECT_TRUE(r["recipients"].as_array().empty());
  EXPECT_EQ(r.text("success_recipients"), "");
}

TEST_F(SimulatorJobs, EnvironmentAsAnObjectInAPatchIsRefused) {
  const auto r = edit(make_job("a"), R"({"environment":{"A":"b"}})");
  EXPECT_EQ(r.status, 400);
  EXPECT_EQ(r.message(), "json: cannot unmarshal object into Go value of type string");
}

TEST_F(SimulatorJobs, EnvironmentIsReplacedClearedOrLeft) {
  const auto job = make_job("a", R"(,"environment":{"A":"b"})");
  EXPECT_EQ(edit(job, R"({"environment":"{\"C\":\"d\"}"})").text("environment"), R"({"C":"d"})");
  EXPECT_EQ(edit(job, R"({"environment":""})").text("environment"), R"({"C":"d"})");
  EXPECT_EQ(edit(job, R"({"environment":"{}"})").text("environment"), "{}");
}

TEST_F(SimulatorJobs, TimeoutInAPatchIsAString) {
  const auto job = make_job("a");
  EXPECT_EQ(edit(job, R"({"timeout":"600"})").text("timeout"), "600");
  EXPECT_EQ(edit(job, R"({"timeout":600})").status, 400);
}

TEST_F(SimulatorJobs, EmptyPatchMovesUpdatedAt) {
  const auto job = make_job("a");
  const auto before = read(job).text("updated_at");
  pass(1);
  EXPECT_NE(edit(job, "{}").text("updated_at"), before);
}

TEST_F(SimulatorJobs, MissingScriptIsRefusedOnPatchToo) {
  rules how;
  how.missing_scripts = {"x.py"};
  start(how);
  ready_project();
  const auto job = make_job("a");
  const auto r = edit(job, R"({"script":"x.py"})");
  EXPECT_EQ(r.message(), "script 'x.py' not found in project directory");
  EXPECT_EQ(edit(job, R"({"script":"y.py"})").status, 200);
}

TEST_F(SimulatorJobs, TakeAParentByEitherNameOnCreate) {
  const auto a = make_job("a");
  for (const char* name : {"parent_id", "parent_job_id"}) {
    const auto r = read(make_job("b", std::string(",\"") + name + "\":\"" + a + "\""));
    EXPECT_EQ(r.text("parent_id"), a);
    EXPECT_EQ(r.text("type"), "dependent");
  }
}

TEST_F(SimulatorJobs, TakeAParentByItsNewNameAloneOnPatch) {
  const auto a = make_job("a");
  const auto b = make_job("b");
  EXPECT_EQ(edit(b, R"({"parent_job_id":")" + a + "\"}").status, 400);
  EXPECT_EQ(edit(b, R"({"parent_id":")" + a + "\"}").text("parent_id"), a);
}

TEST_F(SimulatorJobs, ParentMustExistInTheProject) {
  const std::string head = R"({"name":"b","script":"a.py","runtime_identifier":"i","parent_id":")";
  EXPECT_EQ(post(jobs, head + "aaaa-bbbb-cccc-dddd\"}").status, 400);
  EXPECT_EQ(post(jobs, head + "short\"}").message(),
            "Problem with field ParentId: value length must be 19 runes");
}

TEST_F(SimulatorJobs, ParentsCannotFormACycle) {
  const auto a = make_job("a");
  const auto b = make_job("b", R"(,"parent_id":")" + a + "\"");
  EXPECT_EQ(edit(a, R"({"parent_id":")" + b + "\"}").status, 400);
  EXPECT_EQ(edit(a, R"({"parent_id":")" + a + "\"}").status, 400);
}

TEST_F(SimulatorJobs, ScheduleExcludesAParent) {
  const auto a = make_job("a");
  EXPECT_EQ(post(jobs, R"({"name":"b","script":"a.py","runtime_identifier":"i","schedule":)"
                       R"("0 3 * * *","parent_id":")" +
                           a + "\"}")
                .status,
            400);
  const auto b = make_job("b", R"(,"schedule":"0 3 * * *")");
  EXPECT_EQ(read(b).text("type"), "cron");
  EXPECT_EQ(edit(b, R"({"parent_id":")" + a + "\"}").status, 400);
  EXPECT_EQ(edit(b, R"({"schedule":"","parent_id":")" + a + "\"}").text("type"), "dependent");
}

TEST_F(SimulatorJobs, BadScheduleIsRefused) {
  EXPECT_EQ(edit(make_job("a"), R"({"schedule":"often"})").status, 400);
}

TEST_F(SimulatorJobs, ArgumentsAndScheduleCanBeCleared) {
  const auto job = make_job("a", R"(,"schedule":"0 3 * * *","arguments":"-x")");
  const auto r = edit(job, R"({"arguments":"","schedule":""})");
  EXPECT_EQ(r.text("arguments"), "");
  EXPECT_EQ(r.text("type"), "manual");
}

TEST_F(SimulatorJobs, ParentCanBeClearedUnlessTheWorkspaceKeepsIt) {
  for (const bool clears : {true, false}) {
    rules how;
    how.parent_can_be_cleared = clears;
    start(how);
    ready_project();
    const auto a = make_job("a");
    const auto b = make_job("b", R"(,"parent_id":")" + a + "\"");
    EXPECT_EQ(edit(b, R"({"parent_id":""})").text("parent_id"), clears ? "" : a);
  }
}

TEST_F(SimulatorJobs, DeleteKeepsTheDependents) {
  const auto a = make_job("a");
  const auto b = make_job("b", R"(,"parent_id":")" + a + "\"");
  EXPECT_EQ(remove(jobs + "/" + a).status, 200);
  EXPECT_EQ(read(a).status, 404);
  EXPECT_EQ(read(b).text("parent_id"), a);
  EXPECT_EQ(edit(b, R"({"cpu":2})").status, 200);
}

TEST_F(SimulatorJobs, NegativeSizesAreRefused) {
  const auto job = make_job("a");
  EXPECT_EQ(edit(job, R"({"cpu":-1})").status, 400);
  EXPECT_EQ(edit(job, R"({"timeout":"-1"})").status, 400);
  EXPECT_EQ(edit(job, R"({"nvidia_gpu":-1})").status, 400);
}

}  // namespace
}  // namespace cmlrec::simulator
