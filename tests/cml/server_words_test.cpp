#include "cml/server_words.hpp"

#include "cml/codec.hpp"

#include <gtest/gtest.h>

namespace cmlrec::cml {
namespace {

TEST(ServerWords, MessageIsPreferredToError) {
  EXPECT_EQ(server_message(R"({"error":"e","code":3,"message":"Problem with field JobId"})"),
            "Problem with field JobId");
  EXPECT_EQ(server_message(R"({"error":"only this","code":3})"), "only this");
}

TEST(ServerWords, CodeIsRead) {
  const auto words = read_server_words(R"({"message":"m","code":9})");
  EXPECT_TRUE(words.is_json);
  EXPECT_EQ(words.code, 9);
}

TEST(ServerWords, PageShowsItsWordsWithoutItsTags) {
  EXPECT_EQ(server_message("<html>\n<h1>502 Bad Gateway</h1>\n</html>"), "502 Bad Gateway");
  EXPECT_FALSE(read_server_words("<html>").is_json);
}

TEST(ServerWords, MessageIsOneShortLine) {
  const auto said =
      server_message(R"({"message":"a\nb\t\u0007c )" + std::string(1000, 'x') + "\"}");
  EXPECT_EQ(said.substr(0, 7), "a b c x");
  EXPECT_EQ(said.size(), 300U);
  EXPECT_EQ(said.substr(297), "...");
}

TEST(ServerWords, CutNeverSplitsACharacter) {
  const std::string umlauts = "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4";
  EXPECT_EQ(one_line(umlauts, 7), "\xC3\xA4\xC3\xB6...");
  EXPECT_EQ(one_line(umlauts, 6), "\xC3\xA4...");
}

TEST(ServerWords, SecretsAreMasked) {
  EXPECT_EQ(scrub("key abcdef refused, abcdef!", {"abcdef"}), "key ******** refused, ********!");
}

TEST(ServerWords, UserPartOfAUrlIsMasked) {
  EXPECT_EQ(scrub("cannot clone https://x:ghp_1@github.com/a/b@c and http://h/p", {}),
            "cannot clone https://********@github.com/a/b@c and http://h/p");
}

}  // namespace
}  // namespace cmlrec::cml
