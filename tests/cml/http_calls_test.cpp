// Every operation on its good path: exactly what is sent, and what becomes of the answer.
#include "http_fixture.hpp"

namespace cmlrec::cml {
namespace {

using core::text;
using core::text_map;
using HttpCalls = http_test;

TEST_F(HttpCalls, GetProject) {
  server.then(test::json(a_project));
  const auto p = run(cml().get_project("pppp", soon()));
  ASSERT_TRUE(p) << core::describe(p.error());
  EXPECT_EQ(p->name, "ray");
  const auto& r = server.requests().at(0);
  EXPECT_EQ(r.line, "GET /api/v2/projects/pppp HTTP/1.1");
  EXPECT_EQ(r.headers.at("authorization"), std::string("Bearer ") + the_key);
  EXPECT_EQ(r.headers.at("host"), "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(r.headers.at("accept"), "application/json");
  EXPECT_EQ(r.headers.at("user-agent"), "cml-reconciler");
  EXPECT_FALSE(r.headers.contains("content-type"));
  EXPECT_EQ(r.body, "");
}

TEST_F(HttpCalls, CreateProject) {
  server.then(test::json(a_project));
  project_write body;
  body.fields = {{"name", text("ray")}, {"git_url", text("https://example.com/r.git")}};
  const auto p = run(cml().create_project(body, soon()));
  ASSERT_TRUE(p) << core::describe(p.error());
  const auto& r = server.requests().at(0);
  EXPECT_EQ(r.line, "POST /api/v2/projects HTTP/1.1");
  EXPECT_EQ(r.headers.at("content-type"), "application/json");
  EXPECT_EQ(r.body, R"({"name":"ray","git_url":"https://example.com/r.git"})");
}

TEST_F(HttpCalls, UpdateProject) {
  server.then(test::json(a_project));
  project_write body;
  body.fields = {{"environment", text_map{{"A", "x"}}}};
  ASSERT_TRUE(run(cml().update_project("pppp", body, soon())));
  const auto& r = server.requests().at(0);
  EXPECT_EQ(r.line, "PATCH /api/v2/projects/pppp HTTP/1.1");
  EXPECT_EQ(r.body, R"({"environment":"{\"A\":\"x\"}"})");
}

TEST_F(HttpCalls, CreateJob) {
  server.then(test::json(a_job));
  job_write body;
  body.fields = {{"name", text("git_sync")}, {"timeout", std::int64_t{300}}};
  body.parent_id = "qqqq";
  const auto j = run(cml().create_job("pppp", body, soon()));
  ASSERT_TRUE(j) << core::describe(j.error());
  EXPECT_EQ(j->id, "jjjj");
  const auto& r = server.requests().at(0);
  EXPECT_EQ(r.line, "POST /api/v2/projects/pppp/jobs HTTP/1.1");
  EXPECT_EQ(r.body,
            R"({"project_id":"pppp","name":"git_sync","timeout":300,"parent_job_id":"qqqq"})");
}

TEST_F(HttpCalls, UpdateJob) {
  server.then(test::json(a_job));
  job_write body;
  body.fields = {{"timeout", std::int64_t{300}}};
  ASSERT_TRUE(run(cml().update_job("pppp", "jjjj", body, soon())));
  const auto& r = server.requests().at(0);
  EXPECT_EQ(r.line, "PATCH /api/v2/projects/pppp/jobs/jjjj HTTP/1.1");
  EXPECT_EQ(r.body, R"({"timeout":"300"})");
}

TEST_F(HttpCalls, DeleteJob) {
  server.then(test::json("{}"));
  const auto done = run(cml().delete_job("pppp", "jjjj", soon()));
  ASSERT_TRUE(done);
  EXPECT_TRUE(*done);
  EXPECT_EQ(lines().at(0), "DELETE /api/v2/projects/pppp/jobs/jjjj HTTP/1.1");
}

TEST_F(HttpCalls, DeleteOfWhatIsGoneIsDone) {
  server.then(test::answer(404, R"({"message":"no such job","code":5})"));
  EXPECT_TRUE(run(cml().delete_job("pppp", "jjjj", soon())));
}

TEST_F(HttpCalls, DeleteThatWasDoneInSpiteOfA500IsDone) {
  server.then(test::answer(500, R"({"message":"oops","code":13})"));
  server.then(test::answer(404, R"({"message":"no such job","code":5})"));
  EXPECT_TRUE(run(cml().delete_job("pppp", "jjjj", soon())));
}

TEST_F(HttpCalls, StartRun) {
  server.then(test::json(a_run));
  run_request body;
  body.environment = text_map{{"A", "x"}};
  const auto r = run(cml().start_run("pppp", "jjjj", body, soon()));
  ASSERT_TRUE(r) << core::describe(r.error());
  EXPECT_EQ(r->state, run_state::scheduling);
  EXPECT_EQ(lines().at(0), "POST /api/v2/projects/pppp/jobs/jjjj/runs HTTP/1.1");
  EXPECT_EQ(server.requests().at(0).body,
            R"({"project_id":"pppp","job_id":"jjjj","environment":{"A":"x"}})");
}

TEST_F(HttpCalls, GetRun) {
  server.then(test::json(a_run));
  ASSERT_TRUE(run(cml().get_run("pppp", "jjjj", "rrrr", soon())));
  EXPECT_EQ(lines().at(0), "GET /api/v2/projects/pppp/jobs/jjjj/runs/rrrr HTTP/1.1");
}

TEST_F(HttpCalls, StopRun) {
  server.then(test::json(a_run));
  ASSERT_TRUE(run(cml().stop_run("pppp", "jjjj", "rrrr", soon())));
  EXPECT_EQ(lines().at(0), "POST /api/v2/projects/pppp/jobs/jjjj/runs/rrrr:stop HTTP/1.1");
  EXPECT_EQ(server.requests().at(0).headers.at("content-length"), "0");
}

TEST_F(HttpCalls, ValidateKey) {
  server.then(test::json(R"({"valid":true,"username":"ann"})"));
  const auto k = run(cml().validate_key(soon()));
  ASSERT_TRUE(k) << core::describe(k.error());
  EXPECT_EQ(k->username, "ann");
  EXPECT_EQ(lines().at(0), "POST /api/v2/auth/validate_key HTTP/1.1");
  EXPECT_EQ(server.requests().at(0).body, R"({"audience":"API"})");
}

TEST_F(HttpCalls, IdsAreEncodedIntoThePath) {
  server.then(test::json(a_job));
  job_write body;
  ASSERT_TRUE(run(cml().update_job("a/b", "c?d", body, soon())));
  EXPECT_EQ(lines().at(0), "PATCH /api/v2/projects/a%2Fb/jobs/c%3Fd HTTP/1.1");
}

TEST_F(HttpCalls, EmptyOrDottedIdIsNeverSent) {
  EXPECT_EQ(run(cml().get_project("", soon())).error().kind, core::error_kind::internal);
  EXPECT_EQ(run(cml().delete_job("pppp", "", soon())).error().kind, core::error_kind::internal);
  EXPECT_EQ(run(cml().delete_job("pppp", "..", soon())).error().kind, core::error_kind::internal);
  EXPECT_EQ(run(cml().list_jobs("", soon())).error().kind, core::error_kind::internal);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HttpCalls, ServerTimeIsTheNewestDateAndWhatHasPassedSince) {
  EXPECT_EQ(cml().server_time(), clock.wall());
  server.then(test::answer(200, a_project, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  ASSERT_TRUE(run(cml().get_project("pppp", soon())));
  clock.skip(std::chrono::minutes{3});
  const auto expected = *core::parse_timestamp("1994-11-06T08:52:37Z");
  EXPECT_GE(cml().server_time(), expected);
  EXPECT_LT(cml().server_time(), expected + std::chrono::seconds{5});
}

TEST_F(HttpCalls, ErrorSaysOperationObjectStatusAndTheServersWords) {
  server.then(test::answer(400, R"({"message":"script 'x.py' not found","code":3})"));
  job_write body;
  body.fields = {{"name", text("git_sync")}};
  const auto j = run(cml().create_job("pppp", body, soon()));
  ASSERT_FALSE(j);
  EXPECT_EQ(core::describe(j.error()),
            "CreateJob of job 'git_sync' of project pppp: 400 script 'x.py' not found");
  EXPECT_EQ(j.error().kind, core::error_kind::refused);
}

TEST_F(HttpCalls, SecretsOfTheBodyAreMaskedWhereTheServerRepeatsThem) {
  server.then(test::answer(400, R"({"message":"cannot use hunter22 here","code":3})"));
  job_write body;
  body.fields = {{"name", text("named-s3cret", true)},
                 {"environment", text_map{{"P", text("hunter22", true)}}}};
  const auto e = run(cml().create_job("pppp", body, soon())).error();
  EXPECT_EQ(e.message, "cannot use ******** here");
  EXPECT_EQ(e.object, "job '********' of project pppp");
}

TEST_F(HttpCalls, AddressMustBeUsable) {
  for (const auto& [url, why] : {std::pair{"https://h/path", "without a path"},
                                 {"http://cml.example.com", "in clear"},
                                 {"cml.example.com", "not a URL"}}) {
    options.base_url = url;
    try {
      make_http_api(loop.get_executor(), clock, options, nullptr);
      FAIL() << url;
    } catch (const std::runtime_error& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr(why));
    }
  }
}

}  // namespace
}  // namespace cmlrec::cml
