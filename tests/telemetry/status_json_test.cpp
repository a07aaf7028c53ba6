#include "telemetry/fixture.hpp"

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::telemetry::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(StatusJson, WithoutProjectsItIsStillWhole) {
  EXPECT_EQ(status_json({}, "1.0", ""),
            "{\"version\":\"1.0\",\"config_error\":null,\"restart_needed\":[],\"projects\":[]}\n");
}

TEST(StatusJson, TheRefusedReloadIsTold) {
  EXPECT_THAT(status_json({}, "1.0", "a.yaml:1:2: \"x\""),
              HasSubstr(R"("config_error":"a.yaml:1:2: \"x\"")"));
}

TEST(StatusJson, WhatIsNotKnownIsNull) {
  plan::project_report p;
  p.name = "ray-cluster";
  p.jobs.own().push_back(job_of("git_sync", plan::job_state::unknown));
  p.jobs.own()[0].reason.clear();
  EXPECT_EQ(
      status_json({{"ray-cluster", p}}, "1.0", ""),
      R"({"version":"1.0","config_error":null,"restart_needed":[],"projects":[{"name":"ray-cluster","id":null,)"
      R"("state":"Progressing","in_sync":false,"healthy":false,"reachable":false,"reasons":[],)"
      R"("activity":null,"differences":[],"orphans":[],"ambiguous_ids":[],"observed_at":null,)"
      R"("jobs":[{"key":"git_sync","name":"git_sync","id":null,"parent":null,)"
      R"("description":null,"state":"Unknown","reason":null,"differences":[],)"
      R"("active_run":null,"last_run":null,"recent_runs":[],"last_success":null,"attempts":0,"max_attempts":1,)"
      R"("running_for_seconds":null,"timeout_seconds":null,"next_action":null,"next_at":null}]}]})"
      "\n");
}

plan::project_report full_project() {
  plan::project_report p;
  p.name = "ray-cluster";
  p.id = "aaaa-bbbb-cccc-dddd";
  p.state = plan::project_state::degraded;
  p.in_sync = true;
  p.reachable = true;
  p.reasons = {"git_sync has failed"};
  p.activity = "git_sync: running for 40 s (timeout 5 min)";
  p.differences.push_back({"git_url", "\"\"", "\"https://x\"", true, "acts at creation only"});
  p.orphans = {"old"};
  p.ambiguous_ids = {"id-1", "id-2"};
  p.observed_at = at("2026-01-02T03:04:05.678Z");
  auto j = job_of("git_sync", plan::job_state::running);
  j.name = "Git sync";
  j.id = "jjjj-jjjj-jjjj-jjjj";
  j.parent_key = "parent";
  j.description = "fetches";
  j.reason = "its run is active";
  j.differences.push_back({"cpu", "1", "2", false, ""});
  cml::run active;
  active.id = "r2";
  active.state = cml::run_state::running;
  active.status = "ENGINE_RUNNING";
  active.creator = "me";
  active.created_at = at("2026-01-02T03:03:00Z");
  active.running_at = at("2026-01-02T03:03:25Z");
  active.environment["KEY"] = core::text("hidden", true);
  active.arguments = "--also hidden";
  j.active_run = active;
  cml::run last = active;
  last.id = "r1";
  last.state = cml::run_state::failed;
  last.status = "ENGINE_FAILED";
  last.creator.clear();
  last.finished_at = at("2026-01-02T03:03:55.900Z");
  j.last_run = last;
  j.last_success = at("2026-01-01T00:00:00Z");
  j.attempts = 1;
  j.max_attempts = 3;
  j.running_for = std::chrono::milliseconds{40'999};
  j.timeout = std::chrono::seconds{300};
  j.next_action = "look at the run";
  j.next_at = at("2026-01-02T03:04:10Z");
  p.jobs.own().push_back(j);
  return p;
}

TEST(StatusJson, EverythingThatIsKnownIsTold) {
  EXPECT_EQ(
      status_json({{"ray-cluster", full_project()}}, "1.0", ""),
      R"({"version":"1.0","config_error":null,"restart_needed":[],"projects":[{"name":"ray-cluster",)"
      R"("id":"aaaa-bbbb-cccc-dddd","state":"Degraded","in_sync":true,"healthy":false,)"
      R"("reachable":true,"reasons":["git_sync has failed"],)"
      R"-("activity":"git_sync: running for 40 s (timeout 5 min)",)-"
      R"("differences":[{"field":"git_url","live":"\"\"","desired":"\"https://x\"",)"
      R"("unappliable":true,"note":"acts at creation only"}],"orphans":["old"],)"
      R"("ambiguous_ids":["id-1","id-2"],"observed_at":"2026-01-02T03:04:05.678Z",)"
      R"("jobs":[{"key":"git_sync","name":"Git sync","id":"jjjj-jjjj-jjjj-jjjj",)"
      R"("parent":"parent","description":"fetches","state":"Running",)"
      R"("reason":"its run is active","differences":[{"field":"cpu","live":"1","desired":"2",)"
      R"("unappliable":false,"note":null}],"active_run":{"id":"r2","status":"ENGINE_RUNNING",)"
      R"("state":"running","creator":"me","created_at":"2026-01-02T03:03:00.000Z",)"
      R"("running_at":"2026-01-02T03:03:25.000Z","finished_at":null,"duration_seconds":null},)"
      R"("last_run":{"id":"r1","status":"ENGINE_FAILED","state":"failed","creator":null,)"
      R"("created_at":"2026-01-02T03:03:00.000Z","running_at":"2026-01-02T03:03:25.000Z",)"
      R"("finished_at":"2026-01-02T03:03:55.900Z","duration_seconds":30},)"
      R"("recent_runs":[],"last_success":"2026-01-01T00:00:00.000Z","attempts":1,"max_attempts":3,)"
      R"("running_for_seconds":40,"timeout_seconds":300,"next_action":"look at the run",)"
      R"("next_at":"2026-01-02T03:04:10.000Z"}]}]})"
      "\n");
}

TEST(StatusJson, EnvironmentAndArgumentsOfRunsAreNotTold) {
  EXPECT_THAT(status_json({{"ray-cluster", full_project()}}, "1.0", ""), Not(HasSubstr("hidden")));
}

TEST(StatusJson, BytesThatAreNotUtf8AreReplaced) {
  plan::project_report p;
  p.name = "a\xff";
  EXPECT_THAT(status_json({{p.name, p}}, "1.0", ""), HasSubstr("\"name\":\"a\xEF\xBF\xBD\""));
}

TEST(EventsJson, AreInTheOrderInWhichTheyCame) {
  const std::deque<reconcile::event> events = {
      event_of("run.started", "a", "j", "one"),
      event_of("stopping", "", "", "two", reconcile::severity::warning)};
  EXPECT_EQ(events_json(events),
            R"({"events":[{"at":"2026-01-02T03:04:05.000Z","level":"info","event":"run.started",)"
            R"("project":"a","job":"j","message":"one"},)"
            R"({"at":"2026-01-02T03:04:05.000Z","level":"warning","event":"stopping",)"
            R"("project":null,"job":null,"message":"two"}]})"
            "\n");
}

TEST(EventsJson, WithoutEventsItIsStillWhole) { EXPECT_EQ(events_json({}), "{\"events\":[]}\n"); }

}  // namespace
}  // namespace cmlrec::telemetry::testing
