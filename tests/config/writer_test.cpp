#include "config/writer.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

namespace cmlrec::config {
namespace {

project_spec small() {
  project_spec p;
  p.name = "x";
  p.fields["name"] = core::text("x");
  job_spec job;
  job.key = job.name = "a";
  job.fields["name"] = core::text("a");
  job.fields["script"] = core::text("a.py");
  p.jobs.push_back(job);
  return p;
}

project_spec read_back(const project_spec& p, const writing_options& o = {}, variables values = {}) {
  const auto file = write_project(p, o);
  const auto result = load_yaml(file.text, std::move(values));
  EXPECT_EQ(lines(result.errors), "") << file.text;
  return result.state ? result.state->projects.at(0) : project_spec{};
}

TEST(ConfigWriter, EveryKindOfValueIsReadBackAsItWas) {
  auto p = small();
  auto& f = p.jobs[0].fields;
  f["cpu"] = 0.5;
  f["memory"] = 16.0;
  f["nvidia_gpu"] = std::int64_t{2};
  f["kill_on_timeout"] = true;
  f["runtime_identifier"] = core::text("docker.example.com/r:1");
  f["runtime_addon_identifiers"] = core::text_list{"a-1", "b-2"};
  f["environment"] = core::text_map{{"MODE", "fast"}, {"EMPTY", ""}};
  core::recipient r;
  r.email = "a@example.com";
  r.on_failure = true;
  f["recipients"] = core::recipient_list{r};
  EXPECT_EQ(read_back(p).jobs.at(0).fields, f);
}

class ConfigWriterText : public ::testing::TestWithParam<const char*> {};

TEST_P(ConfigWriterText, IsReadBackAsItWas) {
  auto p = small();
  p.jobs[0].fields["environment"] = core::text_map{{"V", GetParam()}};
  EXPECT_EQ(read_back(p).jobs.at(0).fields.at("environment"),
            core::field_value(core::text_map{{"V", GetParam()}}));
}
INSTANTIATE_TEST_SUITE_P(Odd, ConfigWriterText,
                         ::testing::Values("", " ", "true", "No", "null", "~", "1", "1.0", "0x1f",
                                           "2026-01-01", "a: b", "# no comment", "- item", "'", "\"",
                                           "\\n", "two\nlines", "tab\t", "${HOME}", "$$", "100 $",
                                           "ä – ö", "{a: 1}", "[1]", "*x", "&x", "!x", "|", ">", "@",
                                           "\x01\x7f", "</script>", "a/b"));

TEST(ConfigWriter, KeysThatAreNoWordsAreQuoted) {
  auto p = small();
  p.jobs[0].fields["environment"] = core::text_map{{"true", "1"}, {"a:b", "2"}, {"3", "x"}};
  EXPECT_EQ(read_back(p).jobs.at(0).fields, p.jobs[0].fields);
}

TEST(ConfigWriter, ParentsAreWrittenByTheirKey) {
  auto p = small();
  job_spec child = p.jobs[0];
  child.key = "b";
  child.name = "B";
  child.fields["name"] = core::text("B");
  child.parent_key = "a";
  child.owns_parent = true;
  p.jobs.push_back(child);
  EXPECT_EQ(read_back(p).jobs.at(1).parent_key, "a");
}

TEST(ConfigWriter, SecretIsAVariableAndNowhereInTheText) {
  auto p = small();
  p.jobs[0].fields["environment"] = core::text_map{{"API_TOKEN", core::text("s3cret", true)}};
  const auto file = write_project(p, {});
  EXPECT_EQ(file.text.find("s3cret"), std::string::npos);
  EXPECT_EQ(file.variables, std::vector<std::string>{"API_TOKEN"});
  EXPECT_EQ(read_back(p, {}, {{"API_TOKEN", "s3cret"}}).jobs.at(0).fields, p.jobs[0].fields);
}

TEST(ConfigWriter, SecretsThatDifferHaveVariablesThatDiffer) {
  auto p = small();
  p.jobs.push_back(p.jobs[0]);
  p.jobs[1].key = "b";
  p.jobs[0].fields["environment"] = core::text_map{{"TOKEN", core::text("one", true)}};
  p.jobs[1].fields["environment"] = core::text_map{{"TOKEN", core::text("two", true)}};
  EXPECT_EQ(write_project(p, {}).variables, (std::vector<std::string>{"TOKEN", "JOB_B_TOKEN"}));
}

TEST(ConfigWriter, SecretOfTheDaemonsOwnVariableIsNotMixedUpWithIt) {
  auto p = small();
  p.jobs[0].fields["environment"] = core::text_map{{"CML_API_KEY", core::text("k", true)}};
  EXPECT_EQ(write_project(p, {}).variables, std::vector<std::string>{"JOB_A_CML_API_KEY"});
}

TEST(ConfigWriter, WatchOnlyKeepsEveryJobFromBeingStarted) {
  writing_options o;
  o.watch_only = true;
  EXPECT_EQ(read_back(small(), o).jobs.at(0).run, run_policy::never);
}

TEST(ConfigWriter, CommentsStandAtTheTopAndAboveTheJob) {
  writing_options o;
  o.head = {"first line"};
  o.about["a"] = "of this job";
  const auto text = write_project(small(), o).text;
  EXPECT_EQ(text.rfind("# first line\nproject:\n", 0), 0U) << text;
  EXPECT_NE(text.find("  # of this job\n  a:\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace cmlrec::config
