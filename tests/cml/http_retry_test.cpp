// Retry, the key, the circuit, the rate limit and the bound on what is in flight.
#include "cml/asio_clock.hpp"
#include "http_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

namespace cmlrec::cml {
namespace {

using core::error_kind;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class HttpRetry : public http_test {
 protected:
  core::result<project> read() { return run(cml().get_project("pppp", soon())); }
  core::result<cml::run> start() { return run(cml().start_run("pppp", "jjjj", {}, soon())); }
};

TEST_F(HttpRetry, ReadIsRepeatedAfterA5xx) {
  server.then(test::answer(502, "<html>"));
  server.then(test::answer(503, "{}"));
  server.then(test::json(a_project));
  EXPECT_TRUE(read());
  EXPECT_THAT(seen.attempts, ElementsAre("GetProject 502", "GetProject 503", "GetProject 200"));
  EXPECT_EQ(seen.retries.size(), 2U);
}

TEST_F(HttpRetry, PatchIsRepeatedAfterA5xx) {
  server.then(test::answer(500, "{}"));
  server.then(test::json(a_job));
  EXPECT_TRUE(run(cml().update_job("pppp", "jjjj", {}, soon())));
}

TEST_F(HttpRetry, PostIsNeverRepeated) {
  for (const int status : {400, 409, 429, 500, 503}) {
    server.then(test::answer(status, R"({"message":"no"})"));
    EXPECT_FALSE(start());
  }
  EXPECT_EQ(server.requests().size(), 5U);
  EXPECT_TRUE(seen.retries.empty());
}

TEST_F(HttpRetry, RefusalIsNotRepeated) {
  server.always(test::answer(400, R"({"message":"no","code":3})"));
  EXPECT_EQ(read().error().kind, error_kind::refused);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpRetry, LastErrorIsToldWhenTheTimeIsUsedUp) {
  server.always(test::answer(503, R"({"message":"upgrading"})"));
  const auto began = clock.now();
  const auto e = run(cml().get_project("pppp", clock.in(seconds{3}))).error();
  EXPECT_EQ(e.kind, error_kind::server);
  EXPECT_EQ(core::describe(e), "GetProject of project pppp: 503 upgrading");
  EXPECT_LE(clock.now() - began, seconds{4});
  EXPECT_GT(server.requests().size(), 1U);
}

TEST_F(HttpRetry, RetryAfterInSecondsIsHonoured) {
  server.then(test::answer(429, "{}", "Retry-After: 7\r\n"));
  server.then(test::json(a_project));
  EXPECT_TRUE(read());
  ASSERT_EQ(seen.retries.size(), 1U);
  EXPECT_EQ(seen.retries[0], seconds{7});
}

TEST_F(HttpRetry, RetryAfterAsADateIsHonoured) {
  server.then(test::answer(429, "{}",
                           "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                           "Retry-After: Sun, 06 Nov 1994 08:49:49 GMT\r\n"));
  server.then(test::json(a_project));
  EXPECT_TRUE(read());
  ASSERT_EQ(seen.retries.size(), 1U);
  EXPECT_EQ(seen.retries[0], seconds{12});
}

TEST_F(HttpRetry, RetryAfterBeyondTheDeadlineIsToldAtOnce) {
  server.then(test::answer(429, R"({"message":"slow down"})", "Retry-After: 120\r\n"));
  const auto e = read().error();
  EXPECT_EQ(e.kind, error_kind::throttled);
  EXPECT_EQ(e.retry_after, seconds{120});
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpRetry, BadKeyIsNotRepeated) {
  server.always(test::answer(500, "malformed apikey"));
  const auto e = read().error();
  EXPECT_EQ(e.kind, error_kind::credentials);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpRetry, RotatedKeyIsTakenAndTheCallRepeatedOnce) {
  options.reread_key = [] { return core::secret("another-key-42"); };
  server.then(test::answer(401, R"({"message":"expired","code":16})"));
  server.then(test::json(a_run));
  server.then(test::json(a_project));
  EXPECT_TRUE(start());
  EXPECT_TRUE(read());
  EXPECT_EQ(server.requests().at(1).headers.at("authorization"), "Bearer another-key-42");
  EXPECT_EQ(server.requests().at(2).headers.at("authorization"), "Bearer another-key-42");
}

TEST_F(HttpRetry, KeyThatHasNotChangedIsNotTriedAgain) {
  int asked = 0;
  options.reread_key = [&] {
    ++asked;
    return core::secret(the_key);
  };
  server.always(test::answer(401, "{}"));
  EXPECT_EQ(start().error().kind, error_kind::credentials);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpRetry, NewKeyThatIsRefusedTooEndsTheCall) {
  int n = 0;
  options.reread_key = [&] { return core::secret("key-number-" + std::to_string(++n)); };
  server.always(test::answer(401, "{}"));
  EXPECT_EQ(read().error().kind, error_kind::credentials);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(HttpRetry, KeyWithALineBreakIsNeverSent) {
  options.api_key = core::secret("abc\r\nX-Evil: 1");
  const auto e = read().error();
  EXPECT_EQ(e.kind, error_kind::credentials);
  EXPECT_TRUE(server.requests().empty());
  EXPECT_THAT(core::describe(e), Not(HasSubstr("Evil")));
}

TEST_F(HttpRetry, KeyIsInNoText) {
  const std::string echo = std::string(R"({"message":"key )") + the_key + R"( is wrong"})";
  for (const int status : {400, 401, 403, 404, 409, 429, 500}) {
    server.then(test::answer(status, echo, "Retry-After: 200\r\n"));
    const auto e = start().error();
    EXPECT_THAT(core::describe(e), HasSubstr("key ******** is wrong")) << status;
    EXPECT_THAT(core::describe(e), Not(HasSubstr(the_key))) << status;
  }
  server.then(test::answer(302, "", std::string("Location: /login/") + the_key + "\r\n"));
  EXPECT_THAT(core::describe(start().error()), Not(HasSubstr(the_key)));
}

TEST_F(HttpRetry, KeyIsInNothingThatIsObserved) {
  const std::string echo = std::string(R"({"message":"key )") + the_key + R"( is wrong"})";
  server.always(test::answer(500, echo));
  for (int i = 0; i < 6; ++i) EXPECT_FALSE(start());
  EXPECT_FALSE(run(cml().get_project("pppp", clock.in(seconds{20}))));
  EXPECT_FALSE(seen.texts.empty());
  for (const auto& text : seen.texts) EXPECT_THAT(text, Not(HasSubstr(the_key)));
}

TEST_F(HttpRetry, CircuitOpensAfterFiveFailedCallsAndClosesAfterAProbe) {
  server.always(test::answer(503, R"({"message":"upgrading"})"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(start().error().kind, error_kind::server);
  const auto e = start().error();
  EXPECT_EQ(e.kind, error_kind::circuit_open);
  EXPECT_FALSE(e.may_have_happened);
  EXPECT_THAT(e.message, HasSubstr("upgrading"));
  EXPECT_GT(*e.retry_after, seconds{3});
  EXPECT_EQ(read().error().kind, error_kind::circuit_open);
  EXPECT_EQ(server.requests().size(), 5U);

  clock.skip(seconds{5});
  server.always(test::json(a_run));
  EXPECT_TRUE(start());
  EXPECT_THAT(seen.circuit, ElementsAre(true, false));
}

TEST_F(HttpRetry, RefusalsDoNotOpenTheCircuit) {
  server.always(test::answer(400, R"({"message":"no","code":3})"));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(start().error().kind, error_kind::refused);
}

TEST_F(HttpRetry, CallThatIsBeingRetriedWaitsForTheCircuit) {
  server.always(test::answer(503, "{}"));
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(start());
  server.then(test::answer(503, "{}"));
  server.then(test::json(a_project));
  EXPECT_TRUE(read());
  EXPECT_THAT(seen.circuit, ElementsAre(true, false));
}

TEST_F(HttpRetry, RateIsKept) {
  options.requests_per_second = 2;
  server.always(test::json(a_project));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(read());
  ASSERT_EQ(seen.rate_limited.size(), 2U);
  EXPECT_GT(seen.rate_limited[0], milliseconds{100});
  EXPECT_LE(seen.rate_limited[0], milliseconds{500});
}

TEST_F(HttpRetry, RateThatLeavesNoRoomIsToldBeforeAnythingIsSent) {
  options.requests_per_second = 1;
  server.always(test::json(a_run));
  EXPECT_TRUE(start());
  const auto e = run(cml().start_run("pppp", "jjjj", {}, clock.in(milliseconds{300}))).error();
  EXPECT_EQ(e.kind, error_kind::timed_out);
  EXPECT_FALSE(e.may_have_happened);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpRetry, NoMoreThanTheBoundAreInFlightAndAllGetTheirTurnInOrder) {
  options.max_in_flight = 2;
  auto slow = test::json(a_project);
  slow.delay = milliseconds{10};
  server.always(slow);
  int done = 0;
  for (const char* id : {"p1", "p2", "p3", "p4", "p5", "p6"})
    boost::asio::co_spawn(loop, cml().get_project(id, soon()),
                          [&](std::exception_ptr, const core::result<project>& p) {
                            EXPECT_TRUE(p);
                            ++done;
                          });
  ASSERT_TRUE(test::run_until(loop, [&] { return done == 6; }));
  EXPECT_EQ(server.most_at_once(), 2);
  EXPECT_EQ(server.connections(), 2);
  EXPECT_THAT(lines().back(), HasSubstr("/p6"));
}

TEST_F(HttpRetry, WaitForAPlaceEndsWithTheDeadline) {
  options.max_in_flight = 1;
  server.always(test::raw("", test::step::then::hang));
  bool first_done = false;
  boost::asio::co_spawn(
      loop, cml().get_project("p1", clock.in(milliseconds{400})),
      [&](std::exception_ptr, const core::result<project>&) { first_done = true; });
  ASSERT_TRUE(test::run_until(loop, [&] { return server.requests().size() == 1; }));
  const auto e = run(cml().start_run("p", "j", {}, clock.in(milliseconds{50}))).error();
  EXPECT_EQ(e.kind, error_kind::timed_out);
  EXPECT_FALSE(e.may_have_happened);
  EXPECT_THAT(e.message, HasSubstr("not sent"));
  EXPECT_TRUE(test::run_until(loop, [&] { return first_done; }));
}

TEST_F(HttpRetry, StoppedPostSaysThatItMayHaveHappened) {
  server.always(test::raw("", test::step::then::hang));
  boost::asio::cancellation_signal stop;
  std::optional<core::error> e;
  boost::asio::co_spawn(loop, cml().start_run("pppp", "jjjj", {}, soon()),
                        boost::asio::bind_cancellation_slot(
                            stop.slot(), [&](std::exception_ptr, const core::result<cml::run>& r) {
                              if (!r) e = r.error();
                            }));
  ASSERT_TRUE(test::run_until(loop, [&] { return server.requests().size() == 1; }));
  stop.emit(boost::asio::cancellation_type::terminal);
  ASSERT_TRUE(test::run_until(loop, [&] { return e.has_value(); }));
  EXPECT_EQ(e->kind, error_kind::cancelled);
  EXPECT_TRUE(e->may_have_happened);
}

TEST_F(HttpRetry, StoppedWhileWaitingForAPlaceIsNotSent) {
  options.max_in_flight = 1;
  server.always(test::raw("", test::step::then::hang));
  boost::asio::co_spawn(loop, cml().get_project("p1", soon()),
                        [](std::exception_ptr, const core::result<project>&) {});
  ASSERT_TRUE(test::run_until(loop, [&] { return server.requests().size() == 1; }));
  boost::asio::cancellation_signal stop;
  std::optional<core::error> e;
  boost::asio::co_spawn(loop, cml().start_run("pppp", "jjjj", {}, soon()),
                        boost::asio::bind_cancellation_slot(
                            stop.slot(), [&](std::exception_ptr, const core::result<cml::run>& r) {
                              if (!r) e = r.error();
                            }));
  while (loop.poll_one() > 0) {
  }
  stop.emit(boost::asio::cancellation_type::terminal);
  ASSERT_TRUE(test::run_until(loop, [&] { return e.has_value(); }));
  EXPECT_EQ(e->kind, error_kind::cancelled);
  EXPECT_FALSE(e->may_have_happened);
}

TEST_F(HttpRetry, StopEndsTheWaitBetweenTwoAttempts) {
  const auto real = make_asio_clock(loop.get_executor());
  options.base_url = server.url();
  client = make_http_api(loop.get_executor(), *real, options, &seen);
  server.always(test::answer(503, "{}", "Retry-After: 5\r\n"));
  boost::asio::cancellation_signal stop;
  std::optional<core::error> e;
  boost::asio::co_spawn(loop, cml().get_project("pppp", real->now() + seconds{20}),
                        boost::asio::bind_cancellation_slot(
                            stop.slot(), [&](std::exception_ptr, const core::result<project>& r) {
                              if (!r) e = r.error();
                            }));
  ASSERT_TRUE(test::run_until(loop, [&] { return seen.retries.size() == 1; }));
  stop.emit(boost::asio::cancellation_type::terminal);
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(test::run_until(loop, [&] { return e.has_value(); }));
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds{2});
  EXPECT_EQ(e->kind, error_kind::cancelled);
  EXPECT_FALSE(e->may_have_happened);
}

}  // namespace
}  // namespace cmlrec::cml
