#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reconcile/state_store.hpp"

namespace cmlrec::reconcile {
namespace {

class StateFile : public ::testing::Test {
 protected:
  StateFile() {
    std::string name = ::testing::TempDir() + "cmlrec-state-XXXXXX";
    directory = mkdtemp(name.data());
  }
  ~StateFile() override { std::filesystem::remove_all(directory); }
  std::string directory;
};

TEST_F(StateFile, AnEmptyDirectoryHasNoJournal) {
  EXPECT_FALSE(open_state_directory(directory)->load().has_value());
}

TEST_F(StateFile, WhatIsSavedIsLoaded) {
  saved_state state;
  state.force_rebuild_taken = true;
  auto& project = state.projects["p"];
  project.create_sent = true;
  project.force_at = core::parse_timestamp("2026-01-02T03:04:05.678Z");
  project.jobs["j"].start_sent = true;
  project.jobs["j"].suspended = plan::suspension{project.force_at, "ada"};
  project.jobs_to_force = {"a", "b"};
  project.retry_requested = true;
  project.jobs_to_retry = {"c"};
  project.suspended = plan::suspension{std::nullopt, "ada"};
  std::string why;
  ASSERT_TRUE(open_state_directory(directory)->save(state, why)) << why;
  EXPECT_EQ(open_state_directory(directory)->load(), state);
}

TEST_F(StateFile, AJournalFromBeforeTheMachineWasStartedIsToldFromOneOfSince) {
  std::string why;
  ASSERT_TRUE(open_state_directory(directory)->save({}, why)) << why;
  EXPECT_TRUE(open_state_directory(directory)->load()->of_this_boot);
  std::ofstream(directory + "/state.json") << R"({"version":1,"boot":"another","projects":{}})";
  EXPECT_FALSE(open_state_directory(directory)->load()->of_this_boot);
}

TEST_F(StateFile, ATornFileIsAsIfThereWereNone) {
  std::ofstream(directory + "/state.json") << "{\"version\":1,\"proj";
  EXPECT_FALSE(open_state_directory(directory)->load().has_value());
}

TEST_F(StateFile, ASecondDaemonIsRefusedWithTheRemedy) {
  const auto first = open_state_directory(directory);
  try {
    open_state_directory(directory);
    FAIL() << "opened twice";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), ::testing::HasSubstr("--state-dir"));
  }
}

TEST_F(StateFile, APlaceThatCannotBeWrittenIsToldWithTheRemedy) {
  std::ofstream(directory + "/file") << "x";
  try {
    open_state_directory(directory + "/file/below");
    FAIL() << "opened";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), ::testing::HasSubstr("--state-dir"));
  }
}

}  // namespace
}  // namespace cmlrec::reconcile
