#include "notify/notifier.hpp"

#include "support/virtual_clock.hpp"
#include "telemetry/make_telemetry.hpp"

#include <deque>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::notify {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Answers by its script, 200 after its end; 0 is no answer, -1 one that does not come.
class poster_stub final : public cml::poster {
 public:
  explicit poster_stub(core::clock& clock) : clock_(clock) {}

  cml::async_result<cml::post_answer> post(core::secret url, std::string body,
                                           core::instant deadline) override {
    urls.push_back(url.reveal());
    bodies.push_back(std::move(body));
    int status = 200;
    if (!script.empty()) {
      status = script.front();
      script.pop_front();
    }
    if (status == -1) {
      const auto alarm = clock_.make_alarm();
      co_await alarm->wait_until(deadline);
    }
    if (status <= 0) co_return core::error(core::error_kind::timed_out, "no answer");
    cml::post_answer answer;
    answer.status = status;
    co_return answer;
  }

  std::deque<int> script;
  std::vector<std::string> urls;
  std::vector<std::string> bodies;

 private:
  core::clock& clock_;
};

config::notify_target target(const std::string& url) {
  config::notify_target t;
  t.url = core::secret(url);
  t.events = config::all_notify_events();
  return t;
}

class Notifier : public ::testing::Test {
 protected:
  Notifier()
      : clock(io),
        over(clock),
        told_by(telemetry::make_telemetry(
            {}, [this](std::string_view line) { lines.emplace_back(line); },
            [this] { return clock.wall(); })) {
    o.random = [] { return 0.5; };
  }
  ~Notifier() override {
    if (!sut) return;
    sut->stop();
    clock.run_until([this] { return ended; }, 1min);
  }

  void start() {
    sut = std::make_unique<notifier>(io.get_executor(), clock, over, *told_by, o);
    boost::asio::co_spawn(io, sut->run(), [this](std::exception_ptr e) {
      ended = true;
      if (e) std::rethrow_exception(e);
    });
  }
  void is(plan::project_state now, const std::string& reason = "") {
    plan::project_report r;
    r.name = "ray";
    r.state = now;
    if (!reason.empty()) r.reasons = {reason};
    told_by->on_report(r);
  }
  void pass_time(core::duration d) {
    clock.run_until([] { return false; }, d);
  }
  std::string metric(const std::string& name) const {
    const auto text = told_by->metrics_text();
    const auto at = text.find("\n" + name + " ");
    return at == std::string::npos
               ? "none"
               : text.substr(at + 2 + name.size(), text.find('\n', at + 1) - at - 2 - name.size());
  }

  boost::asio::io_context io;
  cmlrec::test::virtual_clock clock;
  poster_stub over;
  std::vector<std::string> lines;
  std::unique_ptr<telemetry::telemetry> told_by;
  options o;
  std::unique_ptr<notifier> sut;
  bool ended = false;
};

TEST_F(Notifier, TellsOfTroubleOnceAndOfItsEndOnce) {
  o.targets = {target("https://a.example/x")};
  start();
  is(plan::project_state::degraded, "git_sync has failed");
  pass_time(10min);
  ASSERT_EQ(over.bodies.size(), 1U);
  EXPECT_THAT(over.bodies[0], HasSubstr("git_sync has failed"));
  is(plan::project_state::converged);
  pass_time(10min);
  ASSERT_EQ(over.bodies.size(), 2U);
  EXPECT_THAT(over.bodies[1], HasSubstr("\"event\":\"recovered\""));
  EXPECT_EQ(metric("cml_reconciler_notifications_total{result=\"delivered\"}"), "2");
}

TEST_F(Notifier, TriesAgainUntilItIsTaken) {
  o.targets = {target("https://a.example/x")};
  over.script = {500, 0, 200};
  start();
  is(plan::project_state::degraded, "x");
  pass_time(10min);
  EXPECT_EQ(over.bodies.size(), 3U);
  EXPECT_EQ(over.bodies[0], over.bodies[2]);
  EXPECT_EQ(metric("cml_reconciler_notifications_total{result=\"delivered\"}"), "1");
  EXPECT_EQ(metric("cml_reconciler_notify_queue_length"), "0");
}

TEST_F(Notifier, GivesUpAfterTenMinutesAndSaysSo) {
  o.targets = {target("https://a.example/x")};
  over.script.assign(1000, 503);
  start();
  is(plan::project_state::degraded, "x");
  pass_time(9min);
  EXPECT_EQ(metric("cml_reconciler_notify_queue_length"), "1");
  pass_time(3min);
  EXPECT_EQ(metric("cml_reconciler_notifications_total{result=\"failed\"}"), "1");
  EXPECT_EQ(metric("cml_reconciler_notify_queue_length"), "0");
  EXPECT_THAT(lines.back(), HasSubstr("event=notify.failed"));
}

TEST_F(Notifier, OneThatHangsHoldsUpNoOther) {
  o.targets = {target("https://hangs.example/x"), target("https://b.example/x")};
  over.script = {-1};
  start();
  is(plan::project_state::degraded, "x");
  ASSERT_TRUE(clock.run_until([this] { return over.urls.size() == 2; }, 1min));
  EXPECT_THAT(over.urls, ElementsAre("https://hangs.example/x", "https://b.example/x"));
  EXPECT_TRUE(clock.run_until(
      [this] { return metric("cml_reconciler_notifications_total{result=\"delivered\"}") == "1"; },
      1s));
}

TEST_F(Notifier, AWebhookIsToldOnlyOfWhatItWants) {
  auto wants = target("https://a.example/x");
  wants.events = {"recovered"};
  o.targets = {wants};
  start();
  is(plan::project_state::degraded, "x");
  pass_time(5min);
  EXPECT_THAT(over.bodies, IsEmpty());
  is(plan::project_state::converged);
  pass_time(5min);
  EXPECT_EQ(over.bodies.size(), 1U);
}

TEST_F(Notifier, WebhooksComeAndGoWithAReload) {
  o.targets = {target("https://a.example/x")};
  over.script.assign(1000, 500);
  start();
  is(plan::project_state::degraded, "x");
  pass_time(1min);
  sut->set({target("https://b.example/x")}, rules{});
  EXPECT_EQ(metric("cml_reconciler_notifications_total{result=\"dropped\"}"), "1");
  over.script.clear();
  over.urls.clear();
  is(plan::project_state::converged);
  pass_time(5min);
  EXPECT_THAT(over.urls, ElementsAre("https://b.example/x"));
}

TEST_F(Notifier, ARefusedFileIsTold) {
  o.targets = {target("https://a.example/x")};
  start();
  pass_time(5s);
  sut->reload_refused("jobs.yaml:1:1: bad");
  pass_time(2s);
  ASSERT_EQ(over.bodies.size(), 1U);
  EXPECT_THAT(over.bodies[0], HasSubstr("jobs.yaml:1:1: bad"));
}

TEST_F(Notifier, NoLineShowsTheUrl) {
  o.targets = {target("https://a.example/t0ken")};
  over.script = {500, 404};
  start();
  is(plan::project_state::degraded, "x");
  pass_time(10min);
  EXPECT_EQ(over.bodies.size(), 2U);
  for (const auto& line : lines) EXPECT_EQ(line.find("t0ken"), std::string::npos) << line;
}

TEST_F(Notifier, AUrlFileThatComesLaterIsTaken) {
  config::notify_target t;
  t.url_file = "/nonexistent/cml-reconciler-test";
  t.events = config::all_notify_events();
  o.targets = {t};
  start();
  is(plan::project_state::degraded, "x");
  pass_time(5min);
  EXPECT_THAT(over.bodies, IsEmpty());
  EXPECT_EQ(metric("cml_reconciler_notify_queue_length"), "1");
  int told = 0;
  for (const auto& line : lines)
    told += line.find("put the URL into it") != std::string::npos ? 1 : 0;
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace cmlrec::notify
