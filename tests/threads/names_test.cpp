#include "cml/names.hpp"

#include "support/run_loop.hpp"

#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

class CmlNames : public testing::Test {
 protected:
  steady_clock::time_point later() const { return steady_clock::now() + test::patience; }

  asio::io_context loop{1};
  std::shared_ptr<names> resolver = std::make_shared<names>(loop.get_executor());
};

bool is_loopback(const looked_up& found, std::uint16_t port) {
  if (found.endpoints.empty()) return false;
  for (const auto& e : found.endpoints)
    if (!e.address().is_loopback() || e.port() != port) return false;
  return true;
}

TEST_F(CmlNames, AnAddressIsItsOwnAnswer) {
  const auto found = test::run(loop, resolver->find("127.0.0.1", 80, steady_clock::now()));
  EXPECT_TRUE(is_loopback(found, 80));
}

TEST_F(CmlNames, AllWhoAskAtOnceGetTheAnswer) {
  std::vector<looked_up> found;
  for (std::uint16_t port = 1; port <= 50; ++port)
    asio::co_spawn(loop, resolver->find("localhost", port, later()),
                   [&found](std::exception_ptr e, looked_up one) {
                     EXPECT_FALSE(e);
                     found.push_back(std::move(one));
                   });
  ASSERT_TRUE(test::run_until(loop, [&] { return found.size() == 50; }));
  for (const auto& one : found)
    EXPECT_TRUE(is_loopback(one, one.endpoints.empty() ? 0 : one.endpoints.front().port()))
        << one.failure;
}

TEST_F(CmlNames, ALookUpThatWasLeftBehindServesTheNextOne) {
  const auto left = test::run(loop, resolver->find("localhost", 80, steady_clock::now()));
  EXPECT_TRUE(is_loopback(left, 80) || left.failure == "no answer from the resolver in time");
  EXPECT_TRUE(is_loopback(test::run(loop, resolver->find("localhost", 80, later())), 80));
}

TEST_F(CmlNames, ANameIsAskedForAgainWhenItHasBeenForgotten) {
  EXPECT_TRUE(is_loopback(test::run(loop, resolver->find("localhost", 80, later())), 80));
  resolver->forget("localhost");
  EXPECT_TRUE(is_loopback(test::run(loop, resolver->find("localhost", 81, later())), 81));
}

TEST_F(CmlNames, MayBeLetGoOfWhileALookUpIsUnderWay) {
  bool over = false;
  asio::co_spawn(loop, resolver->find("localhost", 80, later()),
                 [&over](std::exception_ptr, looked_up) { over = true; });
  loop.poll_one();
  resolver->stop();
  resolver.reset();
  EXPECT_TRUE(test::run_until(loop, [&] { return over; }));
}

TEST_F(CmlNames, TheLoopMayEndWhileALookUpIsUnderWay) {
  auto other = std::make_unique<asio::io_context>(1);
  auto of_other = std::make_shared<names>(other->get_executor());
  bool over = false;
  asio::co_spawn(*other, of_other->find("localhost", 80, later()),
                 [&over](std::exception_ptr, looked_up) { over = true; });
  other->poll_one();
  of_other.reset();
  other.reset();
  EXPECT_FALSE(over);
}

}  // namespace
}  // namespace cmlrec::cml
