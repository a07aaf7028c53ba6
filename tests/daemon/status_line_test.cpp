#include "daemon/status_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

plan::project_report project(const std::string& name, plan::project_state state) {
  plan::project_report r;
  r.name = name;
  r.state = state;
  return r;
}

std::map<std::string, plan::project_report> reports(std::vector<plan::project_report> list) {
  std::map<std::string, plan::project_report> out;
  for (auto& r : list) out[r.name] = r;
  return out;
}

TEST(StatusLine, SaysThatNothingIsKnownYet) {
  EXPECT_EQ(status_line({}, {}), "first pass under way");
}

TEST(StatusLine, NamesTheOneProjectAndWhatItWaitsFor) {
  auto p = project("ray", plan::project_state::progressing);
  p.activity = "git_sync: running for 40 s";
  EXPECT_EQ(status_line(reports({p}), {}), "ray: Progressing; git_sync: running for 40 s");
}

TEST(StatusLine, SaysWhyAProjectIsDegraded) {
  auto p = project("ray", plan::project_state::degraded);
  p.reasons = {"git_sync has failed", "another"};
  p.activity = "nothing";
  EXPECT_EQ(status_line(reports({p}), {}), "ray: Degraded; git_sync has failed");
}

TEST(StatusLine, CountsSeveralProjectsAndPicksTheOneInTrouble) {
  auto moving = project("a", plan::project_state::progressing);
  moving.activity = "x";
  auto bad = project("b", plan::project_state::unreachable);
  bad.reasons = {"no answer"};
  EXPECT_EQ(status_line(reports({moving, bad, project("c", plan::project_state::converged)}), {}),
            "1 Converged, 1 Progressing, 1 Unreachable; b: Unreachable; no answer");
}

TEST(StatusLine, RefusedReloadStandsFirstWithTheFileInForce) {
  refused_reload r{"jobs.yaml:3:1: bad", *core::parse_timestamp("2026-01-02T03:04:05Z")};
  const auto line = status_line(reports({project("ray", plan::project_state::converged)}), r);
  EXPECT_THAT(line, StartsWith("reload refused: jobs.yaml:3:1: bad, still on the file of "
                               "2026-01-02T03:04:05"));
  EXPECT_THAT(line, HasSubstr("ray: Converged"));
}

TEST(StatusLine, NamesTheSettingsThatActAtTheNextStart) {
  const auto all = reports({project("ray", plan::project_state::converged)});
  EXPECT_EQ(status_line(all, {}, {"listen", "proxy"}),
            "a restart is needed for listen, proxy; ray: Converged");
}

}  // namespace
}  // namespace cmlrec::daemon
