#include "cml/codec.hpp"
#include "core/fields.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace cmlrec::cml {
namespace {

using core::field_set;
using core::text;
using core::text_list;
using core::text_map;

// One value for every field that can be sent.
job_write whole_job() {
  job_write out;
  out.parent_id = "pppp";
  out.fields = {
      {"name", text("git_sync")},
      {"script", text("a b.py")},
      {"arguments", text("--path \"x\"")},
      {"cpu", 0.5},
      {"memory", 2.0},
      {"nvidia_gpu", std::int64_t{1}},
      {"schedule", text("0 3 * * *")},
      {"timezone", text("Europe/Berlin")},
      {"paused", true},
      {"timeout", std::int64_t{300}},
      {"kill_on_timeout", false},
      {"environment", text_map{{"A", "x"}, {"B", text("s3cret", true)}}},
      {"runtime_identifier", text("docker/x:1")},
      {"runtime_addon_identifiers", text_list{"addon-1", "addon-2"}},
      {"kernel", text("python3")},
      {"recipients", core::recipient_list{{"a@example.com", true, false, false, true}}},
      {"success_recipients", text("s@example.com")},
      {"failure_recipients", text("f@example.com")},
      {"timeout_recipients", text("t@example.com")},
      {"stopped_recipients", text("p@example.com")},
      {"attachments", text_list{"out.txt"}},
      {"run_as", std::int64_t{12}},
      {"accelerator_label_id", std::int64_t{9007199254740993}},
      {"retry_enabled", true},
      {"max_retry", std::int64_t{2}},
      {"retry_delay", std::int64_t{10}},
      {"retry_for_script_failure", true},
      {"retry_for_system_failure", false},
      {"retry_for_timedout_runs", true},
      {"retry_for_skipped_runs", false},
      {"resource_group_id", std::int64_t{3}},
      {"resource_profile_id", std::int64_t{4}},
      // The daemon's own, which must not be sent.
      {"description", text("mine")},
      {"run", text("once")},
      {"suspend", true},
      {"environment_policy", text("merge")},
      {"parent_job_key", text("other")},
  };
  return out;
}

constexpr const char* common_tail =
    R"("runtime_identifier":"docker/x:1","runtime_addon_identifiers":["addon-1","addon-2"],)"
    R"("kernel":"python3","recipients":[{"email":"a@example.com","notify_on_success":true,)"
    R"("notify_on_failure":false,"notify_on_timeout":false,"notify_on_stop":true}],)"
    R"("success_recipients":"s@example.com","failure_recipients":"f@example.com",)"
    R"("timeout_recipients":"t@example.com","stopped_recipients":"p@example.com",)"
    R"("attachments":["out.txt"],"run_as":12,"accelerator_label_id":"9007199254740993",)"
    R"("retry_enabled":true,"max_retry":2,"retry_delay":10,"retry_for_script_failure":true,)"
    R"("retry_for_system_failure":false,"retry_for_timedout_runs":true,)"
    R"("retry_for_skipped_runs":false,"resource_group_id":3,"resource_profile_id":4,)";

constexpr const char* common_head =
    R"("name":"git_sync","script":"a b.py","arguments":"--path \"x\"","cpu":0.5,"memory":2,)"
    R"("nvidia_gpu":1,"schedule":"0 3 * * *","timezone":"Europe/Berlin","paused":true,)";

TEST(CodecWrite, CreateJobSendsEveryFieldInItsForm) {
  EXPECT_EQ(encode_create("proj", whole_job()),
            std::string(R"({"project_id":"proj",)") + common_head +
                R"("timeout":300,"kill_on_timeout":false,"environment":{"A":"x","B":"s3cret"},)" +
                common_tail + R"("parent_job_id":"pppp"})");
}

TEST(CodecWrite, PatchJobSendsEveryFieldInItsForm) {
  EXPECT_EQ(encode_patch(whole_job()), std::string("{") + common_head +
                                           R"("timeout":"300","kill_on_timeout":false,)"
                                           R"("environment":"{\"A\":\"x\",\"B\":\"s3cret\"}",)" +
                                           common_tail + R"("parent_id":"pppp"})");
}

TEST(CodecWrite, EveryFieldOfAJobThatCanBeSentIsInTheGoldenBody) {
  const auto body = whole_job();
  for (const auto& f : core::job_fields()) {
    if (f.create_name.empty() || f.type == core::field_type::job_key) continue;
    EXPECT_TRUE(body.fields.contains(f.name)) << f.name;
  }
}

TEST(CodecWrite, NothingToSendIsAnEmptyObject) {
  EXPECT_EQ(encode_patch(job_write{}), "{}");
  EXPECT_EQ(encode_patch(project_write{}), "{}");
  EXPECT_EQ(encode_create("p", job_write{}), R"({"project_id":"p"})");
}

TEST(CodecWrite, PatchClearsWhatIsEmpty) {
  job_write body;
  body.parent_id = "";
  body.fields = {{"environment", text_map{}}, {"arguments", text("")}, {"schedule", text("")}};
  EXPECT_EQ(encode_patch(body),
            R"({"arguments":"","schedule":"","environment":"{}","parent_id":""})");
}

TEST(CodecWrite, CreateLeavesAnEmptyParentOut) {
  job_write body;
  body.parent_id = "";
  EXPECT_EQ(encode_create("p", body), R"({"project_id":"p"})");
}

TEST(CodecWrite, CreateProjectSendsWhatActsAtCreation) {
  project_write body;
  body.fields = {{"name", text("ray")},
                 {"id", text("mine")},
                 {"git_url", text("https://example.com/r.git", true)},
                 {"git_ref", text("main")},
                 {"template", text("git")},
                 {"team_name", text("team")},
                 {"visibility", text("private")},
                 {"description", text("d")},
                 {"shared_memory_limit", std::int64_t{64}},
                 {"environment", text_map{{"A", "x"}}},
                 {"prune", true}};
  EXPECT_EQ(encode_create(body),
            R"({"name":"ray","git_url":"https://example.com/r.git","git_ref":"main",)"
            R"("template":"git","team_name":"team","visibility":"private","description":"d",)"
            R"("shared_memory_limit":64,"environment":{"A":"x"}})");
  EXPECT_EQ(encode_patch(body), R"({"name":"ray","visibility":"private","description":"d",)"
                                R"("shared_memory_limit":64,"environment":"{\"A\":\"x\"}"})");
}

TEST(CodecWrite, StartSendsTheEnvironmentAsAnObject) {
  run_request body;
  EXPECT_EQ(encode_start("p", "j", body), R"({"project_id":"p","job_id":"j"})");
  body.environment = text_map{{"A", "x"}};
  EXPECT_EQ(encode_start("p", "j", body),
            R"({"project_id":"p","job_id":"j","environment":{"A":"x"}})");
}

TEST(CodecWrite, ControlCharactersAndUnicodeSurvive) {
  job_write body;
  const std::string odd = "a\n\t\"\\\x01 \xC3\xA9";
  body.fields = {{"environment", text_map{{"K\"", text(odd)}}}};
  for (const auto& written : {encode_create("p", body), encode_patch(body)}) {
    auto document = boost::json::parse(written).as_object();
    const auto read = decode_job(R"({"id":"i","name":"n","environment":)" +
                                 boost::json::serialize(document["environment"]) + "}");
    ASSERT_TRUE(read) << written;
    EXPECT_EQ(read->fields.at("environment"), core::field_value(text_map{{"K\"", text(odd)}}));
  }
}

TEST(CodecWrite, NumbersAreWrittenPlainly) {
  for (const auto& [value, expected] :
       {std::pair{1.0, "1"}, {0.001, "0.001"}, {1.5, "1.5"}, {100000.0, "100000"}}) {
    job_write body;
    body.fields = {{"cpu", value}};
    EXPECT_EQ(encode_patch(body), std::string(R"({"cpu":)") + expected + "}");
  }
}

}  // namespace
}  // namespace cmlrec::cml
