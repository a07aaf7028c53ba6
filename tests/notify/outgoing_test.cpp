#include "notify/outgoing.hpp"

#include <gtest/gtest.h>

namespace cmlrec::notify {
namespace {

using namespace std::chrono_literals;

constexpr core::instant start{core::duration{5'000'000}};

message of(std::uint64_t number, core::instant since = start) {
  message m;
  m.number = number;
  m.since = since;
  return m;
}

reply status(int s) {
  reply r;
  r.status = s;
  return r;
}

TEST(NotifyOutgoing, ATakenMessageIsGone) {
  outgoing q;
  q.put(of(1));
  q.begin();
  EXPECT_EQ(q.judge(status(204), start, 0.5), verdict::delivered);
  EXPECT_TRUE(q.empty());
}

TEST(NotifyOutgoing, WhatMaySucceedLaterIsTriedAgainAfterAGrowingWait) {
  outgoing q;
  q.put(of(1));
  core::duration before{0};
  for (const int code : {0, 500, 429, 503}) {
    q.begin();
    EXPECT_EQ(q.judge(status(code), start, 1.0), verdict::again) << code;
    EXPECT_GT(q.next_try() - start, before) << code;
    before = q.next_try() - start;
  }
  EXPECT_EQ(q.size(), 1U);
}

TEST(NotifyOutgoing, ARefusalAndARedirectAreGivenUpAtOnce) {
  for (const int code : {301, 302, 400, 401, 404, 410}) {
    outgoing q;
    q.put(of(1));
    q.begin();
    EXPECT_EQ(q.judge(status(code), start, 0), verdict::failed) << code;
    EXPECT_TRUE(q.empty());
  }
}

TEST(NotifyOutgoing, TheServersOwnTimeIsKept) {
  outgoing q;
  q.put(of(1));
  q.begin();
  auto r = status(429);
  r.retry_after = 90s;
  EXPECT_EQ(q.judge(r, start, 0), verdict::again);
  EXPECT_GE(q.next_try(), start + 90s);
}

TEST(NotifyOutgoing, TenMinutesAreTheEnd) {
  outgoing q;
  q.put(of(1));
  q.put(of(2, start + 9min));
  q.begin();
  EXPECT_EQ(q.judge(status(500), start + 9min, 0), verdict::again);
  q.begin();
  EXPECT_EQ(q.judge(status(500), start + 10min, 0), verdict::failed);
  EXPECT_EQ(q.begin().number, 2U);
  EXPECT_EQ(q.next_try(), core::instant{});
}

TEST(NotifyOutgoing, AFullQueueLosesItsOldestButNotTheOneUnderWay) {
  outgoing q(2);
  q.put(of(1));
  q.put(of(2));
  EXPECT_EQ(q.put(of(3)), 1U);
  EXPECT_EQ(q.begin().number, 2U);
  EXPECT_EQ(q.put(of(4)), 3U);
  EXPECT_EQ(q.judge(status(200), start, 0), verdict::delivered);
  EXPECT_EQ(q.begin().number, 4U);
}

}  // namespace
}  // namespace cmlrec::notify
