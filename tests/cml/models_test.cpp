#include "cml/models.hpp"

#include <gtest/gtest.h>

namespace cmlrec::cml {
namespace {

TEST(CmlModels, StatusIsReadWithAndWithoutItsPrefix) {
  EXPECT_EQ(parse_run_state("ENGINE_TIMEDOUT"), run_state::timed_out);
  EXPECT_EQ(parse_run_state("succeeded"), run_state::succeeded);
  EXPECT_EQ(parse_run_state("Engine_Running"), run_state::running);
}

TEST(CmlModels, StatusThatIsNotListedIsUnknownAndNotTerminal) {
  for (const char* status : {"", "ENGINE_UNKNOWN", "ENGINE_PAUSED"}) {
    EXPECT_EQ(parse_run_state(status), run_state::unknown) << status;
    EXPECT_FALSE(is_finished(parse_run_state(status))) << status;
  }
}

TEST(CmlModels, SkippedAndStoppedAreFinishedAndStoppingIsNot) {
  EXPECT_TRUE(is_finished(run_state::skipped));
  EXPECT_TRUE(is_finished(run_state::stopped));
  EXPECT_FALSE(is_finished(run_state::stopping));
}

}  // namespace
}  // namespace cmlrec::cml
