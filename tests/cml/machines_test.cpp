#include "cml/backoff.hpp"
#include "cml/circuit.hpp"
#include "cml/rate_limit.hpp"

#include <gtest/gtest.h>

namespace cmlrec::cml {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using verdict = circuit::verdict;

core::instant at(core::duration d) { return core::instant{std::chrono::hours{1} + d}; }

TEST(Backoff, CeilingDoublesUpToTheCap) {
  backoff b;
  const double almost_one = 0.999999;
  std::vector<milliseconds::rep> waits;
  for (int i = 0; i < 9; ++i) waits.push_back((b.next(almost_one, {}).count() + 1) / 100 * 100);
  EXPECT_EQ(waits,
            (std::vector<milliseconds::rep>{200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000}));
}

TEST(Backoff, JitterIsFull) {
  backoff b;
  EXPECT_EQ(b.next(0.0, {}), milliseconds{0});
  EXPECT_EQ(b.next(0.5, {}), milliseconds{200});
}

TEST(Backoff, ServerIsNeverAskedEarlierThanItWants) {
  backoff b;
  EXPECT_EQ(b.next(0.9, seconds{3}), seconds{3});
  EXPECT_EQ(b.next(0.5, milliseconds{1}), milliseconds{200});
}

TEST(Backoff, ManyTriesDoNotOverflow) {
  backoff b;
  for (int i = 0; i < 200; ++i) EXPECT_LE(b.next(1.0, {}), seconds{10});
}

// Opens it at at(0).
circuit opened() {
  circuit c;
  for (std::uint64_t call = 1; call <= 5; ++call) {
    EXPECT_EQ(c.ask(at({})), verdict::go);
    EXPECT_EQ(c.failed(at({}), call, verdict::go, "why " + std::to_string(call)), call == 5);
  }
  return c;
}

TEST(Circuit, OpensAfterFiveDifferentCallsHaveFailed) {
  auto c = opened();
  EXPECT_TRUE(c.is_open());
  EXPECT_EQ(c.ask(at(milliseconds{4999})), verdict::stop);
  EXPECT_EQ(c.why(), "why 5");
  EXPECT_EQ(c.reopens_at(at({})), at(seconds{5}));
}

TEST(Circuit, RetriesOfOneCallCountOnce) {
  circuit c;
  for (std::uint64_t i = 0; i < 20; ++i) EXPECT_FALSE(c.failed(at({}), i % 4, verdict::go, ""));
  EXPECT_FALSE(c.is_open());
}

TEST(Circuit, AnAnswerBeginsTheCountAgain) {
  circuit c;
  for (std::uint64_t call = 1; call <= 4; ++call) c.failed(at({}), call, verdict::go, "");
  EXPECT_FALSE(c.succeeded());
  EXPECT_FALSE(c.failed(at({}), 5, verdict::go, ""));
  EXPECT_EQ(c.ask(at({})), verdict::go);
}

TEST(Circuit, OneProbeGoesAtATime) {
  auto c = opened();
  EXPECT_EQ(c.ask(at(seconds{5})), verdict::probe);
  EXPECT_EQ(c.ask(at(seconds{5})), verdict::stop);
  EXPECT_GT(c.reopens_at(at(seconds{5})), at(seconds{5}));
}

TEST(Circuit, SuccessfulProbeCloses) {
  auto c = opened();
  c.ask(at(seconds{5}));
  EXPECT_TRUE(c.succeeded());
  EXPECT_EQ(c.ask(at(seconds{5})), verdict::go);
}

TEST(Circuit, FailedProbesDoubleThePauseUpToAMinute) {
  auto c = opened();
  core::duration now = seconds{5};
  for (const int expected : {10, 20, 40, 60, 60}) {
    ASSERT_EQ(c.ask(at(now)), verdict::probe);
    EXPECT_TRUE(c.failed(at(now), 100, verdict::probe, "still"));
    EXPECT_EQ(c.reopens_at(at(now)) - at(now), seconds{expected});
    now += seconds{expected};
  }
}

TEST(Circuit, PauseStartsSmallAgainAfterASuccess) {
  auto c = opened();
  c.ask(at(seconds{5}));
  c.failed(at(seconds{5}), 9, verdict::probe, "");
  c.ask(at(seconds{15}));
  c.succeeded();
  for (std::uint64_t call = 1; call <= 5; ++call) c.failed(at(seconds{20}), call, verdict::go, "");
  EXPECT_EQ(c.reopens_at(at(seconds{20})), at(seconds{25}));
}

TEST(Circuit, StragglersDoNotPostponeTheProbe) {
  auto c = opened();
  EXPECT_FALSE(c.failed(at(seconds{4}), 77, verdict::go, "late"));
  EXPECT_EQ(c.ask(at(seconds{5})), verdict::probe);
}

TEST(Circuit, AbandonedProbeMakesRoomForAnother) {
  auto c = opened();
  const auto asked = c.ask(at(seconds{5}));
  c.abandoned(asked);
  EXPECT_EQ(c.ask(at(seconds{5})), verdict::probe);
}

TEST(RateLimit, OneSecondsWorthGoesAtOnceAndTheRestAtTheRate) {
  rate_limit r(4);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(r.reserve(at({}), at(seconds{9})), at({}));
  EXPECT_EQ(r.reserve(at({}), at(seconds{9})), at(milliseconds{250}));
  EXPECT_EQ(r.reserve(at({}), at(seconds{9})), at(milliseconds{500}));
}

TEST(RateLimit, TokensComeBackWithTime) {
  rate_limit r(1);
  EXPECT_EQ(r.reserve(at({}), at(seconds{9})), at({}));
  EXPECT_EQ(r.reserve(at(seconds{1}), at(seconds{9})), at(seconds{1}));
  EXPECT_EQ(r.reserve(at(milliseconds{1500}), at(seconds{9})), at(seconds{2}));
}

TEST(RateLimit, WhoCannotGoInTimeTakesNoPlace) {
  rate_limit r(1);
  EXPECT_EQ(r.reserve(at({}), at({})), at({}));
  EXPECT_FALSE(r.reserve(at({}), at(milliseconds{999})));
  EXPECT_EQ(r.reserve(at({}), at(seconds{1})), at(seconds{1}));
}

TEST(RateLimit, RateBelowOneStillLetsTheFirstGo) {
  rate_limit r(0.5);
  EXPECT_EQ(r.reserve(at({}), at(seconds{9})), at({}));
  EXPECT_EQ(r.reserve(at({}), at(seconds{9})), at(seconds{2}));
}

TEST(RateLimit, ZeroIsNoLimit) {
  rate_limit r(0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(r.reserve(at({}), at({})), at({}));
}

}  // namespace
}  // namespace cmlrec::cml
