#include "core/time.hpp"

#include <gtest/gtest.h>

namespace cmlrec::core {
namespace {

using namespace std::chrono_literals;

timestamp at(std::int64_t milliseconds) { return timestamp{duration{milliseconds}}; }

TEST(CoreTimestamp, ReadsUtcWithAnyFraction) {
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:01Z"), at(1000));
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:01.5Z"), at(1500));
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:01.123456789Z"), at(1123));
  EXPECT_EQ(parse_timestamp("1970-01-01t00:00:01z"), at(1000));
}

TEST(CoreTimestamp, ReadsOffsets) {
  EXPECT_EQ(parse_timestamp("1970-01-01T01:00:00+01:00"), at(0));
  EXPECT_EQ(parse_timestamp("1969-12-31T19:30:00-04:30"), at(0));
  EXPECT_EQ(parse_timestamp("1970-01-01T01:00:00+0100"), at(0));
}

TEST(CoreTimestamp, DateAloneIsItsMidnight) {
  EXPECT_EQ(parse_timestamp("1970-01-02"), at(86'400'000));
}

TEST(CoreTimestamp, LeapDayIsADay) {
  EXPECT_TRUE(parse_timestamp("2024-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_timestamp("2023-02-29T00:00:00Z"));
}

TEST(CoreTimestamp, LeapSecondIsTheNextMinute) {
  EXPECT_EQ(parse_timestamp("2016-12-31T23:59:60Z"), parse_timestamp("2017-01-01T00:00:00Z"));
}

TEST(CoreTimestamp, RefusesOtherTexts) {
  for (const char* text :
       {"", "now", "2026-1-2", "2026-01-02T03:04", "2026-01-02T03:04:05", "2026-13-01",
        "2026-01-32T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05+1", "2026-01-02T03:04:05+25:00",
        "2026-01-02T03:04:05Zx", "2026-01-02x", " 2026-01-02", "-2026-01-02"})
    EXPECT_FALSE(parse_timestamp(text)) << text;
}

TEST(CoreTimestamp, RefusesWhatCannotBeWrittenDown) {
  EXPECT_FALSE(parse_timestamp("9999-12-31T23:59:60Z"));
  EXPECT_FALSE(parse_timestamp("9999-12-31T23:59:59-00:01"));
  EXPECT_FALSE(parse_timestamp("0000-01-01T00:00:00+00:01"));
  EXPECT_FALSE(parse_http_date("Fri, 31 Dec 9999 23:59:60 GMT"));
  EXPECT_TRUE(parse_timestamp("9999-12-31T23:59:59.999Z"));
  EXPECT_TRUE(parse_timestamp("0000-01-01T00:00:00Z"));
}

TEST(CoreTimestamp, FormatsInUtcWithMilliseconds) {
  EXPECT_EQ(format_timestamp(at(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_timestamp(at(1'767'323'045'678)), "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(format_timestamp(at(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_timestamp(at(-62'135'596'800'000)), "0001-01-01T00:00:00.000Z");
  EXPECT_EQ(format_timestamp(at(253'402'300'800'000)), "10000-01-01T00:00:00.000Z");
}

TEST(CoreTimestamp, WhatIsFormattedIsReadBack) {
  for (const std::int64_t ms : {0LL, 1LL, 951'782'400'000LL, 1'767'323'045'678LL, -62'000LL})
    EXPECT_EQ(parse_timestamp(format_timestamp(at(ms))), at(ms));
}

TEST(CoreHttpDate, ReadsAndWritesTheFixedForm) {
  const auto when = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  ASSERT_TRUE(when);
  EXPECT_EQ(format_timestamp(*when), "1994-11-06T08:49:37.000Z");
  EXPECT_EQ(format_http_date(*when), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(CoreHttpDate, RefusesOtherForms) {
  for (const char* text :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 06 Xxx 1994 08:49:37 GMT", "Sun, "})
    EXPECT_FALSE(parse_http_date(text)) << text;
}

TEST(CoreDuration, NumberAloneIsInSeconds) {
  EXPECT_EQ(parse_duration("90"), 90s);
  EXPECT_EQ(parse_duration("0"), 0s);
  EXPECT_EQ(parse_duration("0.25"), 250ms);
}

TEST(CoreDuration, ReadsUnitsAndSumsOfThem) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("90s"), 90s);
  EXPECT_EQ(parse_duration("15m"), 15min);
  EXPECT_EQ(parse_duration("15min"), 15min);
  EXPECT_EQ(parse_duration("1.5h"), 90min);
  EXPECT_EQ(parse_duration("2m30s"), 150s);
  EXPECT_EQ(parse_duration("1d"), 24h);
  EXPECT_EQ(parse_duration("1w"), 168h);
}

TEST(CoreDuration, RefusesOtherTexts) {
  for (const char* text : {"", "-1", "-5s", "s", "1x", "1s2", "1 s", "1.2.3s", ".s", "nan", "inf",
                           "1e3", "11000d", "99999999999999999999999999999999"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(CoreDuration, VeryLongDigitsDoNotOverflow) {
  EXPECT_FALSE(parse_duration(std::string(5000, '9') + "s"));
  EXPECT_EQ(parse_duration("1." + std::string(5000, '0') + "s"), 1s);
}

TEST(CoreDuration, FormatsWithAtMostTwoUnits) {
  EXPECT_EQ(format_duration(0ms), "0 ms");
  EXPECT_EQ(format_duration(350ms), "350 ms");
  EXPECT_EQ(format_duration(40s), "40 s");
  EXPECT_EQ(format_duration(5min), "5 min");
  EXPECT_EQ(format_duration(5min + 7s), "5 min 7 s");
  EXPECT_EQ(format_duration(80min), "1 h 20 min");
  EXPECT_EQ(format_duration(49h + 59min), "2 d 1 h");
  EXPECT_EQ(format_duration(-40s), "-40 s");
}

}  // namespace
}  // namespace cmlrec::core
