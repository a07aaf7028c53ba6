// Lists of several pages, without a server: the pages come from memory.
#include "cml/paging.hpp"

#include "support/run_loop.hpp"

#include <gtest/gtest.h>

namespace cmlrec::cml {
namespace {

using namespace std::chrono_literals;

const core::timestamp noon = *core::parse_timestamp("2026-03-01T12:00:00Z");

// Runs one after the other, every `apart`, the newest first; `size` to a page.
class pages {
 public:
  pages(int count, core::duration apart, std::size_t size) : size_(size) {
    for (int i = 0; i < count; ++i) {
      run r;
      r.id = "run" + std::to_string(i);
      r.state = run_state::succeeded;
      r.created_at = noon - i * apart;
      all_.push_back(r);
    }
  }
  async_result<page<run>> operator()(std::string token) {
    ++asked;
    page<run> out;
    const auto from = token.empty() ? 0 : std::stoul(token);
    for (auto i = from; i < all_.size() && i < from + size_; ++i) out.items.push_back(all_[i]);
    if (from + size_ < all_.size()) out.next_token = std::to_string(from + size_);
    co_return out;
  }
  int asked = 0;

 private:
  std::vector<run> all_;
  std::size_t size_;
};

std::size_t runs_read(pages& from, int most = 1000) {
  boost::asio::io_context io;
  list_name name{"ListJobRuns", "the runs"};
  const auto out = test::run(io, read_newest_runs(std::move(name), most, from));
  return out ? out->runs.size() : 0;
}

TEST(NewestRuns, ASuccessIsEnoughWhereThereAreFiftyRunsOfMoreThanAnHour) {
  pages daily(500, 24h, 10);
  EXPECT_EQ(runs_read(daily), 50U);
}

TEST(NewestRuns, AllOfTheLastHourIsRead) {
  pages every_half_minute(500, 30s, 10);
  EXPECT_GT(runs_read(every_half_minute), 120U);
}

TEST(NewestRuns, SmallPagesProveNoOrder) {
  // A page of one is always in order: a server that does not sort is found out by more of them.
  pages one_by_one(20, 24h, 1);
  EXPECT_EQ(runs_read(one_by_one), 20U);
}

TEST(NewestRuns, NoMoreThanAskedForAreRead) {
  pages daily(500, 24h, 10);
  EXPECT_EQ(runs_read(daily, 10), 10U);
  EXPECT_EQ(daily.asked, 1);
}

}  // namespace
}  // namespace cmlrec::cml
