#include "notify/text.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::notify {
namespace {

using config::notify_format;

notice degraded() {
  notice n;
  n.event = "degraded";
  n.project = "ray";
  n.state = "Degraded";
  n.previous = "Converged";
  n.reasons = {"git_sync has failed", "<!channel> & more"};
  n.since = *core::parse_timestamp("2026-03-01T12:00:00Z");
  n.at = *core::parse_timestamp("2026-03-01T12:00:30Z");
  return n;
}

std::string slack(const notice& n, const std::string& text = "") {
  config::notify_target to;
  to.format = notify_format::slack;
  to.text = text;
  const auto body = boost::json::parse(body_of(n, to, "https://ml.example.com")).as_object();
  EXPECT_EQ(body.size(), 1U);
  return std::string(body.at("text").as_string());
}

TEST(NotifyText, JsonSaysAllOfIt) {
  const auto body = boost::json::parse(body_of(degraded(), {}, "https://ml.example.com"));
  const auto& o = body.as_object();
  EXPECT_EQ(o.at("id").as_string().size(), 16U);
  auto rest = o;
  rest.erase("id");
  EXPECT_EQ(boost::json::serialize(rest["reasons"]),
            R"(["git_sync has failed","<!channel> & more"])");
  EXPECT_EQ(rest["event"].as_string(), "degraded");
  EXPECT_EQ(rest["project"].as_string(), "ray");
  EXPECT_EQ(rest["state"].as_string(), "Degraded");
  EXPECT_EQ(rest["previous_state"].as_string(), "Converged");
  EXPECT_EQ(rest["message"].as_string(), "ray is degraded: git_sync has failed; <!channel> & more");
  EXPECT_EQ(rest["since"].as_string(), "2026-03-01T12:00:00.000Z");
  EXPECT_EQ(rest["at"].as_string(), "2026-03-01T12:00:30.000Z");
  EXPECT_EQ(rest["workspace"].as_string(), "https://ml.example.com");
  EXPECT_EQ(rest.size(), 9U);
}

TEST(NotifyText, TheSameNoticeHasTheSameIdAndAnotherOneAnother) {
  auto later = degraded();
  later.at += std::chrono::hours{1};
  EXPECT_EQ(body_of(degraded(), {}, ""), body_of(degraded(), {}, ""));
  EXPECT_NE(body_of(degraded(), {}, ""), body_of(later, {}, ""));
}

TEST(NotifyText, SlackGetsATextThatCallsNobody) {
  EXPECT_EQ(slack(degraded()), "ray is degraded: git_sync has failed; &lt;!channel&gt; &amp; more");
}

TEST(NotifyText, ATemplateIsFilled) {
  EXPECT_EQ(
      slack(degraded(), "<!here> *{project}* {state}/{event}: {reason} at {at} of {workspace}"),
      "<!here> *ray* Degraded/degraded: git_sync has failed at 2026-03-01T12:00:30.000Z of "
      "https://ml.example.com");
  EXPECT_EQ(slack(degraded(), "{reasons}"), "git_sync has failed; &lt;!channel&gt; &amp; more");
}

TEST(NotifyText, ARefusedFileHasNoProject) {
  notice n;
  n.event = "reload_refused";
  n.reasons = {"jobs.yaml:1:2: bad"};
  EXPECT_EQ(slack(n),
            "the new file is refused whole and the old one stays in force: "
            "jobs.yaml:1:2: bad");
  const auto body = boost::json::parse(body_of(n, {}, "")).as_object();
  EXPECT_TRUE(body.at("project").is_null());
  EXPECT_TRUE(body.at("state").is_null());
}

TEST(NotifyText, LongAndBrokenReasonsStayValidJson) {
  auto n = degraded();
  n.reasons.assign(500, std::string(2000, 'x') + "\xff");
  EXPECT_LT(slack(n).size(), 3100U);
  const auto body = boost::json::parse(body_of(n, {}, "")).as_object();
  EXPECT_EQ(body.at("reasons").as_array().size(), 21U);
}

}  // namespace
}  // namespace cmlrec::notify
