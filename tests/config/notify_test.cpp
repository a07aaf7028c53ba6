#include "config/notify.hpp"

#include "config/settings.hpp"
#include "config/support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

loaded_settings from(const std::string& text) {
  const temporary_directory dir;
  return load_settings({}, dir.write("s.yaml", text), env_of({}));
}

TEST(ConfigNotify, AListOfWebhooksIsRead) {
  const auto s = from(
      "notify:\n"
      "  - url: https://hooks.example.com/services/T0/B0\n"
      "    format: slack\n"
      "    events: [degraded, recovered]\n"
      "    template: \"{project} is {state}\"\n"
      "  - url_file: /run/secrets/hook\n");
  EXPECT_EQ(lines(s.errors), "");
  ASSERT_EQ(s.values.notify.size(), 2U);
  EXPECT_EQ(s.values.notify[0].url.reveal(), "https://hooks.example.com/services/T0/B0");
  EXPECT_EQ(s.values.notify[0].format, notify_format::slack);
  EXPECT_EQ(s.values.notify[0].events, (std::set<std::string>{"degraded", "recovered"}));
  EXPECT_EQ(s.values.notify[0].text, "{project} is {state}");
  EXPECT_EQ(s.values.notify[1].url_file, "/run/secrets/hook");
  EXPECT_EQ(s.values.notify[1].events, all_notify_events());
}

TEST(ConfigNotify, TheSimplestFormIsOneWebhookOfAllNews) {
  settings s;
  EXPECT_TRUE(notify_targets(s).empty());
  s.notify_url_file = "/run/secrets/hook";
  s.notify_format = "slack";
  const auto targets = notify_targets(s);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].format, notify_format::slack);
  EXPECT_EQ(targets[0].events, all_notify_events());
}

TEST(ConfigNotify, EveryMistakeHasItsPlace) {
  const auto s = from(
      "notify:\n"
      "  - url_fil: x\n"
      "  - url_file: x\n"
      "    format: teams\n"
      "  - url_file: x\n"
      "    events: [broken]\n"
      "  - url_file: x\n"
      "    format: slack\n"
      "    template: \"{projekt}\"\n"
      "  - url_file: x\n"
      "    template: \"{project}\"\n"
      "  - format: json\n");
  const auto text = lines(s.errors);
  EXPECT_THAT(text, HasSubstr(":2:5: unknown key 'url_fil' in notify; did you mean 'url_file'?"));
  EXPECT_THAT(text, HasSubstr(":4:13: format: 'teams' is wrong; expected json or slack"));
  EXPECT_THAT(text,
              HasSubstr(":6:14: events: the text 'broken' is no event; expected converged, "));
  EXPECT_THAT(text, HasSubstr(":9:15: template: '{projekt}' is not known; expected {NAME} of "));
  EXPECT_THAT(text, HasSubstr("'template' is for 'format: slack'"));
  EXPECT_THAT(text, HasSubstr(":12:5: notify: expected either 'url' or 'url_file'"));
  EXPECT_EQ(s.errors.size(), 6U) << text;
}

TEST(ConfigNotify, AWrongUrlIsRefusedUnseen) {
  for (const char* bad :
       {"hooks.example.com/t0ken", "ftp://h/t0ken", "http://hooks.example.com/t0ken",
        "https://user:t0ken@h/x", "https:///t0ken", "https://bad_ho st/t0ken", "t0ken"}) {
    const auto s = from(std::string("notify:\n  - url: \"") + bad + "\"\n");
    EXPECT_EQ(s.errors.size(), 1U) << bad;
    EXPECT_THAT(lines(s.errors), Not(HasSubstr("t0ken"))) << bad;
  }
}

TEST(ConfigNotify, PlainHttpIsForLoopback) {
  for (const char* good : {"http://127.0.0.1:8080/x", "http://localhost/x?y=1", "http://[::1]:9/x"})
    EXPECT_FALSE(check_webhook_url(good)) << good;
}

}  // namespace
}  // namespace cmlrec::config
