#include "plan/import.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "plan/diff.hpp"

namespace cmlrec::plan {
namespace {

cml::job live(const std::string& id, const std::string& name, const std::string& parent = "") {
  cml::job job;
  job.id = id;
  job.name = name;
  job.parent_id = parent;
  job.fields["name"] = core::text(name);
  job.fields["script"] = core::text("x.py");
  return job;
}

imported of(const std::vector<cml::job>& jobs) {
  cml::project project;
  project.id = "aaaa-aaaa-aaaa-aaaa";
  project.name = "p";
  project.fields["name"] = core::text("p");
  return import_project(project, jobs);
}

TEST(PlanImport, WhatIsTakenOverDiffersInNothing) {
  auto job = live("1", "A");
  job.fields["cpu"] = 4.0;
  job.fields["memory"] = 1.0;  // CML's default
  job.fields["timeout"] = std::int64_t{300};
  job.fields["arguments"] = core::text("");
  job.fields["environment"] = core::text_map{{"MODE", "fast"}};
  job.fields["runtime_identifier"] = core::text("r");
  job.fields["kernel"] = core::text("python3");
  const auto made = of({job});
  ASSERT_EQ(made.project.jobs.size(), 1U);
  const auto& spec = made.project.jobs[0];
  EXPECT_TRUE(compare_job(spec, false, std::nullopt, job).empty());
  EXPECT_TRUE(spec.fields.contains("cpu"));
  EXPECT_FALSE(spec.fields.contains("memory"));
  EXPECT_FALSE(spec.fields.contains("arguments"));
  EXPECT_FALSE(spec.fields.contains("kernel"));
}

TEST(PlanImport, KeysAreWordsAndUnique) {
  const auto made = of({live("1", "Train model (v2)"), live("2", "train-model v2"), live("3", "2nd"),
                        live("4", "été")});
  std::vector<std::string> keys;
  for (const auto& job : made.project.jobs) keys.push_back(job.key);
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(keys, (std::vector<std::string>{"job_2nd", "t", "train_model_v2", "train_model_v2_2"}));
}

TEST(PlanImport, ParentsComeFirstAndAreNamedByTheirKey) {
  const auto made = of({live("3", "C", "2"), live("2", "B", "1"), live("1", "A")});
  ASSERT_EQ(made.project.jobs.size(), 3U);
  EXPECT_EQ(made.project.jobs[0].key, "a");
  EXPECT_EQ(made.project.jobs[1].parent_key, "a");
  EXPECT_EQ(made.project.jobs[2].parent_key, "b");
}

TEST(PlanImport, ParentThatIsNotThereIsLeftAlone) {
  const auto made = of({live("1", "A", "gone")});
  EXPECT_FALSE(made.project.jobs.at(0).owns_parent);
  EXPECT_NE(made.about.at("a").find("gone"), std::string::npos);
}

TEST(PlanImport, CycleOfParentsEnds) {
  const auto made = of({live("1", "A", "2"), live("2", "B", "1"), live("3", "C", "3")});
  EXPECT_EQ(made.project.jobs.size(), 3U);
}

TEST(PlanImport, NamesakesAndJobsWithoutAScriptAreLeftOutAndTold) {
  auto inline_script = live("4", "Inline");
  inline_script.fields["script"] = core::text("import os\nprint()");
  const auto made = of({live("1", "A"), live("2", "A"), inline_script, live("5", "B")});
  ASSERT_EQ(made.project.jobs.size(), 1U);
  EXPECT_EQ(made.project.jobs[0].name, "B");
  ASSERT_EQ(made.left_out.size(), 2U);
  EXPECT_NE(made.left_out[0].find("1, 2"), std::string::npos);
}

TEST(PlanImport, MarksOfTheDaemonAreNotTakenOver) {
  auto job = live("1", "A");
  job.fields["environment"] = core::text_map{{owner_mark, owner_mark_value}};
  EXPECT_FALSE(of({job}).project.jobs.at(0).fields.contains("environment"));
}

TEST(PlanImport, ScheduleIsKeptAndItsTimezoneWithIt) {
  auto job = live("1", "A");
  job.fields["schedule"] = core::text("0 3 * * *");
  job.fields["timezone"] = core::text("Europe/Berlin");
  auto other = live("2", "B");
  other.fields["timezone"] = core::text("Europe/Berlin");
  const auto made = of({job, other});
  EXPECT_TRUE(made.project.jobs.at(0).fields.contains("timezone"));
  EXPECT_FALSE(made.project.jobs.at(1).fields.contains("timezone"));
}

TEST(PlanImport, ValuesThatLookSecretAreSecret) {
  EXPECT_TRUE(looks_secret("DB_PASSWORD", "x"));
  EXPECT_TRUE(looks_secret("github_token", "x"));
  EXPECT_TRUE(looks_secret("AWS_SECRET_ACCESS_KEY", "x"));
  EXPECT_TRUE(looks_secret("DATABASE", "postgres://u:p@host/db"));
  EXPECT_FALSE(looks_secret("MODE", "fast"));
  EXPECT_FALSE(looks_secret("URL", "https://example.com/a@b"));
  EXPECT_FALSE(looks_secret("PATH", "/usr/bin"));
  EXPECT_FALSE(looks_secret("KEYBOARD", "de"));
}

}  // namespace
}  // namespace cmlrec::plan
