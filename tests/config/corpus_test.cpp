#include "config/support.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace cmlrec::config {
namespace {

namespace fs = std::filesystem;

const fs::path corpus = fs::path(CMLREC_SOURCE_DIR) / "tests/config/corpus";

std::vector<std::string> files_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(directory))
    if (file.path().extension() == ".yaml") names.push_back(file.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

loaded load_case(const fs::path& file) {
  return load_text(
      read(file), file.filename().string(),
      context_of({{"CPU", "3"}, {"SECRET", "hunter2"}, {"NEGATIVE", "-1"}, {"X", "x"}}));
}

std::string name_of(const testing::TestParamInfo<std::string>& info) { return info.param; }

class BadFile : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(ConfigCorpus, BadFile, testing::ValuesIn(files_in(corpus / "bad")),
                         name_of);

TEST_P(BadFile, GetsExactlyTheseMessages) {
  const fs::path file = corpus / "bad" / (GetParam() + ".yaml");
  const loaded result = load_case(file);
  const std::string expected = read(corpus / "bad" / (GetParam() + ".errors"));
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(lines(result.errors), expected);
  EXPECT_FALSE(result.state);
}

TEST_P(BadFile, ShowsNoValueOfTheEnvironment) {
  const loaded result = load_case(corpus / "bad" / (GetParam() + ".yaml"));
  EXPECT_EQ((lines(result.errors) + lines(result.warnings)).find("hunter2"), std::string::npos);
}

class GoodFile : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(ConfigCorpus, GoodFile, testing::ValuesIn(files_in(corpus / "good")),
                         name_of);

TEST_P(GoodFile, IsTaken) {
  const loaded result = load_case(corpus / "good" / (GetParam() + ".yaml"));
  EXPECT_EQ(lines(result.errors), "");
  ASSERT_TRUE(result.state);
  EXPECT_FALSE(result.state->projects.empty());
}

TEST(ConfigCorpus, HasEnoughCases) {
  EXPECT_GE(files_in(corpus / "bad").size(), 40U);
  EXPECT_GE(files_in(corpus / "good").size(), 15U);
}

TEST(ConfigCorpus, FileWithFiveMistakesGetsFiveMessages) {
  EXPECT_EQ(load_case(corpus / "bad/five_mistakes.yaml").errors.size(), 5U);
}

TEST(ConfigExamples, AreTakenWithoutAWarning) {
  const fs::path examples = fs::path(CMLREC_SOURCE_DIR) / "config/examples";
  for (const auto& name : files_in(examples)) {
    const loaded result = load((examples / (name + ".yaml")).string(), context_of({}));
    EXPECT_EQ(lines(result.errors) + lines(result.warnings), "") << name;
  }
}

TEST(ConfigExamples, OriginalJobsAreTakenUnchanged) {
  const auto result = load(std::string(CMLREC_SOURCE_DIR) + "/config/jobs_config.yaml",
                           context_of({{"RUNTIME_IDENTIFIER", "image:1"}}));
  EXPECT_EQ(lines(result.errors) + lines(result.warnings), "");
  ASSERT_TRUE(result.state);
  const project_spec& project = result.state->projects.at(0);
  EXPECT_EQ(project.name, "ray-cluster");
  ASSERT_EQ(project.jobs.size(), 3U);
  const job_spec& first = project.jobs[0];
  EXPECT_EQ(first.key, "git_sync");
  EXPECT_TRUE(first.owns_parent);
  EXPECT_FALSE(first.parent_key);
  EXPECT_EQ(first.run, run_policy::once);
  const core::field_set expected = {{"name", core::text("Git Repository Sync")},
                                    {"script", core::text("cai_integration/git_sync.py")},
                                    {"cpu", 4.0},
                                    {"memory", 16.0},
                                    {"timeout", std::int64_t{300}},
                                    {"runtime_identifier", core::text("image:1")}};
  EXPECT_EQ(first.fields, expected);
  EXPECT_EQ(project.jobs[1].parent_key, "git_sync");
  EXPECT_EQ(project.jobs[2].parent_key, "setup_environment");
}

}  // namespace
}  // namespace cmlrec::config
