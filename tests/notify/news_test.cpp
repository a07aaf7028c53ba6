#include "notify/news.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::notify {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using state = plan::project_state;

// Looks once a second, as the notifier does, and keeps what was told as "event: reasons".
class News : public ::testing::Test {
 protected:
  void hold(state s, core::duration length, const std::vector<std::string>& reasons = {}) {
    for (core::duration passed{0}; passed < length; passed += 1s) {
      sut.see("ray", s, reasons, at);
      take();
      at.steady += 1s;
      at.wall += 1s;
    }
  }
  void take() {
    for (const auto& n : sut.take(at)) {
      std::string line = n.event;
      for (const auto& reason : n.reasons) line += ": " + reason;
      told_lines.push_back(line);
      notices.push_back(n);
    }
  }

  rules when;
  moment at{core::instant{core::duration{1'000'000}},
            *core::parse_timestamp("2026-03-01T12:00:00Z")};
  news sut{rules{}, told{}};
  std::vector<std::string> told_lines;
  std::vector<notice> notices;
};

TEST_F(News, AStateIsToldOnceItHasLasted) {
  hold(state::degraded, 29s, {"git_sync has failed"});
  EXPECT_THAT(told_lines, IsEmpty());
  hold(state::degraded, 10min, {"git_sync has failed"});
  EXPECT_THAT(told_lines, ElementsAre("degraded: git_sync has failed"));
  EXPECT_EQ(notices[0].since, *core::parse_timestamp("2026-03-01T12:00:00Z"));
}

TEST_F(News, ConvergingAfterTroubleIsARecoveryAndElseIsConverged) {
  hold(state::converged, 1min);
  hold(state::degraded, 1min, {"x"});
  hold(state::progressing, 10min);
  hold(state::converged, 1min);
  EXPECT_THAT(told_lines, ElementsAre("converged", "degraded: x", "recovered"));
  EXPECT_EQ(notices[2].previous, "Degraded");
}

TEST_F(News, ProgressingIsNoNewsAndNeitherIsConvergingAgainAfterIt) {
  hold(state::converged, 1min);
  hold(state::progressing, 5h);
  hold(state::converged, 1min);
  EXPECT_THAT(told_lines, ElementsAre("converged"));
}

TEST_F(News, FlappingFasterThanAStateMustLastIsNotTold) {
  hold(state::converged, 1min);
  for (int i = 0; i < 50; ++i) {
    hold(state::degraded, 20s, {"x"});
    hold(state::converged, 20s);
  }
  EXPECT_THAT(told_lines, ElementsAre("converged"));
}

TEST_F(News, TheSameTroubleIsNotToldTwiceWithinTheHour) {
  hold(state::converged, 1min);
  for (int i = 0; i < 20; ++i) {
    hold(state::degraded, 1min, {"x"});
    hold(state::converged, 1min);
  }
  EXPECT_THAT(told_lines, ElementsAre("converged", "degraded: x", "recovered"));
}

TEST_F(News, TroubleThatComesBackAndStaysIsToldWhenTheHourIsOver) {
  hold(state::degraded, 1min, {"x"});
  hold(state::converged, 1min);
  hold(state::degraded, 50min, {"x"});
  EXPECT_THAT(told_lines, ElementsAre("degraded: x", "recovered"));
  hold(state::degraded, 20min, {"x"});
  EXPECT_THAT(told_lines, ElementsAre("degraded: x", "recovered", "degraded: x"));
}

TEST_F(News, OtherReasonsAreNewsAndOtherNumbersInThemAreNot) {
  hold(state::degraded, 1min, {"etl-1 has failed 2 times"});
  hold(state::degraded, 1min, {"etl-1 has failed 3 times"});
  hold(state::degraded, 1min, {"etl-2 has failed 3 times"});
  EXPECT_THAT(told_lines, ElementsAre("degraded: etl-1 has failed 2 times",
                                      "degraded: etl-2 has failed 3 times"));
}

TEST_F(News, ReasonsThatComeAndGoFasterThanTheyMustLastAreNotTold) {
  hold(state::degraded, 1min, {"a"});
  for (int i = 0; i < 20; ++i) {
    hold(state::degraded, 20s, {"a", "b"});
    hold(state::degraded, 20s, {"a"});
  }
  EXPECT_THAT(told_lines, ElementsAre("degraded: a"));
}

TEST_F(News, AnOutageIsToldOncePastItsTimeHoweverItsRequestsFail) {
  hold(state::converged, 1min);
  hold(state::unreachable, 4min, {"no answer"});
  EXPECT_THAT(told_lines, ElementsAre("converged"));
  hold(state::unreachable, 2min, {"502"});
  hold(state::unreachable, 2h, {"no answer"});
  hold(state::converged, 1min);
  EXPECT_THAT(told_lines, ElementsAre("converged", "unreachable: 502", "recovered"));
}

TEST_F(News, SuspensionIsTold) {
  hold(state::converged, 1min);
  hold(state::suspended, 1min);
  hold(state::converged, 1min);
  EXPECT_THAT(told_lines, ElementsAre("converged", "suspended", "converged"));
}

TEST_F(News, ARefusedFileIsToldAtOnceAndOnceAnHour) {
  sut.refused("jobs.yaml:3:1: bad", at);
  take();
  sut.refused("jobs.yaml:3:1: bad", at);
  take();
  EXPECT_THAT(told_lines, ElementsAre("reload_refused: jobs.yaml:3:1: bad"));
  at.wall += 1h;
  sut.refused("jobs.yaml:3:1: bad", at);
  take();
  EXPECT_EQ(told_lines.size(), 2U);
}

TEST_F(News, WhatWasSettledIsNotToldAgainInTheNextLife) {
  hold(state::degraded, 1min, {"x"});
  ASSERT_EQ(notices.size(), 1U);
  sut.settle(notices[0].number);
  sut = news(rules{}, told(sut.settled()));
  hold(state::degraded, 2h, {"x"});
  EXPECT_EQ(notices.size(), 1U);
  hold(state::converged, 1min);
  EXPECT_EQ(notices.back().event, "recovered");
}

TEST_F(News, WhatWasNotSettledIsToldAgainInTheNextLife) {
  hold(state::degraded, 1min, {"x"});
  sut = news(rules{}, told(sut.settled()));
  hold(state::degraded, 1min, {"x"});
  EXPECT_THAT(told_lines, ElementsAre("degraded: x", "degraded: x"));
}

TEST_F(News, SettledLateDoesNotUndoWhatWasSettledSince) {
  hold(state::degraded, 1min, {"x"});
  hold(state::converged, 1min);
  ASSERT_EQ(notices.size(), 2U);
  sut.settle(notices[1].number);
  sut.settle(notices[0].number);
  EXPECT_EQ(sut.settled().projects.at("ray").state, "Converged");
}

TEST_F(News, AProjectThatHasGoneIsForgotten) {
  hold(state::degraded, 1min, {"x"});
  sut.forget("ray");
  EXPECT_THAT(sut.take(at), IsEmpty());
  EXPECT_THAT(sut.settled().projects, IsEmpty());
}

}  // namespace
}  // namespace cmlrec::notify
