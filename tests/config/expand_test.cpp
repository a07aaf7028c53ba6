#include "config/expand.hpp"

#include "config/support.hpp"

#include <gtest/gtest.h>

namespace cmlrec::config {
namespace {

const variables some = {{"A", "one"}, {"B", "two"}, {"EMPTY", ""}, {"TRICKY", "${A} $$"}};

expanded run(std::string_view raw) { return expand(raw, env_of(some)); }
std::string value(std::string_view raw) { return run(raw).value.value; }

TEST(ConfigExpand, TextWithoutVariablesIsItself) {
  EXPECT_EQ(value("plain text"), "plain text");
  EXPECT_FALSE(run("plain text").value.secret);
}

TEST(ConfigExpand, VariablesStandAnywhere) {
  EXPECT_EQ(value("${A}-${B}!"), "one-two!");
  EXPECT_TRUE(run("x${A}").value.secret);
}

TEST(ConfigExpand, DefaultStandsInForMissingAndEmpty) {
  EXPECT_EQ(value("${NONE:-fallback}"), "fallback");
  EXPECT_EQ(value("${EMPTY:-fallback}"), "fallback");
  EXPECT_EQ(value("${A:-fallback}"), "one");
  EXPECT_EQ(value("${NONE:-}"), "");
}

TEST(ConfigExpand, DefaultOfTheFileIsNoSecret) {
  EXPECT_FALSE(run("${NONE:-fallback}").value.secret);
  EXPECT_TRUE(run("${A:-fallback}").value.secret);
  EXPECT_TRUE(run("${NONE:-${A}}").value.secret);
}

TEST(ConfigExpand, DefaultsMayNest) { EXPECT_EQ(value("${NONE:-${NEITHER:-deep}}/x"), "deep/x"); }

TEST(ConfigExpand, VariableMissingInAnUnusedDefaultIsNoError) {
  EXPECT_TRUE(run("${A:-${NONE}}").errors.empty());
}

TEST(ConfigExpand, EmptyVariableIsNotMissing) {
  EXPECT_TRUE(run("${EMPTY}").errors.empty());
  EXPECT_EQ(value("${EMPTY}"), "");
}

TEST(ConfigExpand, TwoDollarsAreOneAndOneStays) {
  EXPECT_EQ(value("$$5"), "$5");
  EXPECT_EQ(value("$${A}"), "${A}");
  EXPECT_EQ(value("$HOME $ $"), "$HOME $ $");
  EXPECT_EQ(value("cost: 5$"), "cost: 5$");
}

TEST(ConfigExpand, WhatAVariableHoldsIsNotExpandedAgain) {
  EXPECT_EQ(value("${TRICKY}"), "${A} $$");
}

TEST(ConfigExpand, EachMissingVariableIsAnError) {
  const auto result = run("${NONE}${A}${NEITHER}");
  ASSERT_EQ(result.errors.size(), 2U);
  EXPECT_NE(result.errors[0].find("NONE"), std::string::npos);
  EXPECT_NE(result.errors[1].find("NEITHER"), std::string::npos);
}

TEST(ConfigExpand, WhatIsNotClosedIsOneError) {
  for (const char* bad : {"${", "${A", "x${A:-", "${A:-${B}", "${NONE:-${"})
    EXPECT_EQ(run(bad).errors.size(), 1U) << bad;
}

TEST(ConfigExpand, OddNamesAreErrors) {
  for (const char* bad : {"${}", "${1}", "${a b}", "${A-x}", "${A:x}", "${A:=x}"})
    EXPECT_EQ(run(bad).errors.size(), 1U) << bad;
}

TEST(ConfigExpand, EndlessNestingIsAnError) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "${NONE:-";
  EXPECT_EQ(run(deep).errors.size(), 1U);
}

}  // namespace
}  // namespace cmlrec::config
