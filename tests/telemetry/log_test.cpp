#include "telemetry/fixture.hpp"
#include "telemetry/log_line.hpp"
#include "telemetry/text.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::telemetry::testing {
namespace {

using reconcile::severity;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

log_entry entry_of(const std::string& message) {
  log_entry e;
  e.at = at("2026-01-02T03:04:05.678Z");
  e.event = "run.started";
  e.message = message;
  return e;
}

std::string logfmt(const std::string& message) {
  return format_line(entry_of(message), log_format::logfmt, true);
}

TEST(LogLogfmt, HasTimeLevelEventProjectJobAndMessage) {
  kept t;
  t.sut->on_event(event_of("run.started", "ray-cluster", "git_sync", "run r1 was started"));
  EXPECT_THAT(t.lines, ElementsAre("ts=2026-01-02T03:04:05.000Z level=info event=run.started "
                                   "project=ray-cluster job=git_sync msg=\"run r1 was started\""));
}

TEST(LogLogfmt, LeavesOutProjectAndJobWhereThereAreNone) {
  kept t;
  t.sut->on_event(event_of("stopping", "", "", "by SIGTERM", severity::warning));
  EXPECT_THAT(t.lines, ElementsAre("ts=2026-01-02T03:04:05.000Z level=warning event=stopping "
                                   "msg=\"by SIGTERM\""));
}

TEST(LogLogfmt, FieldsStandBeforeTheMessage) {
  kept t;
  t.sut->log(severity::info, "started", "running", {{"version", "1.0"}, {"config", "a b.yaml"}});
  EXPECT_THAT(t.lines, ElementsAre("ts=2026-01-02T03:04:05.678Z level=info event=started "
                                   "config=\"a b.yaml\" version=1.0 msg=\"running\""));
}

TEST(LogLogfmt, LineBreaksTabsQuotesAndBackslashesAreEscaped) {
  EXPECT_EQ(logfmt("a\nb\r\tc\"d\\e"), R"(<6>level=info event=run.started msg="a\nb\r\tc\"d\\e")");
}

TEST(LogLogfmt, WhatWouldSteerATerminalIsEscaped) {
  EXPECT_EQ(logfmt("\x1b[2J\x7f\xC2\x9B"
                   "2J\x01"),
            R"(<6>level=info event=run.started msg="\u001b[2J\u007f\u009b2J\u0001")");
}

TEST(LogLogfmt, ValuesAreQuotedOnlyWhereTheyNeedIt) {
  auto e = entry_of("m");
  e.fields = {
      {"a", "plain"}, {"b", ""}, {"c", "x=y"}, {"d", "two words"}, {"e", "gr\xC3\xBC\xC3\x9F"}};
  EXPECT_EQ(format_line(e, log_format::logfmt, true),
            "<6>level=info event=run.started a=plain b=\"\" c=\"x=y\" d=\"two words\" "
            "e=gr\xC3\xBC\xC3\x9F msg=\"m\"");
}

TEST(LogLogfmt, NamesOfFieldsAreMadeFitAndDoNotShadowOurs) {
  auto e = entry_of("m");
  e.fields = {{"a b=c", "1"}, {"msg", "2"}, {"", "3"}};
  EXPECT_EQ(format_line(e, log_format::logfmt, true),
            "<6>level=info event=run.started field_=3 a_b_c=1 field_msg=2 msg=\"m\"");
}

TEST(LogLogfmt, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(logfmt("a\xff\xC3"),
            "<6>level=info event=run.started msg=\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(LogLogfmt, AnEndlessMessageIsCut) {
  const auto line = logfmt(std::string(1'000'000, 'x'));
  EXPECT_LT(line.size(), 17'000U);
  EXPECT_THAT(line, HasSubstr("xxx... (983616 bytes more)"));
}

TEST(LogJournal, PriorityStandsForTheLevelAndThereIsNoTime) {
  options o;
  o.to_journal = true;
  o.level = "debug";
  kept t(o);
  for (const auto level : {severity::debug, severity::info, severity::warning, severity::error})
    t.sut->log(level, "e", "m", {});
  EXPECT_THAT(
      t.lines,
      ElementsAre("<7>level=debug event=e msg=\"m\"", "<6>level=info event=e msg=\"m\"",
                  "<4>level=warning event=e msg=\"m\"", "<3>level=error event=e msg=\"m\""));
}

TEST(LogJson, IsOneObjectPerLine) {
  options o;
  o.format = log_format::json;
  kept t(o);
  t.sut->on_event(event_of("run.started", "ray-cluster", "git_sync", "a \"b\"\nc"));
  t.sut->log(severity::error, "e", "\x7f\xC2\x9B\xff", {{"n", "1"}});
  EXPECT_THAT(
      t.lines,
      ElementsAre(R"({"ts":"2026-01-02T03:04:05.000Z","level":"info","event":"run.started",)"
                  R"("project":"ray-cluster","job":"git_sync","msg":"a \"b\"\nc"})",
                  R"({"ts":"2026-01-02T03:04:05.678Z","level":"error","event":"e","n":"1",)"
                  "\"msg\":\"\\u007f\\u009b\xEF\xBF\xBD\"}"));
}

TEST(LogJson, ToTheJournalItHasAPriorityAndNoTime) {
  options o;
  o.format = log_format::json;
  o.to_journal = true;
  kept t(o);
  t.sut->log(severity::info, "e", "m", {});
  EXPECT_THAT(t.lines, ElementsAre(R"(<6>{"level":"info","event":"e","msg":"m"})"));
}

TEST(LogLevel, LowerOnesAreNotWritten) {
  options o;
  o.level = "warning";
  kept t(o);
  t.sut->log(severity::debug, "a", "", {});
  t.sut->log(severity::info, "b", "", {});
  t.sut->on_event(event_of("c", "", "", ""));
  EXPECT_THAT(t.lines, IsEmpty());
  t.sut->log(severity::warning, "d", "", {});
  t.sut->log(severity::error, "e", "", {});
  EXPECT_EQ(t.lines.size(), 2U);
}

TEST(LogLevel, DebugIsWrittenWhereItIsAskedFor) {
  for (const char* level : {"trace", "debug"}) {
    options o;
    o.level = level;
    kept t(o);
    t.sut->log(severity::debug, "a", "", {});
    EXPECT_EQ(t.lines.size(), 1U) << level;
  }
}

TEST(LogLevel, AnUnknownOneIsRefusedWithThoseThatThereAre) {
  options o;
  o.level = "loud";
  try {
    make_telemetry(o);
    FAIL() << "takes any level";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("'loud' is not a level of the log; expected a level (trace, "
                                    "debug, info, warning, error)"));
  }
}

TEST(LogLevel, APartHasItsOwn) {
  options o;
  o.level = "warning,cml=debug";
  kept t(o);
  t.sut->log(severity::debug, "api.retry", "", {});
  t.sut->log(severity::info, "circuit.closed", "", {});
  t.sut->log(severity::info, "config.reloaded", "", {});
  EXPECT_EQ(t.lines.size(), 2U);
}

TEST(LogLevel, IsChangedWhileRunning) {
  kept t;
  t.sut->log(severity::debug, "http.request", "", {});
  EXPECT_THAT(t.lines, IsEmpty());
  EXPECT_FALSE(t.sut->logs(severity::debug, "http.request"));
  config::log_levels levels;
  levels.parts["http"] = "debug";
  t.sut->set_log_levels(levels);
  EXPECT_TRUE(t.sut->logs(severity::debug, "http.request"));
  t.sut->log(severity::debug, "http.request", "", {});
  t.sut->log(severity::debug, "api.retry", "", {});
  EXPECT_EQ(t.lines.size(), 1U);
}

TEST(LogText, OnlyWellFormedUtf8IsLeft) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(valid_utf8("a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80"),
            "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(valid_utf8("\xC0\x80"), bad + bad);            // overlong
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), bad + bad + bad);  // a surrogate
  EXPECT_EQ(valid_utf8("\xE2\x82"), bad + bad);            // cut short
  EXPECT_EQ(valid_utf8("\x80"
                       "a"),
            bad + "a");
}

TEST(LogText, IsNotCutWithinACharacter) {
  EXPECT_EQ(shortened("ab\xE2\x82\xAC", 4), "ab... (3 bytes more)");
  EXPECT_EQ(shortened("ab\xE2\x82\xAC", 5), "ab\xE2\x82\xAC");
}

}  // namespace
}  // namespace cmlrec::telemetry::testing
