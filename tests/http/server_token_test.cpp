#include "http/fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::http::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<route> guarded(int& calls) {
  auto r = make_route("POST", "/-/reload", [&calls](const request&) {
    ++calls;
    return text("done");
  });
  r.needs_token = true;
  std::vector<route> out = running_server::standard_routes();
  out.push_back(std::move(r));
  return out;
}

server_options with_token(const std::string& token) {
  server_options o;
  o.token = core::secret{token};
  return o;
}

std::string reload(const std::string& headers) { return post("/-/reload", headers, ""); }

TEST(HttpToken, TheRightOneOpens) {
  int calls = 0;
  running_server s(guarded(calls), with_token("s3cret"));
  auto c = s.connect();
  EXPECT_EQ(c.ask(reload("Authorization: Bearer s3cret\r\n")).body, "done");
  EXPECT_EQ(calls, 1);
}

TEST(HttpToken, SchemeIsNotCaseSensitive) {
  int calls = 0;
  running_server s(guarded(calls), with_token("s3cret"));
  auto c = s.connect();
  EXPECT_EQ(c.ask(reload("Authorization: bEARER   s3cret\r\n")).status, 200);
}

TEST(HttpToken, AMissingOneIsAskedFor) {
  int calls = 0;
  running_server s(guarded(calls), with_token("s3cret"));
  auto c = s.connect();
  const auto a = c.ask(reload(""));
  EXPECT_EQ(a.status, 401);
  EXPECT_EQ(a.headers.at("www-authenticate"), "Bearer realm=\"cml-reconciler\"");
  EXPECT_EQ(a.headers.at("content-type"), "application/problem+json");
  EXPECT_EQ(calls, 0);
}

TEST(HttpToken, WrongOnesAreRefusedAndNotRepeated) {
  int calls = 0;
  running_server s(guarded(calls), with_token("s3cret"));
  auto c = s.connect();
  for (const char* token : {"s3cre", "s3cret2", "S3CRET", "\xff", "x"}) {
    const auto a = c.ask(reload("Authorization: Bearer " + std::string(token) + "\r\n"));
    EXPECT_EQ(a.status, 401) << token;
    EXPECT_THAT(a.headers.at("www-authenticate"), HasSubstr("invalid_token"));
    EXPECT_THAT(a.body, Not(HasSubstr("s3cre")));
  }
  EXPECT_EQ(calls, 0);
}

TEST(HttpToken, OtherSchemesAndEmptyTokensAreMissingOnes) {
  int calls = 0;
  running_server s(guarded(calls), with_token("s3cret"));
  auto c = s.connect();
  for (const char* value : {"Basic s3cret", "Bearer", "Bearer ", "s3cret", ""})
    EXPECT_EQ(c.ask(reload("Authorization: " + std::string(value) + "\r\n")).status, 401) << value;
  EXPECT_EQ(calls, 0);
}

TEST(HttpToken, TwoAuthorizationsAreNone) {
  int calls = 0;
  running_server s(guarded(calls), with_token("s3cret"));
  auto c = s.connect();
  EXPECT_EQ(
      c.ask(reload("Authorization: Bearer s3cret\r\nAuthorization: Bearer s3cret\r\n")).status,
      401);
}

TEST(HttpToken, WithoutAConfiguredOneTheEndpointIsClosedAndSaysHowToOpenIt) {
  int calls = 0;
  running_server s(guarded(calls));
  auto c = s.connect();
  for (const char* header : {"", "Authorization: Bearer \r\n", "Authorization: Bearer x\r\n"}) {
    const auto a = c.ask(reload(header));
    EXPECT_EQ(a.status, 403);
    EXPECT_THAT(a.body, HasSubstr("--token-file"));
  }
  EXPECT_EQ(calls, 0);
}

TEST(HttpToken, OpenRoutesNeedNone) {
  int calls = 0;
  running_server s(guarded(calls), with_token("s3cret"));
  auto c = s.connect();
  EXPECT_EQ(c.ask(get("/hello")).status, 200);
}

TEST(HttpToken, ANewOneReplacesTheOldOne) {
  int calls = 0;
  running_server s(guarded(calls), with_token("old"));
  s.set_token("new");
  auto c = s.connect();
  EXPECT_EQ(c.ask(reload("Authorization: Bearer old\r\n")).status, 401);
  EXPECT_EQ(c.ask(reload("Authorization: Bearer new\r\n")).status, 200);
}

TEST(HttpToken, AWrongMethodIsNoReasonToAskForOne) {
  int calls = 0;
  running_server s(guarded(calls), with_token("s3cret"));
  auto c = s.connect();
  EXPECT_EQ(c.ask(get("/-/reload")).status, 405);
}

TEST(HttpToken, ABodyIsNotInvitedFromAStranger) {
  int calls = 0;
  running_server s(guarded(calls), with_token("s3cret"));
  auto c = s.connect();
  const auto a = c.ask(
      "POST /-/reload HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  EXPECT_EQ(a.status, 401);
}

}  // namespace
}  // namespace cmlrec::http::testing
