#include "cml/answer.hpp"

#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::cml {
namespace {

using core::error_kind;
using testing::HasSubstr;
using testing::Not;

const core::timestamp wall = std::chrono::sys_days{std::chrono::year{2026} / 1 / 2};

http_answer with(int status, std::string body, std::string type = "application/json") {
  http_answer out;
  out.status = status;
  out.body = std::move(body);
  out.content_type = std::move(type);
  return out;
}

core::error judged(int status, const std::string& body, effect what) {
  return classify(with(status, body), what, wall, {});
}

struct row {
  int status;
  const char* body;
  effect what;
  error_kind kind;
  bool may_have_happened;
};

// Without it the row is shown as its bytes, addresses included.
void PrintTo(const row& r, std::ostream* out) { *out << r.status << " " << r.body; }

class Classify : public testing::TestWithParam<row> {};

TEST_P(Classify, KindAndDoubt) {
  const auto& r = GetParam();
  const auto e = judged(r.status, r.body, r.what);
  EXPECT_EQ(e.kind, r.kind) << e.message;
  EXPECT_EQ(e.may_have_happened, r.may_have_happened);
  EXPECT_EQ(e.http_status, r.status);
}

constexpr const char* words = R"({"error":"e","code":13,"message":"words"})";

INSTANTIATE_TEST_SUITE_P(
    Answers, Classify,
    testing::Values(
        row{401, words, effect::reads_one, error_kind::credentials, false},
        row{401, "no \"authorization\" header", effect::changes_once, error_kind::credentials,
            false},
        row{403, words, effect::reads_one, error_kind::not_found, false},
        row{403, words, effect::reads_list, error_kind::credentials, false},
        row{403, words, effect::changes_once, error_kind::credentials, false},
        row{403, words, effect::changes_repeatably, error_kind::credentials, false},
        row{403, "<html>", effect::reads_one, error_kind::not_json, false},
        row{404, words, effect::reads_one, error_kind::not_found, false},
        row{404, words, effect::changes_repeatably, error_kind::not_found, false},
        row{404, "default backend - 404", effect::reads_one, error_kind::not_json, false},
        row{500, "malformed apikey", effect::reads_list, error_kind::credentials, false},
        row{500, R"({"message":"Malformed APIKey"})", effect::changes_once, error_kind::credentials,
            false},
        row{500, words, effect::reads_one, error_kind::server, false},
        row{500, words, effect::changes_once, error_kind::server, true},
        row{503, "<html>", effect::changes_repeatably, error_kind::server, true},
        row{429, words, effect::changes_once, error_kind::throttled, false},
        row{409, words, effect::changes_once, error_kind::conflict, false},
        row{400, R"({"message":"job run for job ID already active","code":3})",
            effect::changes_once, error_kind::conflict, false},
        row{400, R"({"message":"busy","code":9})", effect::changes_once, error_kind::conflict,
            false},
        row{400, R"({"message":"no such thing","code":3})", effect::changes_once,
            error_kind::refused, false},
        row{413, "<html>", effect::changes_once, error_kind::refused, false},
        row{302, "", effect::reads_one, error_kind::not_json, false},
        row{302, "", effect::changes_once, error_kind::not_json, true}));

TEST(Classify, MessageIsTheServersOwn) {
  EXPECT_EQ(
      judged(400, R"({"message":"value length must be 19 runes"})", effect::changes_once).message,
      "value length must be 19 runes");
  EXPECT_EQ(judged(404, R"({"message":"gone"})", effect::reads_one).message,
            "absent or not visible to this key (gone)");
}

TEST(Classify, RedirectIsNamedWithoutItsQuery) {
  auto a = with(302, "");
  a.location = "https://u:pw@sso.example/login?ticket=hunter2#x";
  const auto e = classify(a, effect::reads_list, wall, {});
  EXPECT_THAT(e.message, HasSubstr("https://********@sso.example/login"));
  EXPECT_THAT(e.message, Not(HasSubstr("hunter2")));
}

TEST(Classify, SecretsThatTheServerRepeatsAreMasked) {
  const auto a = with(400, R"({"message":"bad key a\/b-c\"d"})");
  const auto e = classify(a, effect::changes_once, wall, {"a/b-c\"d"});
  EXPECT_EQ(e.message, "bad key ********");
}

TEST(Classify, LongMessageIsMaskedBeforeItIsCut) {
  const auto a = with(400, R"({"message":")" + std::string(295, 'x') + R"(secret-key"})");
  const auto e = classify(a, effect::changes_once, wall, {"secret-key"});
  EXPECT_THAT(e.message, Not(HasSubstr("se")));
}

TEST(Classify, RetryAfterIsTakenForThrottlingAndServerErrors) {
  for (const int status : {429, 503}) {
    auto a = with(status, "{}");
    a.retry_after = "7";
    EXPECT_EQ(classify(a, effect::reads_one, wall, {}).retry_after, std::chrono::seconds{7});
  }
}

TEST(Classify, RetryAfterAsADateIsCountedFromTheServersOwn) {
  auto a = with(429, "{}");
  a.date = "Sun, 06 Nov 1994 08:49:37 GMT";
  a.retry_after = "Sun, 06 Nov 1994 08:50:07 GMT";
  EXPECT_EQ(classify(a, effect::reads_one, wall, {}).retry_after, std::chrono::seconds{30});
}

TEST(RetryAfter, IsCapped) {
  EXPECT_EQ(parse_retry_after("86400", wall), std::chrono::minutes{5});
  EXPECT_EQ(parse_retry_after("99999999999999999999999", wall), std::chrono::minutes{5});
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2044 08:50:07 GMT", wall), std::chrono::minutes{5});
}

TEST(RetryAfter, PastDateIsNow) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", wall), std::chrono::seconds{0});
}

TEST(RetryAfter, NonsenseIsNothing) {
  for (const char* text : {"", "soon", "-1", "1.5"}) EXPECT_FALSE(parse_retry_after(text, wall));
}

TEST(Unreadable, HtmlIsNamedAsSuch) {
  const core::error why(error_kind::not_json, "it is not JSON");
  const auto page = unreadable(with(200, " <!doctype html>", "text/html"), effect::reads_list, why);
  EXPECT_THAT(page.message, HasSubstr("HTML page"));
  EXPECT_FALSE(page.may_have_happened);
  EXPECT_EQ(page.http_status, 200);
}

TEST(Unreadable, WriteMayHaveHappened) {
  const core::error why(error_kind::not_json, "it is not JSON");
  const auto e = unreadable(with(200, "{"), effect::changes_once, why);
  EXPECT_TRUE(e.may_have_happened);
  EXPECT_EQ(e.message, "it is not JSON");
}

}  // namespace
}  // namespace cmlrec::cml
