// Keys, ids, bodies, errors and lists.
#include "simulator/fixture.hpp"

#include <set>

namespace cmlrec::simulator {
namespace {

class SimulatorApi : public simulator_test {};
class SimulatorLists : public simulator_test {};

TEST_F(SimulatorApi, MissingAuthorizationIs401) {
  const auto r = call("GET", "/api/v2/projects", "", std::nullopt);
  EXPECT_EQ(r.status, 401);
  EXPECT_EQ(r.message(), "no \"authorization\" header");
  EXPECT_EQ(r["code"].as_int64(), 16);
}

TEST_F(SimulatorApi, MalformedKeyIs500) {
  const auto r = call("GET", "/api/v2/projects", "", "Bearer short");
  EXPECT_EQ(r.status, 500);
  EXPECT_EQ(r.message(), "malformed apikey");
  EXPECT_EQ(r["code"].as_int64(), 13);
}

TEST_F(SimulatorApi, KeyWithoutBearerIsMalformed) {
  EXPECT_EQ(call("GET", "/api/v2/projects", "", test_key).message(), "malformed apikey");
}

TEST_F(SimulatorApi, WellFormedWrongKeyIs401) {
  EXPECT_EQ(call("GET", "/api/v2/projects", "", "Bearer other-key-other-key-other").status, 401);
}

TEST_F(SimulatorApi, ValidateKeyAnswersForTheApiAudience) {
  const auto r = post("/api/v2/auth/validate_key", R"({"audience":"API"})");
  EXPECT_EQ(r.status, 200);
  EXPECT_TRUE(r["valid"].as_bool());
  EXPECT_EQ(r.text("username"), "demo");
}

TEST_F(SimulatorApi, ValidateKeyRefusesAnotherAudience) {
  const auto r = post("/api/v2/auth/validate_key", R"({"audience":"Browser"})");
  EXPECT_EQ(r.status, 403);
  EXPECT_EQ(r["code"].as_int64(), 7);
}

TEST_F(SimulatorApi, ErrorsHaveTheFourMembers) {
  const auto r = get("/api/v2/projects/aaaa-bbbb-cccc-dddd");
  EXPECT_EQ(r.status, 404);
  EXPECT_EQ(r["code"].as_int64(), 5);
  EXPECT_EQ(r.text("error"), r.text("message"));
  EXPECT_TRUE(r["details"].is_array());
}

TEST_F(SimulatorApi, IdsHaveTheirLengths) {
  ready_project();
  EXPECT_EQ(get("/api/v2/projects/short").message(),
            "Problem with field ProjectId: value length must be 19 runes");
  const auto r = get(jobs + "/short");
  EXPECT_EQ(r.status, 400);
  EXPECT_EQ(r.message(), "Problem with field JobId: value length must be 19 runes");
  const auto job = make_job("a");
  EXPECT_EQ(get(runs_of(job) + "/short").message(),
            "Problem with field RunId: value length must be 16 runes");
}

TEST_F(SimulatorApi, IdsHaveTheirForms) {
  ready_project();
  const auto job = make_job("a");
  const auto run = start_run(job).text("id");
  const auto is_lower = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  ASSERT_EQ(job.size(), 19U);
  for (std::size_t i = 0; i < job.size(); ++i)
    EXPECT_TRUE(i % 5 == 4 ? job[i] == '-' : is_lower(job[i])) << job;
  ASSERT_EQ(run.size(), 16U);
  for (const char c : run) EXPECT_TRUE(is_lower(c)) << run;
}

TEST_F(SimulatorApi, UnknownMemberIs400AndAViolation) {
  const auto r = post("/api/v2/projects", R"({"name":"a","colour":"red"})");
  EXPECT_EQ(r.status, 400);
  EXPECT_EQ(r.message(), "unknown field \"colour\"");
  EXPECT_EQ(ledger_now().at("violations").as_array().at(0).as_string(),
            "CreateProject: colour: unknown member");
}

TEST_F(SimulatorApi, WrongTypesAre400) {
  ready_project();
  const std::string head = R"({"name":"a","script":"a.py","runtime_identifier":"i",)";
  for (const char* wrong :
       {R"("cpu":"2"})", R"("timeout":"300"})", R"("timeout":1.5})", R"("nvidia_gpu":3000000000})",
        R"("environment":"{}"})", R"("environment":{"A":1}})", R"("arguments":["a"]})",
        R"("kill_on_timeout":"yes"})", R"("attachments":"a"})", R"("script":null})",
        R"("recipients":[{"email":1}]})", R"("recipients":[{"mail":"a"}]})",
        R"("runtime_addon_identifiers":[1]})"})
    EXPECT_EQ(post(jobs, head + wrong).status, 400) << wrong;
  EXPECT_EQ(ledger_now().at("violations").as_array().size(), 13U);
}

TEST_F(SimulatorApi, BodyIsRequiredForARun) {
  ready_project();
  EXPECT_EQ(post(runs_of(make_job("a")), "").status, 400);
}

TEST_F(SimulatorApi, BodyThatIsNoJsonIs400) {
  EXPECT_EQ(post("/api/v2/projects", "{").status, 400);
  EXPECT_EQ(post("/api/v2/projects", "[]").status, 400);
}

TEST_F(SimulatorApi, IdsOfBodyAndPathMustAgree) {
  ready_project();
  EXPECT_EQ(post(jobs, R"({"project_id":"aaaa-bbbb-cccc-dddd","name":"a","script":"a.py",)"
                       R"("runtime_identifier":"i"})")
                .status,
            400);
}

TEST_F(SimulatorApi, UnknownPathIs404AndUnknownMethodIs405) {
  EXPECT_EQ(get("/api/v2/swagger.json").status, 404);
  EXPECT_EQ(get("/api/v2/nothing").status, 404);
  EXPECT_EQ(call("PUT", "/api/v2/projects", "{}").status, 405);
}

TEST_F(SimulatorLists, PageSizeIsTenByDefaultAndTheLastTokenIsEmpty) {
  ready_project();
  for (int i = 0; i < 12; ++i) make_job("j" + std::to_string(i));
  const auto first = get(jobs);
  EXPECT_EQ(first["jobs"].as_array().size(), 10U);
  const auto second = get(jobs + "?page_token=" + first.text("next_page_token"));
  EXPECT_EQ(second["jobs"].as_array().size(), 2U);
  EXPECT_EQ(second.text("next_page_token"), "");
}

TEST_F(SimulatorLists, PagesTogetherHoldEveryItemOnce) {
  ready_project();
  for (int i = 0; i < 11; ++i) make_job("j" + std::to_string(i));
  std::set<std::string> names;
  std::string token;
  do {
    const auto page = get(jobs + "?page_size=3&sort=-name&page_token=" + token);
    for (const auto& j : page["jobs"].as_array())
      EXPECT_TRUE(names.insert(std::string(j.at("name").as_string())).second);
    token = page.text("next_page_token");
  } while (!token.empty());
  EXPECT_EQ(names.size(), 11U);
}

TEST_F(SimulatorLists, TokenMustComeWithTheSameParameters) {
  ready_project();
  for (int i = 0; i < 5; ++i) make_job("j" + std::to_string(i));
  const auto token = get(jobs + "?page_size=2&sort=name").text("next_page_token");
  EXPECT_EQ(get(jobs + "?page_size=2&sort=name&page_token=" + token).status, 200);
  EXPECT_EQ(get(jobs + "?page_size=3&sort=name&page_token=" + token).status, 400);
  EXPECT_EQ(get(jobs + "?page_size=2&page_token=" + token).status, 400);
  EXPECT_EQ(
      get(jobs +
          "?page_size=2&sort=name&search_filter=%7B%22name%22%3A%22j%22%7D&page_token=" + token)
          .status,
      400);
  EXPECT_EQ(get(jobs + "?page_size=2&sort=name&page_token=nonsense").status, 400);
}

TEST_F(SimulatorLists, FilterMatchesSubstringsWithTheirCase) {
  for (const char* name : {"DS", "DSE", "ds"})
    post("/api/v2/projects", std::string(R"({"name":")") + name + R"("})");
  const auto found = get("/api/v2/projects?search_filter=%7B%22name%22%3A%22DS%22%7D");
  ASSERT_EQ(found["projects"].as_array().size(), 2U);
  EXPECT_EQ(found["projects"].at(1).at("name").as_string(), "DSE");
}

TEST_F(SimulatorLists, FilterMustBeAnObjectOfKnownKeys) {
  EXPECT_EQ(get("/api/v2/projects?search_filter=demo").status, 400);
  EXPECT_EQ(get("/api/v2/projects?search_filter=%7B%22slug%22%3A%22a%22%7D").status, 400);
}

TEST_F(SimulatorLists, RunsAreInOrderOnlyOnDemand) {
  ready_project();
  const auto job = make_job("a");
  std::vector<std::string> newest_first;
  for (int i = 0; i < 8; ++i) {
    newest_first.insert(newest_first.begin(), start_run(job).text("id"));
    pass(60);
  }
  const auto ids = [&](const std::string& query) {
    std::vector<std::string> out;
    const auto listed = get(runs_of(job) + query);
    for (const auto& r : listed["job_runs"].as_array()) out.emplace_back(r.at("id").as_string());
    return out;
  };
  const std::vector<std::string> oldest_first(newest_first.rbegin(), newest_first.rend());
  EXPECT_EQ(ids("?sort=-created_at"), newest_first);
  EXPECT_NE(ids(""), newest_first);
  EXPECT_NE(ids(""), oldest_first);
}

TEST_F(SimulatorLists, RunsAreFilteredByShortStatusWords) {
  ready_project();
  const auto job = make_job("a");
  start_run(job);
  pass(20);
  const auto running = get(runs_of(job) + "?search_filter=%7B%22status%22%3A%22running%22%7D");
  ASSERT_EQ(running["job_runs"].as_array().size(), 1U);
  EXPECT_EQ(running["job_runs"].at(0).at("status").as_string(), "ENGINE_RUNNING");
  EXPECT_EQ(get(runs_of(job) + "?search_filter=%7B%22status%22%3A%22ENGINE_RUNNING%22%7D").status,
            400);
}

TEST_F(SimulatorLists, JobsOfAllProjectsTakeNoSort) {
  ready_project("one");
  make_job("a");
  ready_project("two");
  make_job("b");
  EXPECT_EQ(get("/api/v2/jobs")["jobs"].as_array().size(), 2U);
  EXPECT_EQ(get("/api/v2/jobs?sort=name").status, 400);
}

TEST_F(SimulatorLists, UnknownParametersAndBadSizesAre400) {
  EXPECT_EQ(get("/api/v2/projects?page_size=ten").status, 400);
  EXPECT_EQ(get("/api/v2/projects?limit=10").status, 400);
  EXPECT_EQ(get("/api/v2/projects?sort=colour").status, 400);
}

TEST_F(SimulatorLists, RuntimesCanBeListed) {
  const auto all = get("/api/v2/runtimes");
  EXPECT_GE(all["runtimes"].as_array().size(), 2U);
  EXPECT_TRUE(all["runtimes"].at(0).at("image_identifier").is_string());
}

}  // namespace
}  // namespace cmlrec::simulator
