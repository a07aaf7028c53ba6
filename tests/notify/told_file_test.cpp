#include "notify/told_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace cmlrec::notify {
namespace {

class ToldFile : public ::testing::Test {
 protected:
  ToldFile() {
    char name[] = "/tmp/cmlrec-told-XXXXXX";
    folder = ::mkdtemp(name);
    what.projects["ray"] = {
        "Degraded", "k", {{"Degraded k", *core::parse_timestamp("2026-01-02")}}};
    what.refusals["r"] = *core::parse_timestamp("2026-01-03");
  }
  ~ToldFile() override { std::filesystem::remove_all(folder); }

  std::string folder;
  told what;
  std::string why;
};

TEST_F(ToldFile, GivesBackWhatItWasGiven) {
  ASSERT_TRUE(told_file(folder).save(what, why)) << why;
  EXPECT_EQ(told_file(folder).load(), what);
}

TEST_F(ToldFile, WithoutADirectoryNothingIsKept) {
  EXPECT_TRUE(told_file("").save(what, why));
  EXPECT_EQ(told_file("").load(), told{});
}

TEST_F(ToldFile, ThatCannotBeReadSaysNothing) {
  for (const char* text : {"", "{", "[]", R"({"projects":[1],"refusals":{"a":"soon"}})"}) {
    std::ofstream(folder + "/notified.json") << text;
    EXPECT_EQ(told_file(folder).load(), told{}) << text;
  }
}

TEST_F(ToldFile, SaysWhyItCannotBeWritten) {
  EXPECT_FALSE(told_file(folder + "/missing").save(what, why));
  EXPECT_NE(why.find("/missing/notified.json.new"), std::string::npos) << why;
}

}  // namespace
}  // namespace cmlrec::notify
