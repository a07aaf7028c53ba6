#include "plan/fixture.hpp"

namespace cmlrec::plan::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using core::text;
using core::text_list;
using core::text_map;

class PlanJobs : public planner_test {
 protected:
  PlanJobs() {
    live_project();
    seen.jobs.emplace();
  }

  // The one PATCH of the plan, or a failed test.
  const action& patch(const project_plan& plan) {
    EXPECT_EQ(count(plan, action_kind::update_job), 1);
    for (const auto& a : plan.actions)
      if (a.kind == action_kind::update_job) return a;
    throw std::logic_error("no PATCH");
  }
};

TEST_F(PlanJobs, AMissingOneIsCreatedWithItsOwnedFieldsAndNoOthers) {
  want("a").fields["cpu"] = 2.0;
  const auto plan = decide();
  ASSERT_EQ(count(plan, action_kind::create_job), 1);
  EXPECT_EQ(plan.actions[0].job.fields, wanted.jobs[0].fields);
  EXPECT_FALSE(plan.actions[0].job.parent_id.has_value());
}

TEST_F(PlanJobs, SiblingsAreCreatedAtOnceAndChildrenAfterTheirParents) {
  want("a");
  want("b");
  want("c", "a");
  const auto plan = decide();
  EXPECT_EQ(count(plan, action_kind::create_job), 2);
  EXPECT_EQ(job(plan, "c").state, job_state::missing);
  EXPECT_THAT(job(plan, "c").reason, HasSubstr("after its parent a"));
}

TEST_F(PlanJobs, AChildIsCreatedUnderTheLiveIdOfItsParent) {
  want("a");
  want("b", "a");
  live_job("a");
  const auto plan = decide();
  ASSERT_EQ(count(plan, action_kind::create_job), 1);
  EXPECT_EQ(plan.actions[0].job.parent_id, "id-a");
}

TEST_F(PlanJobs, ANameIsMatchedExactly) {
  want("a");
  live_job("a").name = "Job a (copy)";
  EXPECT_EQ(count(decide(), action_kind::create_job), 1);
}

TEST_F(PlanJobs, OneThatAgreesIsNotWrittenTo) {
  want("a").fields["cpu"] = 2.0;
  live_job("a").fields["cpu"] = std::int64_t{2};
  run("a", cml::run_state::succeeded, 1h);
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.state, project_state::converged);
  EXPECT_TRUE(plan.report.in_sync);
}

TEST_F(PlanJobs, AFieldThatDiffersIsPatchedAlone) {
  want("a").fields["memory"] = 16.0;
  live_job("a").fields["memory"] = 8.0;
  const auto plan = decide();
  const auto& a = patch(plan);
  ASSERT_EQ(a.job.fields.size(), 1U);
  EXPECT_EQ(std::get<double>(a.job.fields.at("memory")), 16.0);
  EXPECT_THAT(a.reason, HasSubstr("memory is 8 and should be 16"));
}

TEST_F(PlanJobs, AFieldThatTheFileLeavesOutIsLeftAlone) {
  want("a");
  live_job("a").fields["memory"] = 8.0;
  run("a", cml::run_state::succeeded, 1h);
  EXPECT_TRUE(decide().actions.empty());
}

TEST_F(PlanJobs, ATimeoutInTheOtherJsonTypeIsTheSame) {
  want("a").fields["timeout"] = std::int64_t{600};
  live_job("a").fields["timeout"] = text{"600"};
  EXPECT_EQ(count(decide(), action_kind::update_job), 0);
}

TEST_F(PlanJobs, AMemberThatTheAnswerLeavesOutStandsForItsDefault) {
  want("a").fields["nvidia_gpu"] = std::int64_t{0};
  live_job("a").fields.erase("nvidia_gpu");
  EXPECT_EQ(count(decide(), action_kind::update_job), 0);
}

TEST_F(PlanJobs, AddonsOfTheServerAreLeftAlone) {
  want("a").fields["runtime_addon_identifiers"] = text_list{"spark"};
  live_job("a").fields["runtime_addon_identifiers"] = text_list{"hadoop-cli-7", "spark"};
  EXPECT_EQ(count(decide(), action_kind::update_job), 0);
}

TEST_F(PlanJobs, AMissingAddonIsPatchedTogetherWithTheRuntime) {
  want("a").fields["runtime_addon_identifiers"] = text_list{"spark"};
  auto& live = live_job("a");
  live.fields["runtime_addon_identifiers"] = text_list{"hadoop-cli-7"};
  live.fields["runtime_identifier"] = text{"image:1"};
  const auto plan = decide();
  const auto& a = patch(plan);
  EXPECT_EQ(std::get<text>(a.job.fields.at("runtime_identifier")).value, "image:1");
}

TEST_F(PlanJobs, AChangedRuntimeTakesTheAddonsAlongThatCmlWouldReset) {
  want("a").fields["runtime_identifier"] = text{"image:2"};
  auto& live = live_job("a");
  live.fields["runtime_identifier"] = text{"image:1"};
  live.fields["runtime_addon_identifiers"] = text_list{"hadoop-cli-7", "spark"};
  const auto plan = decide();
  EXPECT_EQ(std::get<text_list>(patch(plan).job.fields.at("runtime_addon_identifiers")).size(), 2U);
}

TEST_F(PlanJobs, TheEnvironmentIsOwnedWholeWhereItIsGiven) {
  want("a").fields["environment"] = text_map{{"A", "1"}};
  live_job("a").fields["environment"] = text_map{{"A", "1"}, {"EXTRA", "x"}};
  const auto plan = decide();
  const auto& env = std::get<text_map>(patch(plan).job.fields.at("environment"));
  EXPECT_EQ(env.size(), 1U);
}

TEST_F(PlanJobs, WithMergeOnlyTheNamedKeysAreOwned) {
  auto& spec = want("a");
  spec.env_policy = config::environment_policy::merge;
  spec.fields["environment"] = text_map{{"A", "1"}};
  auto& live = live_job("a");
  live.fields["environment"] = text_map{{"A", "1"}, {"EXTRA", "x"}};
  EXPECT_EQ(count(decide(), action_kind::update_job), 0);
  live.fields["environment"] = text_map{{"A", "2"}, {"EXTRA", "x"}};
  const auto plan = decide();
  const auto& env = std::get<text_map>(patch(plan).job.fields.at("environment"));
  EXPECT_EQ(env.at("EXTRA").value, "x");
  EXPECT_EQ(env.at("A").value, "1");
}

TEST_F(PlanJobs, ASecretIsNotShownNorIsWhatItReplaces) {
  want("a").fields["environment"] = text_map{{"TOKEN", text{"new-secret", true}}};
  live_job("a").fields["environment"] = text_map{{"TOKEN", "old-secret"}, {"OTHER", "hers"}};
  const auto plan = decide();
  const auto& shown = job(plan, "a").differences.at(0);
  const auto all = shown.live + shown.desired + patch(plan).reason;
  EXPECT_EQ(all.find("secret\""), std::string::npos) << all;
  EXPECT_EQ(all.find("new-secret"), std::string::npos);
  EXPECT_EQ(all.find("old-secret"), std::string::npos);
  EXPECT_EQ(all.find("hers"), std::string::npos);
}

TEST_F(PlanJobs, AParentThatTheFileDeniesIsCleared) {
  auto& spec = want("a");
  spec.owns_parent = true;
  live_job("a").parent_id = "id-other";
  const auto plan = decide();
  EXPECT_EQ(patch(plan).job.parent_id, "");
}

TEST_F(PlanJobs, AParentOfWhichTheFileIsSilentIsLeftAlone) {
  want("a");
  live_job("a").parent_id = "id-other";
  EXPECT_EQ(count(decide(), action_kind::update_job), 0);
}

TEST_F(PlanJobs, AnotherParentIsPatched) {
  want("a");
  want("b", "a");
  live_job("a");
  live_job("b").parent_id = "id-other";
  const auto plan = decide();
  EXPECT_EQ(patch(plan).job.parent_id, "id-a");
}

TEST_F(PlanJobs, WhatAPatchDidNotChangeIsUnappliableAndNotTriedAgain) {
  want("a").fields["timezone"] = text{"Europe/Berlin"};
  auto& live = live_job("a");
  live.fields["timezone"] = text{"America/Los_Angeles"};
  run("a", cml::run_state::succeeded, 1h);
  const auto first = decide();
  note_done(memory, patch(first), &live, now.cml, now);
  const auto second = decide();
  EXPECT_EQ(count(second, action_kind::update_job), 0);
  EXPECT_TRUE(job(second, "a").differences.at(0).unappliable);
  EXPECT_EQ(second.report.state, project_state::degraded);
  EXPECT_THAT(second.report.reasons.at(0), HasSubstr("Unappliable"));
  EXPECT_TRUE(second.final);
}

TEST_F(PlanJobs, AnUnappliableFieldIsTriedAgainWhenTheFileChanges) {
  want("a").fields["timezone"] = text{"Europe/Berlin"};
  auto& live = live_job("a");
  live.fields["timezone"] = text{"America/Los_Angeles"};
  note_done(memory, patch(decide()), &live, now.cml, now);
  wanted.jobs[0].fields["timezone"] = text{"Europe/Paris"};
  EXPECT_EQ(count(decide(), action_kind::update_job), 1);
}

TEST_F(PlanJobs, AnUnappliableFieldIsTriedAgainWhenTheLiveValueChanges) {
  want("a").fields["timezone"] = text{"Europe/Berlin"};
  auto& live = live_job("a");
  live.fields["timezone"] = text{"America/Los_Angeles"};
  note_done(memory, patch(decide()), &live, now.cml, now);
  live.fields["timezone"] = text{"Asia/Tokyo"};
  EXPECT_EQ(count(decide(), action_kind::update_job), 1);
}

TEST_F(PlanJobs, AChangeThatComesBackIsGivenUpAfterFiveTimesInTenMinutes) {
  want("a").fields["cpu"] = 4.0;
  auto& live = live_job("a");
  for (int i = 0; i < 5; ++i) {
    live.fields["cpu"] = 2.0;
    const auto plan = decide();
    ASSERT_EQ(count(plan, action_kind::update_job), 1) << i;
    live.fields["cpu"] = 4.0;
    note_done(memory, patch(plan), &live, now.cml, now);
    live.fields["cpu"] = 2.0;
    now.local += 10s;
  }
  const auto plan = decide();
  EXPECT_EQ(count(plan, action_kind::update_job), 0);
  EXPECT_TRUE(job(plan, "a").differences.at(0).unappliable);
}

TEST_F(PlanJobs, TwoLiveJobsOfOneNameAreAmbiguousAndLeftAlone) {
  want("a").fields["cpu"] = 2.0;
  live_job("a").fields["cpu"] = 1.0;
  live_job("a").id = "id-a2";
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(job(plan, "a").state, job_state::ambiguous);
  EXPECT_THAT(plan.report.ambiguous_ids, ElementsAre("id-a", "id-a2"));
}

TEST_F(PlanJobs, AnAmbiguousOneDoesNotHoldUpTheOthers) {
  want("a");
  want("b");
  live_job("a");
  live_job("a").id = "id-a2";
  EXPECT_EQ(count(decide(), action_kind::create_job), 1);
}

TEST_F(PlanJobs, OneThatTheFileDoesNotHaveIsCountedAndLeftAlone) {
  want("a");
  live_job("a");
  run("a", cml::run_state::succeeded, 1h);
  live_job("foreign");
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_THAT(plan.report.orphans, ElementsAre("Job foreign"));
  EXPECT_EQ(plan.report.state, project_state::converged);
}

TEST_F(PlanJobs, PruneDeletesOnlyWhatBearsTheMark) {
  wanted.prune = true;
  live_job("foreign");
  live_job("ours").fields["environment"] = text_map{{owner_mark, owner_mark_value}};
  const auto plan = decide();
  ASSERT_EQ(count(plan, action_kind::delete_job), 1);
  EXPECT_EQ(plan.actions[0].job_id, "id-ours");
}

TEST_F(PlanJobs, PruneStopsAtItsLimit) {
  wanted.prune = true;
  for (const char* key : {"p", "q", "r", "s", "t"})
    live_job(key).fields["environment"] = text_map{{owner_mark, owner_mark_value}};
  const auto plan = decide();
  EXPECT_EQ(count(plan, action_kind::delete_job), 3);
  for (const auto& a : plan.actions) note_sent(memory, a, now);
  EXPECT_EQ(count(decide(), action_kind::delete_job), 0);
  now.local += rules.interval;
  note_observed(memory, wanted, seen, rules, now);
  EXPECT_EQ(count(decide(), action_kind::delete_job), 3);
}

TEST_F(PlanJobs, PruneWaitsForAnActiveRun) {
  wanted.prune = true;
  live_job("ours").fields["environment"] = text_map{{owner_mark, owner_mark_value}};
  run("ours", cml::run_state::running, 1min);
  EXPECT_EQ(count(decide(), action_kind::delete_job), 0);
}

TEST_F(PlanJobs, TheMarkIsWrittenOnlyWherePruneIsOn) {
  want("a");
  EXPECT_FALSE(decide().actions.at(0).job.fields.contains("environment"));
  wanted.prune = true;
  const auto plan = decide();
  EXPECT_TRUE(std::get<text_map>(plan.actions.at(0).job.fields.at("environment"))
                  .contains(owner_mark));
}

TEST_F(PlanJobs, ACreationThatMayStillTakeEffectIsNotRepeated) {
  want("a");
  auto plan = decide();
  note_sent(memory, plan.actions.at(0), now);
  core::error lost{core::error_kind::timed_out, "no answer"};
  lost.may_have_happened = true;
  note_failed(memory, plan.actions.at(0), lost, now);
  now.local += 34s;
  seen.pass_began = now.local;
  note_observed(memory, wanted, seen, rules, now);
  EXPECT_TRUE(decide().actions.empty());
  now.local += 1s;
  seen.pass_began = now.local;
  note_observed(memory, wanted, seen, rules, now);
  EXPECT_EQ(count(decide(), action_kind::create_job), 1);
}

TEST_F(PlanJobs, ACreationThatShowsItselfIsSettledAtOnce) {
  want("a");
  note_sent(memory, decide().actions.at(0), now);
  live_job("a");
  note_observed(memory, wanted, seen, rules, now);
  EXPECT_FALSE(memory.jobs.at("Job a").create_sent.has_value());
}

TEST_F(PlanJobs, AScriptThatIsNotThereYetIsWaitedForDuringCloneSettle) {
  want("a");
  core::error missing{core::error_kind::refused,
                      "script 'a.py' not found in project directory"};
  note_failed(memory, decide().actions.at(0), missing, now);
  auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.state, project_state::progressing);
  now.local += 5s;
  EXPECT_EQ(count(decide(), action_kind::create_job), 1);
}

TEST_F(PlanJobs, AScriptThatNeverComesIsDegradedAfterCloneSettle) {
  want("a");
  core::error missing{core::error_kind::refused,
                      "script 'a.py' not found in project directory"};
  const auto creation = decide().actions.at(0);
  note_failed(memory, creation, missing, now);
  now.local += 2min;
  note_failed(memory, creation, missing, now);
  const auto plan = decide();
  EXPECT_EQ(plan.report.state, project_state::degraded);
  EXPECT_THAT(plan.report.reasons.at(0), HasSubstr("script 'a.py' not found"));
  EXPECT_TRUE(plan.final);
}

TEST_F(PlanJobs, ADefiniteRefusalIsDegradedAtOnce) {
  want("a");
  core::error no{core::error_kind::refused, "memory exceeds the limit"};
  note_failed(memory, decide().actions.at(0), no, now);
  EXPECT_EQ(decide().report.state, project_state::degraded);
}

TEST_F(PlanJobs, AChangedDefinitionIsNotHeldBackByTheRefusalOfTheOldOne) {
  want("a");
  core::error no{core::error_kind::refused, "memory exceeds the limit"};
  note_failed(memory, decide().actions.at(0), no, now);
  wanted.jobs[0].fields["memory"] = 1.0;
  EXPECT_EQ(count(decide(), action_kind::create_job), 1);
}

TEST_F(PlanJobs, ASuspendedOneIsNeitherWrittenNorStarted) {
  auto& spec = want("a");
  spec.suspend = true;
  spec.fields["cpu"] = 2.0;
  live_job("a").fields["cpu"] = 1.0;
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(job(plan, "a").state, job_state::suspended);
  EXPECT_EQ(plan.report.state, project_state::suspended);
}

TEST(SpecHash, IsTheSameForTheSameDefinitionAndAnotherForAnother) {
  config::job_spec a;
  a.fields["script"] = text{"a.py"};
  auto b = a;
  b.description = "another description is not another definition";
  EXPECT_EQ(spec_hash(a, ""), spec_hash(b, ""));
  b.fields["script"] = text{"b.py"};
  EXPECT_NE(spec_hash(a, ""), spec_hash(b, ""));
  EXPECT_EQ(spec_hash(a, "").size(), 16U);
}

}  // namespace
}  // namespace cmlrec::plan::test
