#include "cml/codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::cml {
namespace {

using core::field_value;
using core::text;
using core::text_list;
using core::text_map;
using std::chrono::milliseconds;
using std::chrono::sys_days;
using std::chrono::year;

field_value job_field(const std::string& members, const std::string& name) {
  const auto j = decode_job(R"({"id":"i","name":"n",)" + members + "}");
  if (!j) return text("error: " + j.error().message);
  const auto found = j->fields.find(name);
  return found == j->fields.end() ? field_value(text("absent")) : found->second;
}

std::string job_error(const std::string& members) {
  const auto j = decode_job("{" + members + "}");
  return j ? "no error" : j.error().message;
}

TEST(CodecRead, JobHasItsIdentityAndItsFields) {
  const auto j = decode_job(R"({"id":"abcd-efgh-ijkl-mnop","name":"git_sync","parent_id":"p",
      "type":"dependent","creator":{"username":"ann","name":"Ann","email":"a@example.com"},
      "created_at":"2026-01-02T03:04:05.678901Z","updated_at":"2026-01-02T04:04:05+01:00",
      "script":"a.py","cpu":0.5,"memory":2,"nvidia_gpu":0,"timeout":"300","paused":false,
      "environment":"{\"A\":\"x\"}","runtime_addon_identifiers":["hadoop-cli-7"],
      "engine_image_id":"7","something_new":{"a":[1]}})");
  ASSERT_TRUE(j) << j.error().message;
  EXPECT_EQ(j->id, "abcd-efgh-ijkl-mnop");
  EXPECT_EQ(j->name, "git_sync");
  EXPECT_EQ(j->parent_id, "p");
  EXPECT_EQ(j->type, "dependent");
  EXPECT_EQ(j->creator, "ann");
  EXPECT_EQ(j->created_at, sys_days{year{2026} / 1 / 2} + std::chrono::hours{3} +
                               std::chrono::minutes{4} + milliseconds{5678});
  EXPECT_EQ(j->updated_at, sys_days{year{2026} / 1 / 2} + std::chrono::hours{3} +
                               std::chrono::minutes{4} + milliseconds{5000});
  const core::field_set expected = {
      {"name", text("git_sync")},
      {"script", text("a.py")},
      {"cpu", 0.5},
      {"memory", 2.0},
      {"nvidia_gpu", std::int64_t{0}},
      {"timeout", std::int64_t{300}},
      {"paused", false},
      {"environment", text_map{{"A", "x"}}},
      {"runtime_addon_identifiers", text_list{"hadoop-cli-7"}},
  };
  EXPECT_EQ(j->fields, expected);
}

TEST(CodecRead, TimeoutIsAcceptedAsNumberAsTextAndAsWholeDouble) {
  const field_value expected = std::int64_t{300};
  for (const char* form : {"300", "\"300\"", "300.0", "\"300.0\"", "3e2"})
    EXPECT_EQ(job_field(std::string(R"("timeout":)") + form, "timeout"), expected) << form;
}

TEST(CodecRead, NumberIsAcceptedAsIntegerAndAsText) {
  EXPECT_EQ(job_field(R"("cpu":2)", "cpu"), field_value(2.0));
  EXPECT_EQ(job_field(R"("cpu":"0.25")", "cpu"), field_value(0.25));
}

TEST(CodecRead, BooleanIsAcceptedAsText) {
  EXPECT_EQ(job_field(R"("paused":"true")", "paused"), field_value(true));
}

TEST(CodecRead, EnvironmentIsAcceptedAsObjectAndAsText) {
  const field_value expected = text_map{{"A", "x"}, {"N", "1"}};
  EXPECT_EQ(job_field(R"("environment":{"A":"x","N":1})", "environment"), expected);
  EXPECT_EQ(job_field(R"("environment":"{\"A\":\"x\",\"N\":1.0}")", "environment"), expected);
}

TEST(CodecRead, EmptyEnvironmentHasThreeForms) {
  for (const char* form : {"\"\"", "\"null\"", "\"{}\"", "{}"})
    EXPECT_EQ(job_field(std::string(R"("environment":)") + form, "environment"),
              field_value(text_map{}))
        << form;
}

TEST(CodecRead, NullIsAbsent) {
  EXPECT_EQ(job_field(R"("timeout":null)", "timeout"), field_value(text("absent")));
  EXPECT_EQ(job_field(R"("environment":null)", "environment"), field_value(text("absent")));
  EXPECT_EQ(job_field(R"("schedule":null)", "schedule"), field_value(text("absent")));
}

TEST(CodecRead, BlankNumberIsAbsentAndBlankTextIsNot) {
  EXPECT_EQ(job_field(R"("accelerator_label_id":"")", "accelerator_label_id"),
            field_value(text("absent")));
  EXPECT_EQ(job_field(R"("schedule":"")", "schedule"), field_value(text("")));
}

TEST(CodecRead, IdsAreAcceptedAsNumbers) {
  const auto j = decode_job(R"({"id":42,"name":"n","parent_id":7})");
  ASSERT_TRUE(j) << j.error().message;
  EXPECT_EQ(j->id, "42");
  EXPECT_EQ(j->parent_id, "7");
}

TEST(CodecRead, RecipientsAreRead) {
  const core::recipient_list expected = {{"a@example.com", true, false, false, true}};
  EXPECT_EQ(job_field(R"("recipients":[{"email":"a@example.com","notify_on_success":true,
                          "notify_on_stop":true}])",
                      "recipients"),
            field_value(expected));
}

TEST(CodecRead, UnreadableStampIsAbsent) {
  for (const char* stamp : {"\"\"", "\"yesterday\"", "\"0001-01-01T00:00:00Z\"", "null", "17"}) {
    const auto r = decode_run(std::string(R"({"id":"r","created_at":)") + stamp + "}");
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_FALSE(r->created_at) << stamp;
  }
}

TEST(CodecRead, ErrorsNameThePath) {
  EXPECT_THAT(job_error(R"("id":"i","name":"n","timeout":"soon")"),
              testing::HasSubstr("timeout: expected a whole number"));
  EXPECT_THAT(job_error(R"("id":"i","name":"n","nvidia_gpu":1.5)"),
              testing::HasSubstr("nvidia_gpu: expected a whole number"));
  EXPECT_THAT(job_error(R"("id":"i","name":"n","paused":3)"),
              testing::HasSubstr("paused: expected true or false"));
  EXPECT_THAT(job_error(R"("id":"i","name":"n","environment":"A=1")"),
              testing::HasSubstr("environment: expected an object, or a string that holds one"));
  EXPECT_THAT(job_error(R"("id":"i","name":"n","attachments":["a",{}])"),
              testing::HasSubstr("attachments[1]: expected a string"));
  EXPECT_THAT(job_error(R"("id":"i","name":"n","recipients":[{"email":[]}])"),
              testing::HasSubstr("recipients[0].email: expected a string"));
}

TEST(CodecRead, MissingIdentityIsAnError) {
  EXPECT_THAT(job_error(R"("name":"n")"), testing::HasSubstr("id: missing"));
  EXPECT_THAT(job_error(R"("id":"i")"), testing::HasSubstr("name: missing"));
  EXPECT_THAT(job_error(R"("id":"","name":"n")"), testing::HasSubstr("id: missing"));
  EXPECT_FALSE(decode_run(R"({"status":"ENGINE_RUNNING"})"));
  EXPECT_FALSE(decode_project(R"({"name":"p"})"));
}

TEST(CodecRead, ErrorInAListNamesTheItem) {
  const auto jobs =
      decode_jobs(R"({"jobs":[{"id":"a","name":"n"},{"id":"b","name":"n","timeout":[]}]})");
  ASSERT_FALSE(jobs);
  EXPECT_EQ(jobs.error().kind, core::error_kind::not_json);
  EXPECT_THAT(jobs.error().message, testing::HasSubstr("jobs[1].timeout: expected"));
}

TEST(CodecRead, ErrorNeverShowsTheValue) {
  EXPECT_THAT(job_error(R"("id":"i","name":"n","environment":"PASSWORD=hunter2")"),
              testing::Not(testing::HasSubstr("hunter2")));
}

TEST(CodecRead, ProjectHasOwnerStatusAndFields) {
  const auto p = decode_project(R"({"id":"i","name":"ray","owner":{"username":"team"},
      "creator":{"username":"ann"},"creation_status":"success","visibility":"private",
      "default_engine_type":"ml_runtime","shared_memory_limit":64,"environment":"{}",
      "created_at":"2026-01-02T03:04:05Z","permissions":{"read":true}})");
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_EQ(p->owner, "team");
  EXPECT_EQ(p->creator, "ann");
  EXPECT_EQ(p->creation_status, "success");
  const core::field_set expected = {{"name", text("ray")},
                                    {"visibility", text("private")},
                                    {"shared_memory_limit", std::int64_t{64}},
                                    {"environment", text_map{}}};
  EXPECT_EQ(p->fields, expected);
}

TEST(CodecRead, RunHasStateTimesAndWhatItWasStartedWith) {
  const auto r = decode_run(R"({"id":"r1","job_id":"j","status":"ENGINE_SUCCEEDED",
      "creator":{"username":"ann"},"created_at":"2026-01-02T00:00:00Z",
      "running_at":"2026-01-02T00:00:01Z","finished_at":"2026-01-02T00:00:02Z",
      "arguments":"-v","environment":"{\"CML_RECONCILER_SPEC\":\"abc\"}"})");
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->state, run_state::succeeded);
  EXPECT_EQ(r->status, "ENGINE_SUCCEEDED");
  EXPECT_EQ(r->job_id, "j");
  EXPECT_EQ(r->creator, "ann");
  EXPECT_EQ(*r->finished_at - *r->running_at, std::chrono::seconds{1});
  EXPECT_EQ(r->arguments, "-v");
  EXPECT_EQ(r->environment, (text_map{{"CML_RECONCILER_SPEC", "abc"}}));
}

TEST(CodecRead, RunWithoutStatusIsUnknown) {
  const auto r = decode_run(R"({"id":"r1"})");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->state, run_state::unknown);
}

TEST(CodecRead, ListHasItsItemsAndItsToken) {
  const auto runs = decode_runs(R"({"job_runs":[{"id":"a"},{"id":"b"}],"next_page_token":"t"})");
  ASSERT_TRUE(runs) << runs.error().message;
  EXPECT_EQ(runs->items.size(), 2U);
  EXPECT_EQ(runs->next_token, "t");
}

TEST(CodecRead, ListWithoutItsKeyIsEmpty) {
  for (const char* body : {"{}", R"({"next_page_token":""})", R"({"jobs":null})"}) {
    const auto jobs = decode_jobs(body);
    ASSERT_TRUE(jobs) << body << ": " << jobs.error().message;
    EXPECT_TRUE(jobs->items.empty());
  }
}

TEST(CodecRead, FailureIsNotAnEmptyList) {
  EXPECT_FALSE(decode_jobs(R"({"error":"down","code":14})"));
  EXPECT_FALSE(decode_projects(R"({"message":"down"})"));
  EXPECT_FALSE(decode_runs(R"({"job_runs":{}})"));
  EXPECT_FALSE(decode_runs(R"([])"));
}

TEST(CodecRead, AnObjectOfAnotherKindIsNotAnEmptyList) {
  for (const char* body : {R"({"status":"maintenance"})", R"({"runs":[]})",
                           R"({"jobs":null,"ok":true})", R"({"items":[],"next_page_token":""})"})
    EXPECT_FALSE(decode_jobs(body)) << body;
}

TEST(CodecRead, AnythingButJsonIsToldApart) {
  for (const char* body : {"", "<html></html>", "{\"jobs\":[", "null", "\"x\""}) {
    const auto jobs = decode_jobs(body);
    ASSERT_FALSE(jobs) << body;
    EXPECT_EQ(jobs.error().kind, core::error_kind::not_json);
  }
}

TEST(CodecRead, KeyCheckIsRead) {
  const auto k = decode_key_check(R"({"valid":true,"username":"ann","message":"ok"})");
  ASSERT_TRUE(k);
  EXPECT_TRUE(k->valid);
  EXPECT_EQ(k->username, "ann");
  const auto no = decode_key_check(R"({"message":"expired"})");
  ASSERT_TRUE(no);
  EXPECT_FALSE(no->valid);
}

}  // namespace
}  // namespace cmlrec::cml
