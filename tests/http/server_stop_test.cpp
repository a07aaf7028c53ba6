#include "http/fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::http::testing {
namespace {

constexpr auto at_once = std::chrono::seconds{4};
constexpr core::duration long_grace = std::chrono::seconds{60};

TEST(HttpStop, AnIdleServerEndsAtOnce) {
  running_server s;
  s.stop(long_grace);
  EXPECT_TRUE(s.ends_within(at_once));
}

TEST(HttpStop, IdleConnectionsAreClosedAtOnce) {
  running_server s;
  auto silent = s.connect();
  auto kept = s.connect();
  ASSERT_EQ(kept.ask(get("/hello")).status, 200);
  s.stop(long_grace);
  EXPECT_TRUE(s.ends_within(at_once));
  EXPECT_TRUE(kept.closed_by_server());
  EXPECT_TRUE(silent.closed_by_server());
}

TEST(HttpStop, NobodyIsAcceptedAnyMore) {
  running_server s;
  s.stop(long_grace);
  ASSERT_TRUE(s.ends_within(at_once));
  EXPECT_FALSE(s.connect().connected());
}

// The server has read what was sent before: one that is answered on another connection is newer.
void let_arrive(running_server& s, client& c) {
  auto other = s.connect();
  ASSERT_EQ(other.ask(get("/hello")).status, 200);
  ASSERT_TRUE(c.silent());
}

TEST(HttpStop, ARequestInFlightIsAnsweredAndTheConnectionClosed) {
  running_server s;
  auto c = s.connect();
  c.send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  ASSERT_EQ(c.read_answer().status, 100);
  s.stop(long_grace);
  const auto a = c.ask("late");
  EXPECT_EQ(a.body, "late");
  EXPECT_EQ(a.headers.at("connection"), "close");
  EXPECT_TRUE(c.closed_by_server());
  c.close();
  EXPECT_TRUE(s.ends_within(at_once));
}

TEST(HttpStop, ARequestInFlightIsAbandonedAfterTheGrace) {
  running_server s;
  auto c = s.connect();
  c.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
  let_arrive(s, c);
  s.stop(std::chrono::milliseconds{50});
  EXPECT_TRUE(s.ends_within(at_once));
  EXPECT_TRUE(c.closed_by_server());
}

TEST(HttpStop, ASecondStopShortensTheGrace) {
  running_server s;
  auto c = s.connect();
  c.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
  let_arrive(s, c);
  s.stop(long_grace);
  s.stop(std::chrono::milliseconds{0});
  EXPECT_TRUE(s.ends_within(at_once));
}

TEST(HttpStop, ASecondStopDoesNotLengthenTheGrace) {
  running_server s;
  auto c = s.connect();
  c.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
  let_arrive(s, c);
  s.stop(std::chrono::milliseconds{50});
  s.stop(long_grace);
  EXPECT_TRUE(s.ends_within(at_once));
}

TEST(HttpStop, AnAnswerThatNobodyReadsIsAbandonedAfterTheGrace) {
  const std::string large(64U * 1024 * 1024, 'x');
  std::promise<void> asked;
  std::vector<route> routes;
  routes.push_back(make_route("GET", "/large", [&](const request&) {
    asked.set_value();
    return text(large);
  }));
  running_server s(std::move(routes));
  auto c = s.connect();
  c.send(get("/large"));
  asked.get_future().wait();
  s.stop(std::chrono::milliseconds{50});
  EXPECT_TRUE(s.ends_within(at_once));
}

TEST(HttpStop, AHandlerMayStopTheServer) {
  std::vector<route> routes;
  server* itself = nullptr;
  routes.push_back(make_route("POST", "/stop", [&](const request&) {
    itself->stop(long_grace);
    return text("bye");
  }));
  boost::asio::io_context io;
  const auto clock = cml::make_asio_clock(io.get_executor());
  server_options o;
  o.port = 0;
  const auto s = make_server(io.get_executor(), *clock, o, std::move(routes));
  itself = s.get();
  bool ended = false;
  boost::asio::co_spawn(io, s->run(), [&](std::exception_ptr e) { ended = !e; });
  auto outside = std::async(std::launch::async, [&] {
    client c(s->port());
    return c.ask(post("/stop", "", "")).body;
  });
  io.run_for(std::chrono::seconds{10});
  EXPECT_TRUE(ended);
  EXPECT_EQ(outside.get(), "bye");
}

TEST(HttpStop, BeforeItHasRunItEndsAtOnce) {
  boost::asio::io_context io;
  const auto clock = cml::make_asio_clock(io.get_executor());
  server_options o;
  o.port = 0;
  const auto s = make_server(io.get_executor(), *clock, o, {});
  s->stop(long_grace);
  bool ended = false;
  boost::asio::co_spawn(io, s->run(), [&](std::exception_ptr e) { ended = !e; });
  io.run_for(std::chrono::seconds{10});
  EXPECT_TRUE(ended);
}

TEST(HttpStop, AnEventLoopThatIsTornDownTakesTheSessionsWithIt) {
  auto io = std::make_unique<boost::asio::io_context>();
  auto clock = cml::make_asio_clock(io->get_executor());
  server_options o;
  o.port = 0;
  std::promise<void> asked;
  std::vector<route> routes;
  routes.push_back(make_route("GET", "/", [&](const request&) {
    io->stop();
    return text("never sent, perhaps");
  }));
  auto s = make_server(io->get_executor(), *clock, o, std::move(routes));
  boost::asio::co_spawn(*io, s->run(), [](std::exception_ptr) {});
  client c(s->port());
  c.send(get("/"));
  io->run_for(std::chrono::seconds{10});
  s.reset();
  clock.reset();
  io.reset();
  EXPECT_TRUE(c.read_answer().status == 0 || c.closed_by_server());
}

}  // namespace
}  // namespace cmlrec::http::testing
