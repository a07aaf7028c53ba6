#include "daemon/config_watch.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

namespace cmlrec::daemon {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

core::instant at(int ms) { return core::instant{milliseconds{ms}}; }

TEST(ConfigWatch, ContentThatWasTakenIsNoNews) {
  config_watch w(milliseconds{1000});
  w.taken("a");
  EXPECT_FALSE(w.seen("a", at(0)));
  EXPECT_FALSE(w.seen("a", at(5000)));
}

TEST(ConfigWatch, NewContentIsTakenWhenItHasStoodForTheTime) {
  config_watch w(milliseconds{1000});
  w.taken("a");
  EXPECT_FALSE(w.seen("b", at(0)));
  EXPECT_FALSE(w.seen("b", at(999)));
  EXPECT_TRUE(w.seen("b", at(1000)));
  EXPECT_FALSE(w.seen("b", at(9000)));
}

TEST(ConfigWatch, FileThatIsStillWrittenIsWaitedFor) {
  config_watch w(milliseconds{1000});
  w.taken("a");
  EXPECT_FALSE(w.seen("half", at(0)));
  EXPECT_FALSE(w.seen("whole", at(1000)));
  EXPECT_TRUE(w.seen("whole", at(2000)));
}

TEST(ConfigWatch, FileThatIsGoneForAMomentIsWaitedFor) {
  config_watch w(milliseconds{1000});
  w.taken("a");
  EXPECT_FALSE(w.seen(std::nullopt, at(0)));
  EXPECT_FALSE(w.seen(std::nullopt, at(5000)));
  EXPECT_FALSE(w.seen("a", at(6000)));
  EXPECT_FALSE(w.seen("b", at(7000)));
  EXPECT_TRUE(w.seen("b", at(8000)));
}

TEST(ConfigWatch, ChangeThatWasTakenBackIsNoNews) {
  config_watch w(milliseconds{1000});
  w.taken("a");
  EXPECT_FALSE(w.seen("b", at(0)));
  EXPECT_FALSE(w.seen("a", at(500)));
  EXPECT_FALSE(w.seen("b", at(1200)));
}

TEST(ConfigWatch, RefusedContentIsNotTriedAgainBeforeItChanges) {
  config_watch w(milliseconds{1000});
  w.taken("good");
  EXPECT_FALSE(w.seen("bad", at(0)));
  EXPECT_TRUE(w.seen("bad", at(1000)));
  EXPECT_FALSE(w.seen("bad", at(60'000)));
  EXPECT_FALSE(w.seen("good", at(61'000)));
  EXPECT_TRUE(w.seen("good", at(62'000)));
}

class Digest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "cmlrec-watch-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = name;
  }
  void TearDown() override { fs::remove_all(root); }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(root / name) << text;
    return (root / name).string();
  }
  fs::path root;
};

TEST_F(Digest, ChangesWithTheContentOfAFile) {
  config_digest d({write("a.yaml", "one")});
  const auto before = d.now();
  ASSERT_TRUE(before);
  write("a.yaml", "two");
  EXPECT_NE(d.now(), before);
  write("a.yaml", "one");
  EXPECT_EQ(d.now(), before);
}

TEST_F(Digest, StaysWhereAFileWasOnlyTouchedOrReplacedByItsEqual) {
  config_digest d({write("a.yaml", "one")});
  const auto before = d.now();
  write("b", "one");
  fs::rename(root / "b", root / "a.yaml");
  EXPECT_EQ(d.now(), before);
}

TEST_F(Digest, FollowsASymbolicLinkThatIsExchanged) {
  fs::create_directories(root / "..v1");
  fs::create_directories(root / "..v2");
  write("..v1/jobs.yaml", "one");
  write("..v2/jobs.yaml", "two");
  fs::create_directory_symlink("..v1", root / "..data");
  fs::create_symlink("..data/jobs.yaml", root / "jobs.yaml");
  config_digest file({(root / "jobs.yaml").string()});
  config_digest directory({root.string()});
  const auto before = file.now();
  const auto before_directory = directory.now();
  ASSERT_TRUE(before);
  fs::create_directory_symlink("..v2", root / "..data_tmp");
  fs::rename(root / "..data_tmp", root / "..data");
  EXPECT_NE(file.now(), before);
  EXPECT_NE(directory.now(), before_directory);
}

TEST_F(Digest, ChangesWithAFileThatComesIntoADirectory) {
  write("a.yaml", "one");
  config_digest d({root.string()});
  const auto before = d.now();
  write("b.yml", "two");
  const auto after = d.now();
  EXPECT_NE(after, before);
  write("notes.txt", "nothing to do with it");
  EXPECT_EQ(d.now(), after);
}

TEST_F(Digest, IsNothingWhereAFileIsMissing) {
  config_digest d({(root / "none.yaml").string()});
  EXPECT_FALSE(d.now());
  write("none.yaml", "here");
  EXPECT_TRUE(d.now());
}

}  // namespace
}  // namespace cmlrec::daemon
