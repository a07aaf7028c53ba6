#include "reconcile/journal.hpp"

#include <gtest/gtest.h>

#include "reconcile/fixture.hpp"

namespace cmlrec::reconcile::test {
namespace {

class counting_store final : public state_store {
 public:
  std::optional<saved_state> load() override { return std::nullopt; }
  bool save(const saved_state& state, std::string& why) override {
    ++saves;
    newest = state;
    if (when_saved) when_saved();
    why = "the disk is full";
    return works;
  }
  int saves = 0;
  bool works = true;
  saved_state newest;
  std::function<void()> when_saved;
};

class Journal : public ::testing::Test {
 protected:
  Journal()
      : clock(io),
        kept(
            clock, &store,
            [this](saved_state& s, const std::set<std::string>* only) {
              gathered = only != nullptr ? *only : std::set<std::string>{"all"};
              s.projects["p"].force_requested = forced;
            },
            [this](const std::string& why) { troubles.push_back(why); }) {}

  // As whoever is about to send a POST.
  void ask() {
    boost::asio::co_spawn(io, kept.written("p"), [this](std::exception_ptr e) {
      if (e) std::rethrow_exception(e);
      ++answered;
    });
  }
  bool run_for(core::duration most, int until_answered) {
    return clock.run_until([&] { return answered == until_answered; }, most);
  }

  boost::asio::io_context io;
  cmlrec::test::virtual_clock clock;
  counting_store store;
  std::vector<std::string> troubles;
  std::set<std::string> gathered;
  bool forced = false;
  int answered = 0;
  journal kept;
};

TEST_F(Journal, ThoseWhoAskAtTheSameMomentShareOneWrite) {
  for (int i = 0; i < 100; ++i) ask();
  forced = true;
  ASSERT_TRUE(run_for(0s, 100));
  EXPECT_EQ(store.saves, 1);
  EXPECT_EQ(gathered, std::set<std::string>{"p"});
  EXPECT_TRUE(store.newest.projects["p"].force_requested);
}

TEST_F(Journal, WhoAsksWhileItIsWrittenGetsAWriteOfTheirOwn) {
  bool asked = false;
  store.when_saved = [&] {
    if (!std::exchange(asked, true)) ask();
  };
  ask();
  ASSERT_TRUE(run_for(0s, 2));
  EXPECT_EQ(store.saves, 2);
}

TEST_F(Journal, NobodyGoesOnBeforeTheWrite) {
  store.when_saved = [&] { EXPECT_EQ(answered, 0); };
  ask();
  ask();
  ASSERT_TRUE(run_for(0s, 2));
}

TEST_F(Journal, ATroubleIsToldOnceUntilItIsOver) {
  store.works = false;
  kept.write();
  kept.write();
  EXPECT_FALSE(kept.works());
  EXPECT_EQ(troubles, std::vector<std::string>{"the disk is full"});
  store.works = true;
  kept.write();
  EXPECT_TRUE(kept.works());
  store.works = false;
  kept.write();
  EXPECT_EQ(troubles.size(), 2U);
}

TEST_F(Journal, WithoutAStoreThereIsNothingToWaitFor) {
  journal none(clock, nullptr, [](saved_state&, const std::set<std::string>*) {}, [](const std::string&) {});
  boost::asio::co_spawn(io, none.written("p"), [this](std::exception_ptr) { ++answered; });
  EXPECT_TRUE(run_for(0s, 1));
  EXPECT_FALSE(none.works());
}

}  // namespace
}  // namespace cmlrec::reconcile::test
