#include "config/scalars.hpp"

#include "config/suggest.hpp"

#include <array>
#include <cstdio>

#include <gtest/gtest.h>

namespace cmlrec::config {
namespace {

TEST(ConfigScalars, IntegersAreWholeAndDecimal) {
  EXPECT_EQ(parse_integer("0"), 0);
  EXPECT_EQ(parse_integer("-12"), -12);
  for (const char* bad : {"", "1.0", "0x10", "010", "+1", "1_000", " 1", "1 ", "1e3"})
    EXPECT_EQ(parse_integer(bad), std::nullopt) << bad;
}

TEST(ConfigScalars, OverflowIsToldApart) {
  bool too_large = false;
  EXPECT_EQ(parse_integer("99999999999999999999", &too_large), std::nullopt);
  EXPECT_TRUE(too_large);
  EXPECT_EQ(parse_integer("x", &too_large), std::nullopt);
  EXPECT_FALSE(too_large);
}

TEST(ConfigScalars, NumbersAreFinite) {
  EXPECT_EQ(parse_number("0.5"), 0.5);
  EXPECT_EQ(parse_number("1e3"), 1000.0);
  for (const char* bad : {"", "inf", "nan", ".inf", "-inf", "1e999", "01", "1.", "0x1p3", "1,5"})
    EXPECT_EQ(parse_number(bad), std::nullopt) << bad;
}

TEST(ConfigScalars, TruthHasFourNames) {
  for (const char* yes : {"true", "True", "YES", "on", "1"}) EXPECT_EQ(parse_boolean(yes), true);
  for (const char* no : {"false", "NO", "Off", "0"}) EXPECT_EQ(parse_boolean(no), false);
  for (const char* bad : {"", "y", "2", "tru"}) EXPECT_EQ(parse_boolean(bad), std::nullopt);
}

TEST(ConfigShell, SafeWordsStayAsTheyAre) {
  EXPECT_EQ(shell_quote("--path=/a/b.c:d,e@f+g%h_1-2"), "--path=/a/b.c:d,e@f+g%h_1-2");
}

TEST(ConfigShell, EverythingElseIsQuoted) {
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("two words"), "'two words'");
  EXPECT_EQ(shell_quote("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quote("$HOME"), "'$HOME'");
  EXPECT_EQ(shell_quote("a\nb"), "'a\nb'");
  EXPECT_EQ(shell_quote("~"), "'~'");
}

TEST(ConfigShell, AShellReadsBackWhatWasQuoted) {
  const std::string odd = "a'b \"c\" $d `e` \\ * ; & | ~ # ! {f} [g] <h> ü";
  const std::string command = "printf %s " + shell_quote(odd);
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::array<char, 256> buffer{};
  const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe);
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_EQ(std::string(buffer.data(), n), odd);
}

constexpr std::array<std::string_view, 5> words = {"memory", "name", "cpu", "parent_job_key",
                                                   "run"};

TEST(ConfigSuggest, FindsTheNearestWord) {
  EXPECT_EQ(nearest("memmory", words), "memory");
  EXPECT_EQ(nearest("meomry", words), "memory");
  EXPECT_EQ(nearest("Memory", words), "memory");
  EXPECT_EQ(nearest("parent-job-key", words), "parent_job_key");
  EXPECT_EQ(nearest("parentJobKey", words), "parent_job_key");
  EXPECT_EQ(nearest("nmae", words), "name");
}

TEST(ConfigSuggest, FindsNothingFarAway) {
  EXPECT_EQ(nearest("colour", words), std::nullopt);
  EXPECT_EQ(nearest("", words), std::nullopt);
  EXPECT_EQ(nearest("x", words), std::nullopt);
  EXPECT_EQ(nearest(std::string(10'000, 'm'), words), std::nullopt);
}

TEST(ConfigSuggest, ListsWhatIsKnownWhereNothingIsNear) {
  EXPECT_EQ(suggestion("colour", words), "known are memory, name, cpu, parent_job_key, run");
  EXPECT_EQ(suggestion("memmory", words), "did you mean 'memory'?");
}

}  // namespace
}  // namespace cmlrec::config
