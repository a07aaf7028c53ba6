#include "http/fixture.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::http::testing {
namespace {

using ::testing::HasSubstr;

TEST(HttpLimits, GarbageIsABadRequest) {
  for (const std::string garbage :
       {"\x16\x03\x01\x02\x01\x01\r\n\r\n", "hello?\r\n\r\n", "GET\r\n\r\n",
        "GET /hello HTTP/1.1\r\nno colon\r\n\r\n", "GET /hello HTTP/1.1\r\nHost : h\r\n\r\n"}) {
    running_server s;
    auto c = s.connect();
    EXPECT_EQ(c.ask(garbage).status, 400) << garbage;
    EXPECT_TRUE(c.closed_by_server()) << garbage;
  }
}

TEST(HttpLimits, ARequestThatEndsHalfwayIsABadRequest) {
  running_server s;
  auto c = s.connect();
  c.send("GET /hello HTT");
  c.finish_sending();
  EXPECT_EQ(c.read_answer().status, 400);
}

TEST(HttpLimits, TwoLengthsOrALengthBesideChunksAreRefused) {
  running_server s;
  for (const std::string headers :
       {"Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Content-Length: -1\r\n"}) {
    auto c = s.connect();
    const auto a = c.ask("POST /echo HTTP/1.1\r\nHost: h\r\n" + headers + "\r\nabc");
    EXPECT_EQ(a.status, 400) << headers;
    EXPECT_TRUE(c.closed_by_server());
  }
}

TEST(HttpLimits, ExactlyOneHostIsNeeded) {
  running_server s;
  auto none = s.connect();
  EXPECT_EQ(none.ask("GET /hello HTTP/1.1\r\n\r\n").status, 400);
  auto two = s.connect();
  EXPECT_EQ(two.ask("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").status, 400);
}

TEST(HttpLimits, ABadlyEscapedPathIsABadRequest) {
  running_server s;
  auto c = s.connect();
  EXPECT_EQ(c.ask(get("/%zz")).status, 400);
}

TEST(HttpLimits, OtherVersionsAreNotSpoken) {
  running_server s;
  auto c = s.connect();
  EXPECT_EQ(c.ask("GET /hello HTTP/3.1\r\nHost: h\r\n\r\n").status, 505);
}

TEST(HttpLimits, AHeaderOfTheLargestSizeIsTaken) {
  server_options o;
  o.max_header = 1024;
  running_server s(running_server::standard_routes(), std::move(o));
  const std::string head = "GET /hello HTTP/1.1\r\nHost: h\r\nX: ";
  auto c = s.connect();
  EXPECT_EQ(c.ask(head + std::string(1024 - head.size() - 4, 'x') + "\r\n\r\n").status, 200);
}

TEST(HttpLimits, ALargerHeaderIsRefused) {
  running_server s;
  for (const std::size_t size : {9'000U, 200'000U}) {
    auto c = s.connect();
    const auto a =
        c.ask("GET /hello HTTP/1.1\r\nHost: h\r\nX: " + std::string(size, 'x') + "\r\n\r\n");
    EXPECT_EQ(a.status, 431) << size;
    EXPECT_THAT(a.body, HasSubstr("8192 bytes"));
    EXPECT_TRUE(c.closed_by_server());
  }
}

TEST(HttpLimits, AnEndlessHeaderIsRefusedBeforeItEnds) {
  running_server s;
  auto c = s.connect();
  c.send("GET /hello HTTP/1.1\r\nHost: h\r\n");
  for (int i = 0; i < 1000; ++i) c.send("X-" + std::to_string(i) + ": y\r\n");
  EXPECT_EQ(c.read_answer().status, 431);
}

TEST(HttpLimits, ABodyOfTheLargestSizeIsTaken) {
  running_server s;
  auto c = s.connect();
  const std::string body(64U * 1024, 'x');
  EXPECT_EQ(c.ask(post("/echo", "", body)).body, body);
}

TEST(HttpLimits, ALargerBodyIsRefusedByItsLength) {
  running_server s;
  auto c = s.connect();
  const auto a =
      c.ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\nbut little of it");
  EXPECT_EQ(a.status, 413);
  EXPECT_TRUE(c.closed_by_server());
}

TEST(HttpLimits, TheAnswerReachesAClientThatStillSendsItsLargeBody) {
  running_server s;
  auto c = s.connect();
  EXPECT_EQ(c.ask(post("/echo", "", std::string(400'000, 'x'))).status, 413);
}

TEST(HttpLimits, ALargerChunkedBodyIsRefused) {
  running_server s;
  auto c = s.connect();
  c.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 20; ++i) c.send("1000\r\n" + std::string(4096, 'x') + "\r\n");
  EXPECT_EQ(c.read_answer().status, 413);
}

server_options impatient() {
  server_options o;
  o.request_timeout = std::chrono::milliseconds{100};
  return o;
}

TEST(HttpLimits, ARequestThatNeverComesTimesOut) {
  running_server s(running_server::standard_routes(), impatient());
  auto c = s.connect();
  EXPECT_EQ(c.read_answer().status, 408);
  EXPECT_TRUE(c.closed_by_server());
}

TEST(HttpLimits, AHeaderThatStopsHalfwayTimesOut) {
  running_server s(running_server::standard_routes(), impatient());
  auto c = s.connect();
  c.send("GET /hello HTTP/1.1\r\nHost:");
  EXPECT_EQ(c.read_answer().status, 408);
}

TEST(HttpLimits, ABodyThatStopsHalfwayTimesOut) {
  running_server s(running_server::standard_routes(), impatient());
  auto c = s.connect();
  c.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf");
  EXPECT_EQ(c.read_answer().status, 408);
}

TEST(HttpLimits, AClientThatTricklesGetsNoMoreTimeForIt) {
  running_server s(running_server::standard_routes(), impatient());
  auto c = s.connect();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  c.send("GET /hello HTTP/1.1\r\nX: ");
  while (c.silent() && std::chrono::steady_clock::now() < until) {
    c.send("x");
    std::this_thread::yield();
  }
  // Either the time or, on a fast machine, the size of the header is used up first.
  EXPECT_THAT(c.read_answer().status, ::testing::AnyOf(408, 431));
}

TEST(HttpLimits, AKeptConnectionMayRestLongerThanARequestMayTake) {
  running_server s(running_server::standard_routes(), impatient());
  auto resting = s.connect();
  EXPECT_EQ(resting.ask(get("/hello")).status, 200);
  auto other = s.connect();
  EXPECT_EQ(other.read_answer().status, 408);  // by now its time would be over too
  EXPECT_TRUE(resting.silent());
  EXPECT_EQ(resting.ask(get("/hello")).status, 200);
}

TEST(HttpLimits, ConnectionsPastTheMostAreTurnedAwayAndTheOthersServed) {
  running_server s;
  std::vector<client> kept;
  for (int i = 0; i < 256; ++i) {
    kept.push_back(s.connect());
    ASSERT_EQ(kept.back().ask(get("/hello")).status, 200) << i;
  }
  for (int i = 0; i < 44; ++i) {
    auto c = s.connect();
    const auto a = c.read_answer();
    ASSERT_EQ(a.status, 503) << i;
    EXPECT_EQ(a.headers.at("retry-after"), "1");
    EXPECT_TRUE(c.closed_by_server());
  }
  for (auto& c : kept) EXPECT_EQ(c.ask(get("/hello")).status, 200);
}

TEST(HttpLimits, SilentAndSlowConnectionsMakeRoomForThoseThatAsk) {
  server_options o;
  o.max_connections = 4;
  running_server s(running_server::standard_routes(), std::move(o));
  std::vector<client> crowd;
  for (int i = 0; i < 20; ++i) {
    crowd.push_back(s.connect());
    if (i % 2 == 0) crowd.back().send("GET /hello HTTP/1.1\r\nHost:");
  }
  auto c = s.connect();
  EXPECT_EQ(c.ask(get("/hello")).status, 200);
}

TEST(HttpLimits, AConnectionThatHasAskedIsKeptAgainstACrowd) {
  server_options o;
  o.max_connections = 4;
  running_server s(running_server::standard_routes(), std::move(o));
  auto kept = s.connect();
  ASSERT_EQ(kept.ask(get("/hello")).status, 200);
  std::vector<client> crowd;
  for (int i = 0; i < 20; ++i) crowd.push_back(s.connect());
  ASSERT_EQ(s.connect().ask(get("/hello")).status, 200);
  EXPECT_EQ(kept.ask(get("/hello")).status, 200);
}

TEST(HttpLimits, AConnectionThatHasGoneMakesRoom) {
  server_options o;
  o.max_connections = 1;
  running_server s(running_server::standard_routes(), std::move(o));
  auto first = s.connect();
  ASSERT_EQ(first.ask(get("/hello")).status, 200);
  first.close();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  int status = 503;
  while (status == 503 && std::chrono::steady_clock::now() < until)
    status = s.connect().ask(get("/hello")).status;
  EXPECT_EQ(status, 200);
}

TEST(HttpLimits, ACrowdThatSaysNothingDoesNotEndTheServer) {
  server_options o;
  o.max_connections = 4;
  o.request_timeout = std::chrono::milliseconds{100};
  running_server s(running_server::standard_routes(), std::move(o));
  std::vector<client> crowd;
  for (int i = 0; i < 300; ++i) crowd.push_back(s.connect());
  for (auto& c : crowd) c.close();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  int status = 0;
  while (status != 200 && std::chrono::steady_clock::now() < until)
    status = s.connect().ask(get("/hello")).status;
  EXPECT_EQ(status, 200);
}

}  // namespace
}  // namespace cmlrec::http::testing
