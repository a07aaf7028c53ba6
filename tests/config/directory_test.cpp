#include "config/support.hpp"

#include <gtest/gtest.h>

namespace cmlrec::config {
namespace {

const std::string one = "project: one\njobs:\n  a: {script: a.py, kernel: k}\n";
const std::string two = "project: two\njobs:\n  a: {script: a.py, kernel: k}\n";
const std::string nameless = "jobs:\n  a: {script: a.py, kernel: k}\n";

TEST(ConfigDirectory, EveryYamlFileIsReadInTheOrderOfNames) {
  const temporary_directory dir;
  dir.write("b.yaml", one);
  dir.write("a.yml", two);
  dir.write("notes.txt", "nothing: here");
  dir.write(".hidden.yaml", "broken");
  const auto result = load(dir.path(), context_of({}));
  EXPECT_EQ(lines(result.errors), "");
  ASSERT_TRUE(result.state);
  ASSERT_EQ(result.state->projects.size(), 2U);
  EXPECT_EQ(result.state->projects[0].name, "two");
  EXPECT_EQ(result.state->projects[1].name, "one");
}

TEST(ConfigDirectory, TwoFilesOfOneProjectAreAnErrorThatNamesBoth) {
  const temporary_directory dir;
  const auto a = dir.write("a.yaml", one);
  const auto b = dir.write("b.yaml", "# again\n" + one);
  const auto result = load(dir.path(), context_of({}));
  EXPECT_FALSE(result.state);
  EXPECT_EQ(lines(result.errors), b + ":2:1: project 'one' is defined already at " + a +
                                      ":1:1; expected one definition of it\n");
}

TEST(ConfigDirectory, TwoFilesWithoutANameConflict) {
  const temporary_directory dir;
  dir.write("a.yaml", nameless);
  dir.write("b.yaml", nameless);
  EXPECT_EQ(load(dir.path(), context_of({})).errors.size(), 1U);
}

TEST(ConfigDirectory, ErrorsOfAllFilesComeTogether) {
  const temporary_directory dir;
  const auto a = dir.write("a.yaml", "jobs:\n");
  const auto b = dir.write("b.yaml", "project: x\njobs:\n  a: {script: a.py, cpu: lots}\n");
  const auto result = load(dir.path(), context_of({}));
  EXPECT_EQ(lines(result.errors),
            a + ":1:1: jobs: expected a map of keys to jobs, found nothing\n" + b +
                ":3:26: cpu: expected a number of cores, found the text "
                "'lots'\n");
}

TEST(ConfigDirectory, WithoutFilesIsAnError) {
  const temporary_directory dir;
  EXPECT_EQ(lines(load(dir.path(), context_of({})).errors),
            dir.path() + ": the directory has no *.yaml or *.yml file; expected at least one\n");
}

TEST(ConfigDirectory, ProjectIsSelectedAcrossFiles) {
  const temporary_directory dir;
  dir.write("a.yaml", one);
  dir.write("b.yaml", two);
  const auto result = load(dir.path(), context_of({}, "two"));
  ASSERT_TRUE(result.state) << lines(result.errors);
  ASSERT_EQ(result.state->projects.size(), 1U);
  EXPECT_EQ(result.state->projects[0].name, "two");
}

TEST(ConfigDirectory, EnvironmentNamesNoneOfSeveralProjects) {
  const temporary_directory dir;
  dir.write("a.yaml", one);
  dir.write("b.yaml", two);
  const auto result =
      load(dir.path(),
           context_of({{"GITHUB_REPOSITORY", "o/n"}, {"CDSW_PROJECT_ID", "aaaa-bbbb-cccc-dddd"}}));
  ASSERT_TRUE(result.state) << lines(result.errors);
  for (const auto& project : result.state->projects) {
    EXPECT_FALSE(project.id);
    EXPECT_FALSE(project.fields.contains("git_url"));
  }
}

TEST(ConfigFile, MissingFileIsAnError) {
  const temporary_directory dir;
  const std::string path = dir.path() + "/none.yaml";
  EXPECT_EQ(lines(load(path, context_of({})).errors),
            path +
                ": cannot be read: there is no such file; expected a file of jobs, or a "
                "directory of such\n");
}

TEST(ConfigFile, DeviceIsNoFile) { EXPECT_EQ(load("/dev/zero", context_of({})).errors.size(), 1U); }

TEST(ConfigFile, FileIsCalledAsItWasGiven) {
  const temporary_directory dir;
  const auto path = dir.write("jobs.yaml", "jobs: {}\n");
  const auto result = load(path, context_of({}));
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_EQ(result.errors[0].file, path);
}

}  // namespace
}  // namespace cmlrec::config
