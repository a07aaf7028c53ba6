#include "http/fixture.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::http::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(HttpServer, AnswersAGet) {
  running_server s;
  auto c = s.connect();
  const auto a = c.ask(get("/hello"));
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body, "hello\n");
}

TEST(HttpServer, SendsTheStandingHeaders) {
  running_server s;
  auto c = s.connect();
  auto h = c.ask(get("/hello")).headers;
  EXPECT_EQ(h["server"], "cml-reconciler");
  EXPECT_EQ(h["cache-control"], "no-store");
  EXPECT_EQ(h["x-content-type-options"], "nosniff");
  EXPECT_EQ(h["content-length"], "6");
  EXPECT_THAT(h["date"], MatchesRegex("[A-Z][a-z][a-z], [0-9][0-9] [A-Z][a-z][a-z] [0-9]+ "
                                      "[0-9:]+ GMT"));
}

TEST(HttpServer, KeepsTheConnectionForTheNextRequest) {
  running_server s;
  auto c = s.connect();
  for (int i = 0; i < 3; ++i) {
    const auto a = c.ask(get("/hello"));
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.headers.at("connection"), "keep-alive");
  }
}

TEST(HttpServer, ClosesWhereTheClientAsksForIt) {
  running_server s;
  auto c = s.connect();
  const auto a = c.ask("GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(a.headers.at("connection"), "close");
  EXPECT_TRUE(c.closed_by_server());
}

TEST(HttpServer, ClosesAfterAnOldRequest) {
  running_server s;
  auto c = s.connect();
  EXPECT_EQ(c.ask("GET /hello HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_TRUE(c.closed_by_server());
}

TEST(HttpServer, KeepsAnOldConnectionThatAsksForIt) {
  running_server s;
  auto c = s.connect();
  const std::string old = "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  EXPECT_EQ(c.ask(old).headers.at("connection"), "keep-alive");
  EXPECT_EQ(c.ask(old).status, 200);
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  running_server s;
  auto c = s.connect();
  c.send(get("/hello") + post("/echo", "", "one") + get("/nothing") + post("/echo", "", "two"));
  EXPECT_EQ(c.read_answer().body, "hello\n");
  EXPECT_EQ(c.read_answer().body, "one");
  EXPECT_EQ(c.read_answer().status, 404);
  EXPECT_EQ(c.read_answer().body, "two");
}

TEST(HttpServer, AnswersAClientThatHasFinishedSending) {
  running_server s;
  auto c = s.connect();
  c.send(get("/hello"));
  c.finish_sending();
  EXPECT_EQ(c.read_answer().status, 200);
  EXPECT_TRUE(c.closed_by_server());
}

TEST(HttpServer, TakesARequestInSmallPieces) {
  running_server s;
  auto c = s.connect();
  for (const char byte : post("/echo", "", "abc")) c.send(std::string(1, byte));
  EXPECT_EQ(c.read_answer().body, "abc");
}

TEST(HttpServer, TakesAChunkedBody) {
  running_server s;
  auto c = s.connect();
  const auto a = c.ask(
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(a.body, "abcde");
}

TEST(HttpServer, HeadGetsTheHeadersOfGetWithoutItsBody) {
  running_server s;
  auto c = s.connect();
  const auto a = c.ask("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.headers.at("content-length"), "6");
  // The next answer begins right behind it.
  EXPECT_EQ(c.ask(get("/hello")).body, "hello\n");
}

TEST(HttpServer, HandlerGetsDecodedPathAndRawQuery) {
  running_server s;
  auto c = s.connect();
  EXPECT_EQ(c.ask(get("/qu%65ry?a=%20b")).body, "/query a=%20b");
}

TEST(HttpServer, HandlerGetsMethodAndPeer) {
  std::vector<route> routes;
  routes.push_back(
      make_route("GET", "/", [](const request& q) { return text(q.method + " " + q.peer); }));
  running_server s(std::move(routes));
  auto c = s.connect();
  EXPECT_THAT(c.ask(get("/")).body, MatchesRegex("GET 127\\.0\\.0\\.1:[0-9]+"));
}

TEST(HttpServer, UnknownPathIsNotFound) {
  running_server s;
  auto c = s.connect();
  const auto a = c.ask(get("/nothing"));
  EXPECT_EQ(a.status, 404);
  EXPECT_EQ(a.headers.at("content-type"), "application/problem+json");
}

TEST(HttpServer, WrongMethodIsToldTheRightOnes) {
  running_server s;
  auto c = s.connect();
  const auto a = c.ask(post("/hello", "", ""));
  EXPECT_EQ(a.status, 405);
  EXPECT_EQ(a.headers.at("allow"), "GET, HEAD");
  EXPECT_EQ(c.ask(get("/echo")).headers.at("allow"), "POST");
  EXPECT_EQ(c.ask("BREW /echo HTTP/1.1\r\nHost: h\r\n\r\n").status, 405);
}

TEST(HttpServer, ExceptionOfAHandlerIsAnInternalErrorThatTellsTheClientNothing) {
  std::vector<route> routes = running_server::standard_routes();
  routes.push_back(make_route("GET", "/throws", [](const request&) -> response {
    throw std::runtime_error("the inside of the daemon");
  }));
  std::promise<std::string> told;
  server_options o;
  o.on_handler_error = [&](const request& q, const std::string& what) {
    told.set_value(q.path + ": " + what);
  };
  running_server s(std::move(routes), std::move(o));
  auto c = s.connect();
  const auto a = c.ask(get("/throws"));
  EXPECT_EQ(a.status, 500);
  EXPECT_THAT(a.body, HasSubstr("\"status\":500"));
  EXPECT_THAT(a.body, ::testing::Not(HasSubstr("inside")));
  EXPECT_EQ(told.get_future().get(), "/throws: the inside of the daemon");
  EXPECT_EQ(c.ask(get("/hello")).status, 200);
}

TEST(HttpServer, ContinueIsSaidBeforeTheBody) {
  running_server s;
  auto c = s.connect();
  const auto interim =
      c.ask("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(interim.status, 100);
  EXPECT_EQ(c.ask("abc").body, "abc");
}

TEST(HttpServer, ContinueIsNotSaidWhereTheBodyIsNotWanted) {
  running_server s;
  auto c = s.connect();
  const auto a = c.ask(
      "POST /nothing HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(a.status, 404);
  EXPECT_TRUE(c.closed_by_server());
}

TEST(HttpServer, OtherExpectationsFail) {
  running_server s;
  auto c = s.connect();
  EXPECT_EQ(c.ask("GET /hello HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\n\r\n").status, 417);
}

TEST(HttpServer, LargeAnswersArriveWhole) {
  const std::string large(3U * 1024 * 1024, 'x');
  std::vector<route> routes;
  routes.push_back(make_route("GET", "/large", [&](const request&) { return text(large); }));
  running_server s(std::move(routes));
  auto c = s.connect();
  EXPECT_EQ(c.ask(get("/large")).body, large);
}

TEST(HttpListen, PortInUseSaysWhatToDo) {
  running_server first;
  boost::asio::io_context io;
  const auto clock = cml::make_asio_clock(io.get_executor());
  server_options o;
  o.port = first.port();
  try {
    make_server(io.get_executor(), *clock, o, {});
    FAIL() << "two servers on one port";
  } catch (const std::runtime_error& e) {
    EXPECT_EQ(std::string(e.what()),
              "cannot listen on 127.0.0.1:" + std::to_string(first.port()) +
                  ": the address is in use; stop the other process or choose another with "
                  "--listen");
  }
}

TEST(HttpListen, AddressOfAnotherMachineSaysWhatToDo) {
  boost::asio::io_context io;
  const auto clock = cml::make_asio_clock(io.get_executor());
  server_options o;
  o.host = "192.0.2.1";
  o.port = 0;
  try {
    make_server(io.get_executor(), *clock, o, {});
    FAIL() << "listens on a documentation address";
  } catch (const std::runtime_error& e) {
    EXPECT_EQ(std::string(e.what()),
              "cannot listen on 192.0.2.1:0: the address is not one of this machine; choose one "
              "that is with --listen");
  }
}

TEST(HttpListen, NameThatIsNoAddressSaysWhatToDo) {
  boost::asio::io_context io;
  const auto clock = cml::make_asio_clock(io.get_executor());
  server_options o;
  o.host = "everywhere";
  try {
    make_server(io.get_executor(), *clock, o, {});
    FAIL() << "listens on a name";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("'everywhere' is not an IP address; give one"));
  }
}

TEST(HttpListen, TakesIpv6WithAndWithoutBrackets) {
  boost::asio::io_context io;
  const auto clock = cml::make_asio_clock(io.get_executor());
  for (const char* host : {"::1", "[::1]"}) {
    server_options o;
    o.host = host;
    o.port = 0;
    try {
      EXPECT_NE(make_server(io.get_executor(), *clock, o, {})->port(), 0) << host;
    } catch (const std::runtime_error& e) {
      // A machine without IPv6 can still show that the host was understood.
      EXPECT_THAT(e.what(), HasSubstr("cannot listen on [::1]:0: ")) << host;
    }
  }
}

}  // namespace
}  // namespace cmlrec::http::testing
