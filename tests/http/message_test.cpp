#include "http/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(HttpTarget, PathAndQueryAreToldApart) {
  const auto t = parse_target("/v1/status?verbose&x=%41");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->path, "/v1/status");
  EXPECT_EQ(t->query, "verbose&x=%41");
}

TEST(HttpTarget, PathIsPercentDecoded) {
  const auto t = parse_target("/a%20b%2Fc%c3%a9");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->path, "/a b/c\xc3\xa9");
}

TEST(HttpTarget, AnEscapedQuestionMarkBelongsToThePath) {
  const auto t = parse_target("/a%3Fb");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->path, "/a?b");
  EXPECT_EQ(t->query, "");
}

TEST(HttpTarget, AbsoluteFormLosesSchemeAndHost) {
  EXPECT_EQ(parse_target("http://h:1/a?b")->path, "/a");
  EXPECT_EQ(parse_target("http://h:1/a?b")->query, "b");
  EXPECT_EQ(parse_target("http://h")->path, "/");
  EXPECT_EQ(parse_target("http://h?q")->query, "q");
}

TEST(HttpTarget, BrokenEscapesAreRefused) {
  for (const char* text : {"/%", "/%4", "/%zz", "/%4g", "/a%00b", "", "a", "*", "?q"})
    EXPECT_FALSE(parse_target(text)) << text;
}

TEST(HttpProblem, IsAProblemDocument) {
  const auto r = problem(403, "say \"please\"\n");
  EXPECT_EQ(r.status, 403);
  EXPECT_EQ(r.content_type, "application/problem+json");
  EXPECT_EQ(r.body,
            "{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403,"
            "\"detail\":\"say \\\"please\\\"\\n\"}\n");
}

TEST(HttpRender, AnAnswerHasTheStandingHeaders) {
  reply r;
  r.content.body = "hi";
  const auto text = render(r, "OK", core::timestamp{}, true, true);
  EXPECT_EQ(text,
            "HTTP/1.1 200 OK\r\nServer: cml-reconciler\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
            "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n"
            "Connection: keep-alive\r\n\r\nhi");
}

TEST(HttpRender, AnAnswerWithoutContentHasNoLength) {
  reply r;
  r.content.status = 204;
  r.content.body = "ignored";
  const auto text = render(r, "No Content", core::timestamp{}, false, true);
  EXPECT_THAT(text, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(text, Not(HasSubstr("ignored")));
}

}  // namespace
}  // namespace cmlrec::http
