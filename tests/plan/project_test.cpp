#include "plan/fixture.hpp"

namespace cmlrec::plan::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
class PlanProject : public planner_test {};

TEST_F(PlanProject, AMissingOneIsCreatedFromItsRepository) {
  const auto plan = decide();
  ASSERT_EQ(count(plan, action_kind::create_project), 1);
  EXPECT_EQ(std::get<core::text>(plan.actions[0].project.fields.at("git_url")).value,
            "https://example.com/o/r");
  EXPECT_THAT(plan.actions[0].reason, HasSubstr("no project is named 'ray-cluster'"));
}

TEST_F(PlanProject, ATemplateIsEnoughToCreateOne) {
  wanted.fields.erase("git_url");
  wanted.fields["template"] = core::text{"Python"};
  EXPECT_EQ(count(decide(), action_kind::create_project), 1);
}

TEST_F(PlanProject, WithNeitherRepositoryNorTemplateItSaysWhatToSet) {
  wanted.fields.erase("git_url");
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.state, project_state::degraded);
  EXPECT_THAT(plan.report.reasons.at(0), HasSubstr("GITHUB_REPOSITORY"));
}

TEST_F(PlanProject, ANameThatOnlyContainsTheWantedOneIsNotIt) {
  live_project().name = "ray-cluster-2";
  EXPECT_EQ(count(decide(), action_kind::create_project), 1);
}

TEST_F(PlanProject, TheOneOfThatNameIsAdopted) {
  live_project();
  want("a");
  seen.jobs.emplace();
  const auto plan = decide();
  EXPECT_EQ(count(plan, action_kind::create_project), 0);
  EXPECT_EQ(plan.report.id, "aaaa-aaaa-aaaa-aaaa");
}

TEST_F(PlanProject, TwoOfThatNameAreAmbiguousAndNothingIsDone) {
  live_project();
  live_project().id = "bbbb-bbbb-bbbb-bbbb";
  want("a");
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.state, project_state::degraded);
  EXPECT_THAT(plan.report.ambiguous_ids,
              ElementsAre("aaaa-aaaa-aaaa-aaaa", "bbbb-bbbb-bbbb-bbbb"));
}

TEST_F(PlanProject, AnOwnerNarrowsTheMatch) {
  live_project();
  auto& other = live_project();
  other.id = "bbbb-bbbb-bbbb-bbbb";
  other.owner = "team";
  wanted.owner = "team";
  EXPECT_EQ(project_to_read(wanted, seen), "bbbb-bbbb-bbbb-bbbb");
}

TEST_F(PlanProject, AnIdNamesItDirectlyWhateverItsName) {
  live_project().name = "renamed by hand";
  wanted.id = "aaaa-aaaa-aaaa-aaaa";
  EXPECT_EQ(project_to_read(wanted, seen), "aaaa-aaaa-aaaa-aaaa");
}

TEST_F(PlanProject, AnIdThatIsNotThereIsNeverCreated) {
  wanted.id = "cccc-cccc-cccc-cccc";
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.state, project_state::degraded);
}

TEST_F(PlanProject, ACreationThatMayStillTakeEffectIsNotRepeated) {
  memory.create_sent = local_noon - 34s;
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.state, project_state::progressing);
  EXPECT_LE(plan.look_again, 1s);
}

TEST_F(PlanProject, AListBegunLongEnoughAfterTheWriteIsBelieved) {
  memory.create_sent = local_noon - 35s;
  EXPECT_EQ(count(decide(), action_kind::create_project), 1);
}

TEST_F(PlanProject, AFormerProcessMayHaveAskedJustBefore) {
  memory.life_began = local_noon - 10s;
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_THAT(plan.report.activity, HasSubstr("former process"));
}

TEST_F(PlanProject, NothingIsDoneToJobsWhileTheCloneGoesOn) {
  live_project("creating").created_at = noon - 40s;
  want("a");
  seen.jobs.emplace();
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.activity, "clone of ray-cluster: running for 40 s (timeout 15 min)");
  EXPECT_EQ(plan.look_again, 4s);
}

TEST_F(PlanProject, ACloneThatFailedIsDegradedWithTheReason) {
  live_project("failure");
  const auto plan = decide();
  EXPECT_EQ(plan.report.state, project_state::degraded);
  EXPECT_TRUE(plan.final);
  EXPECT_THAT(plan.report.reasons.at(0), HasSubstr("clone of the repository has failed"));
}

TEST_F(PlanProject, ACloneThatNeverEndsIsDegradedAtItsDeadline) {
  live_project("creating").created_at = noon - 15min;
  const auto plan = decide();
  EXPECT_EQ(plan.report.state, project_state::degraded);
  EXPECT_TRUE(plan.final);
}

TEST_F(PlanProject, EveryWordForReadyIsTaken) {
  for (const char* word : {"success", "succeeded", "ready", ""}) {
    seen.projects.clear();
    seen.jobs.emplace();
    wanted.jobs.clear();
    live_project(word);
    want("a");
    EXPECT_EQ(count(decide(), action_kind::create_job), 1) << word;
  }
}

TEST_F(PlanProject, AWordThatNobodyKnowsIsWaitedForAndThenLeftToTheJobs) {
  auto& p = live_project("unknown");
  want("a");
  seen.jobs.emplace();
  p.created_at = noon - 1min;
  EXPECT_EQ(count(decide(), action_kind::create_job), 0);
  p.created_at = noon - 16min;
  EXPECT_EQ(count(decide(), action_kind::create_job), 1);
}

TEST_F(PlanProject, AnOwnedFieldThatDiffersIsPatchedAlone) {
  live_project().fields["visibility"] = core::text{"public"};
  wanted.fields["visibility"] = core::text{"private"};
  seen.jobs.emplace();
  const auto plan = decide();
  ASSERT_EQ(count(plan, action_kind::update_project), 1);
  EXPECT_EQ(plan.actions[0].project.fields.size(), 1U);
}

TEST_F(PlanProject, AFieldThatTheFileLeavesOutIsLeftAlone) {
  live_project().fields["visibility"] = core::text{"public"};
  seen.jobs.emplace();
  EXPECT_TRUE(decide().actions.empty());
}

TEST_F(PlanProject, AChangedRepositoryIsToldAndNotTried) {
  live_project();
  seen.jobs.emplace();
  memory.creation_fields["git_url"] = core::text{"https://example.com/o/old"};
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  ASSERT_EQ(plan.report.differences.size(), 1U);
  EXPECT_TRUE(plan.report.differences[0].unappliable);
  EXPECT_EQ(plan.report.differences[0].field, "git_url");
}

TEST_F(PlanProject, ASuspendedOneIsWatchedAndLeftAlone) {
  live_project();
  want("a");
  seen.jobs.emplace();
  wanted.suspend = true;
  const auto plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.state, project_state::suspended);
  EXPECT_TRUE(plan.final);
}

TEST_F(PlanProject, ARefusedCreationIsToldAndRepeatedLater) {
  auto plan = decide();
  core::error why{core::error_kind::refused, "name is not allowed"};
  note_failed(memory, plan.actions.at(0), why, now);
  plan = decide();
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.report.state, project_state::degraded);
  EXPECT_THAT(plan.report.reasons.at(0), HasSubstr("name is not allowed"));
  now.local += 5s;
  EXPECT_EQ(count(decide(), action_kind::create_project), 1);
}

}  // namespace
}  // namespace cmlrec::plan::test
