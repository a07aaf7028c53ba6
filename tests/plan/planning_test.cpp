// decide() in slices: what may happen between them, and what may not.
#include "plan/fixture.hpp"

#include <tuple>

namespace cmlrec::plan::test {
namespace {

class Planning : public planner_test {
 protected:
  // Something of everything: created, changed, started, running, waiting, failed, suspended, stray.
  void arrange() {
    live_project();
    for (const char* key : {"new", "drifted", "stale", "running", "broken", "held"}) want(key);
    want("child", "running");
    want("grandchild", "child");
    wanted.jobs[5].suspend = true;
    for (const char* key : {"drifted", "stale", "running", "broken", "held", "child", "grandchild", "stray"})
      live_job(key);
    (*seen.jobs)[0].fields["script"] = core::text{"other.py"};
    run("running", cml::run_state::running, 2min);
    run("broken", cml::run_state::failed, 1h);
  }

  project_plan in_slices(std::size_t most) const {
    planning all(wanted, seen, memory, rules, now);
    while (all.go_on(most)) ++slices_;
    return all.take();
  }

  using shown = std::vector<std::tuple<std::string, std::string>>;
  static shown jobs_of(const project_plan& plan) {
    shown out;
    for (const auto& j : plan.report.jobs) out.emplace_back(j.key, to_string(j.state) + (": " + j.reason));
    return out;
  }
  static shown actions_of(const project_plan& plan) {
    shown out;
    for (const auto& a : plan.actions) out.emplace_back(a.job_name, to_string(a.kind) + (": " + a.reason));
    return out;
  }

  mutable int slices_ = 0;
};

TEST_F(Planning, InSlicesTheSameIsDecidedAsAtOnce) {
  arrange();
  const auto whole = decide();
  ASSERT_GE(whole.actions.size(), 3U);
  for (const std::size_t most : {1U, 2U, 3U, 5U, 1000U}) {
    const auto sliced = in_slices(most);
    EXPECT_EQ(jobs_of(sliced), jobs_of(whole)) << most;
    EXPECT_EQ(actions_of(sliced), actions_of(whole)) << most;
    EXPECT_EQ(sliced.report.reasons, whole.report.reasons) << most;
    EXPECT_EQ(sliced.report.orphans, whole.report.orphans) << most;
    EXPECT_EQ(sliced.look_again, whole.look_again) << most;
  }
}

TEST_F(Planning, InSlicesTheSameIsReadAsAtOnce) {
  arrange();
  seen.histories.clear();
  const auto whole = decide();
  const auto sliced = in_slices(1);
  ASSERT_EQ(whole.reads.size(), 7U);
  ASSERT_EQ(sliced.reads.size(), whole.reads.size());
  EXPECT_TRUE(sliced.actions.empty());
}

TEST_F(Planning, WhatOneSliceWantsToReadDoesNotEndTheOthers) {
  live_project();
  for (const char* key : {"a", "b", "c", "d"}) {
    want(key);
    live_job(key);
    run(key, cml::run_state::failed, 2h);
    seen.histories[id_of(key)].began.local = now.local - 1h;  // each is to be looked at anew
  }
  ASSERT_EQ(decide().reads.size(), 4U);
  EXPECT_EQ(in_slices(1).reads.size(), 4U);
}

TEST_F(Planning, NoSliceLooksAtMoreJobsThanItMay) {
  arrange();
  in_slices(1);
  const auto one_by_one = slices_;
  slices_ = 0;
  in_slices(4);
  EXPECT_GE(one_by_one, 8 * 5);  // jobs, and rules that look at each
  EXPECT_LE(slices_, one_by_one / 4 + 1);
  EXPECT_GE(slices_, one_by_one / 4 - 1);
}

TEST_F(Planning, WhatIsAskedForBetweenTwoSlicesHarmsNothing) {
  arrange();
  planning all(wanted, seen, memory, rules, now);
  while (all.go_on(1)) {
    memory.jobs_to_force.insert("stale");
    memory.jobs["Job stale"].suspended = suspension{std::nullopt, "ada"};
    memory.jobs["Job of nobody"].suspended = suspension{std::nullopt, "ada"};
  }
  EXPECT_EQ(all.take().report.jobs.size(), 8U);
}

}  // namespace
}  // namespace cmlrec::plan::test
