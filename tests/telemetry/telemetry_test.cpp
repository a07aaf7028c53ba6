#include "telemetry/fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::telemetry::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(TelemetryEvents, AreLoggedAndKept) {
  kept t;
  t.sut->on_event(event_of("run.started", "a", "j", "m"));
  ASSERT_EQ(t.sut->events().size(), 1U);
  EXPECT_EQ(t.sut->events().front().name, "run.started");
  EXPECT_EQ(t.lines.size(), 1U);
}

TEST(TelemetryEvents, AreKeptEvenWhereTheirLevelIsNotLogged) {
  options o;
  o.level = "error";
  kept t(o);
  t.sut->on_event(event_of("run.started", "a", "j", "m"));
  EXPECT_EQ(t.sut->events().size(), 1U);
  EXPECT_THAT(t.lines, IsEmpty());
}

TEST(TelemetryAudit, NamesOperationObjectReasonAndAnswer) {
  kept t;
  auto w = written("p", "start_run", true);
  w.job = "git_sync";
  w.operation = "CreateJobRun";
  w.object_id = "abcd";
  w.reason = "it has never succeeded";
  w.answer = "started run r1";
  w.took = milliseconds{120};
  t.sut->on_write(w);
  ASSERT_EQ(t.lines.size(), 1U);
  EXPECT_THAT(t.lines[0], HasSubstr("event=audit project=p job=git_sync id=abcd "
                                    "operation=CreateJobRun result=done took_ms=120 "
                                    "why=\"it has never succeeded\" msg=\"started run r1\""));
  EXPECT_THAT(t.sut->events(), IsEmpty());
}

TEST(TelemetryAudit, TellsAFailureFromOneThatMayHaveHappened) {
  kept t;
  auto w = written("p", "create_job", false);
  w.operation = "CreateJob";
  w.http_status = 503;
  t.sut->on_write(w);
  w.may_have_happened = true;
  t.sut->on_write(w);
  EXPECT_THAT(t.lines.at(0), HasSubstr("result=failed status=503"));
  EXPECT_THAT(t.lines.at(1), HasSubstr("result=uncertain status=503"));
}

TEST(TelemetryAudit, WhatIsNotSentToCmlIsNone) {
  kept t;
  t.sut->on_write(written("p", "run_check", true));
  EXPECT_THAT(t.lines, IsEmpty());
}

TEST(TelemetryEvents, TheOldestMakeRoom) {
  options o;
  o.most_events = 3;
  kept t(o);
  for (int i = 0; i < 5; ++i) t.sut->on_event(event_of("e" + std::to_string(i), "", "", ""));
  ASSERT_EQ(t.sut->events().size(), 3U);
  EXPECT_EQ(t.sut->events().front().name, "e2");
  EXPECT_EQ(t.sut->events().back().name, "e4");
}

TEST(TelemetryEvents, NoneAreKeptWhereNoneAreWanted) {
  options o;
  o.most_events = 0;
  kept t(o);
  t.sut->on_event(event_of("e", "", "", ""));
  EXPECT_THAT(t.sut->events(), IsEmpty());
}

TEST(TelemetryEvents, OnlyTheNewestStatusLineOfAProjectIsKept) {
  kept t;
  t.sut->on_event(event_of("status", "a", "", "running for 10 s"));
  t.sut->on_event(event_of("status", "b", "", "running for 10 s"));
  t.sut->on_event(event_of("run.failed", "a", "j", "m"));
  t.sut->on_event(event_of("status", "a", "", "running for 20 s"));
  ASSERT_EQ(t.sut->events().size(), 3U);
  EXPECT_EQ(t.sut->events()[0].project, "b");
  EXPECT_EQ(t.sut->events()[1].name, "run.failed");
  EXPECT_EQ(t.sut->events()[2].message, "running for 20 s");
  EXPECT_EQ(t.lines.size(), 4U);
}

TEST(TelemetryReports, TheNewestOfEachProjectIsKeptAndNothingLogged) {
  kept t;
  t.sut->on_report(project_of("a", {"one"}));
  t.sut->on_report(project_of("a", {"two"}));
  ASSERT_EQ(t.sut->reports().size(), 1U);
  EXPECT_EQ(t.sut->reports().at("a").jobs.at(0).key, "two");
  EXPECT_THAT(t.lines, IsEmpty());
}

TEST(TelemetryReports, ThoseOfARemovedProjectAreForgotten) {
  kept t;
  t.sut->on_report(project_of("a", {}));
  t.sut->on_removed("a");
  t.sut->on_removed("never there");
  EXPECT_THAT(t.sut->reports(), IsEmpty());
}

TEST(TelemetryCircuit, OpeningAndClosingAreEventsOnceEach) {
  kept t;
  t.sut->on_circuit(true, "502 bad gateway");
  t.sut->on_circuit(true, "502 bad gateway");
  t.sut->on_circuit(false, "");
  t.sut->on_circuit(false, "");
  ASSERT_EQ(t.sut->events().size(), 2U);
  EXPECT_EQ(t.sut->events()[0].name, "circuit.opened");
  EXPECT_EQ(t.sut->events()[0].level, reconcile::severity::warning);
  EXPECT_THAT(t.sut->events()[0].message, HasSubstr("502 bad gateway"));
  EXPECT_EQ(t.sut->events()[1].name, "circuit.closed");
}

TEST(TelemetryCalls, RetriesAreLoggedForThoseWhoLookForThem) {
  options o;
  o.level = "debug";
  kept t(o);
  core::error e(core::error_kind::timed_out, "no answer");
  e.operation = "ListJobs";
  t.sut->on_retry("ListJobs", milliseconds{500}, e);
  ASSERT_EQ(t.lines.size(), 1U);
  EXPECT_THAT(t.lines[0], HasSubstr("level=debug event=api.retry kind="));
  EXPECT_THAT(t.lines[0], HasSubstr("operation=ListJobs"));
  EXPECT_THAT(t.lines[0], HasSubstr("again in 500 ms"));
}

TEST(TelemetryCalls, RetriesAreNoEvents) {
  kept t;
  t.sut->on_retry("ListJobs", milliseconds{500}, core::error(core::error_kind::server, "502"));
  EXPECT_THAT(t.sut->events(), IsEmpty());
}

}  // namespace
}  // namespace cmlrec::telemetry::testing
