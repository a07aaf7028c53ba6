#include "config/log_levels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::config {
namespace {

using ::testing::HasSubstr;

std::string refusal(const char* text) {
  std::string why;
  return parse_log_levels(text, why) ? "taken" : why;
}

TEST(ConfigLogLevels, OneLevelIsForAllParts) {
  std::string why;
  const auto levels = parse_log_levels("debug", why);
  ASSERT_TRUE(levels) << why;
  EXPECT_EQ(levels->general, "debug");
  EXPECT_TRUE(levels->parts.empty());
}

TEST(ConfigLogLevels, PartsHaveTheirOwnInAnyOrder) {
  std::string why;
  const auto levels = parse_log_levels("http=debug, warning , cml = error", why);
  ASSERT_TRUE(levels) << why;
  EXPECT_EQ(levels->general, "warning");
  EXPECT_EQ(levels->parts.at("http"), "debug");
  EXPECT_EQ(levels->parts.at("cml"), "error");
}

TEST(ConfigLogLevels, WithoutAGeneralOneItIsInfo) {
  std::string why;
  EXPECT_EQ(parse_log_levels("http=debug", why)->general, "info");
}

TEST(ConfigLogLevels, AWrongPartOrLevelIsRefusedWithThoseThatThereAre) {
  EXPECT_THAT(refusal("info,htp=debug"), HasSubstr("'htp' is not a part of the daemon"));
  EXPECT_THAT(refusal("info,htp=debug"),
              HasSubstr("cml, reconcile, audit, config, control, http, notify, daemon"));
  EXPECT_THAT(refusal("loud"), HasSubstr("trace, debug, info, warning, error"));
  EXPECT_THAT(refusal("info,http=loud"), HasSubstr("'loud' is not a level"));
  for (const char* bad : {"", ",", "info,", "info,debug", "http=info,http=debug", "=info", "http="})
    EXPECT_NE(refusal(bad), "taken") << bad;
}

TEST(ConfigLogLevels, AnEventIsOfThePartThatItsFirstWordNames) {
  EXPECT_EQ(part_of("circuit.opened"), "cml");
  EXPECT_EQ(part_of("api.retry"), "cml");
  EXPECT_EQ(part_of("start_run_failed"), "reconcile");
  EXPECT_EQ(part_of("job.state"), "reconcile");
  EXPECT_EQ(part_of("config.reloaded"), "config");
  EXPECT_EQ(part_of("audit"), "audit");
  EXPECT_EQ(part_of("audit.not_written"), "audit");
  EXPECT_EQ(part_of("started"), "daemon");
  EXPECT_EQ(part_of("something.new"), "daemon");
}

}  // namespace
}  // namespace cmlrec::config
