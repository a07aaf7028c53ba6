// Servers that misbehave on the wire.
#include "http_fixture.hpp"

namespace cmlrec::cml {
namespace {

using core::error_kind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::step;
using testing::HasSubstr;

class HttpFaults : public http_test {
 protected:
  core::error read_error(core::duration within = std::chrono::seconds{20}) {
    const auto r = run(cml().get_project("pppp", clock.in(within)));
    return r ? core::error(error_kind::internal, "no error") : r.error();
  }
  core::error start_error(core::duration within = std::chrono::seconds{20}) {
    const auto r = run(cml().start_run("pppp", "jjjj", {}, clock.in(within)));
    return r ? core::error(error_kind::internal, "no error") : r.error();
  }
  // What a POST that was sent once came to.
  void expect_doubt(error_kind kind) {
    const auto e = start_error();
    EXPECT_EQ(e.kind, kind) << core::describe(e);
    EXPECT_TRUE(e.may_have_happened);
    EXPECT_EQ(server.requests().size(), 1U);
  }
};

TEST_F(HttpFaults, ReadIsRepeatedAfterAReset) {
  server.then(test::raw("", step::then::reset));
  server.then(test::json(a_project));
  EXPECT_EQ(read_error().message, "no error");
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(HttpFaults, ReadIsRepeatedAfterAConnectionThatEndsBeforeTheRequest) {
  server.drop_connections(2);
  server.then(test::json(a_project));
  EXPECT_EQ(read_error().message, "no error");
}

TEST_F(HttpFaults, ReadIsRepeatedAfterATruncatedBody) {
  server.then(
      test::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":", step::then::close));
  server.then(test::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n",
                        step::then::close));
  server.then(test::json(a_project));
  EXPECT_EQ(read_error().message, "no error");
}

TEST_F(HttpFaults, PostIsInDoubtAfterAReset) {
  server.then(test::raw("", step::then::reset));
  expect_doubt(error_kind::unreachable);
}

TEST_F(HttpFaults, PostIsInDoubtAfterAResetInTheAnswer) {
  server.then(test::raw("HTTP/1.1 200 OK\r\nContent-Le", step::then::reset));
  expect_doubt(error_kind::unreachable);
}

TEST_F(HttpFaults, PostIsInDoubtAfterATruncatedBody) {
  server.then(
      test::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":", step::then::close));
  expect_doubt(error_kind::unreachable);
}

TEST_F(HttpFaults, PostIsInDoubtAfterA5xx) {
  server.then(test::answer(500, R"({"message":"context deadline exceeded","code":13})"));
  expect_doubt(error_kind::server);
}

TEST_F(HttpFaults, PostIsInDoubtAfterGarbage) {
  server.then(test::raw("SSH-2.0-OpenSSH_9.2\r\n", step::then::close));
  expect_doubt(error_kind::not_json);
}

TEST_F(HttpFaults, PostIsInDoubtAfterAPage) {
  server.then(test::answer(200, "<html>Sign in</html>", "", "text/html"));
  expect_doubt(error_kind::not_json);
}

TEST_F(HttpFaults, PostIsInDoubtAfterAnAnswerThatCannotBeRead) {
  server.then(test::json(R"({"job_id":"jjjj"})"));
  expect_doubt(error_kind::not_json);
}

TEST_F(HttpFaults, PostIsInDoubtAfterSilence) {
  server.then(test::raw("", step::then::hang));
  options.attempt_timeout = milliseconds{80};
  expect_doubt(error_kind::timed_out);
}

TEST_F(HttpFaults, PostIsNotInDoubtAfterARefusal) {
  server.then(test::answer(400, R"({"message":"no","code":3})"));
  EXPECT_FALSE(start_error().may_have_happened);
}

TEST_F(HttpFaults, PostIsNotInDoubtWhereNothingWasSent) {
  options.base_url = server.url();
  {
    const test::scripted_server gone(loop);
    options.base_url = gone.url();
  }
  const auto e = start_error();
  EXPECT_EQ(e.kind, error_kind::unreachable);
  EXPECT_FALSE(e.may_have_happened);
  EXPECT_THAT(e.message, HasSubstr("cannot connect to 127.0.0.1:"));
}

TEST_F(HttpFaults, WrongNameIsUnreachableAndNotSent) {
  options.base_url = "https://does-not-exist.invalid";
  const auto e = start_error();
  EXPECT_EQ(e.kind, error_kind::unreachable);
  EXPECT_FALSE(e.may_have_happened);
  EXPECT_THAT(e.message, HasSubstr("does-not-exist.invalid"));
}

TEST_F(HttpFaults, PageInsteadOfJsonIsNamedAndNotRepeatedForLong) {
  server.always(test::answer(200, "<html>Sign in</html>", "", "text/html"));
  const auto e = read_error();
  EXPECT_EQ(e.kind, error_kind::not_json);
  EXPECT_EQ(e.http_status, 200);
  EXPECT_THAT(e.message, HasSubstr("HTML page"));
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST_F(HttpFaults, PageDuringARestartIsOvercome) {
  server.then(test::answer(404, "default backend - 404", "", "text/plain"));
  server.then(test::answer(200, "<html>Sign in</html>", "", "text/html"));
  server.then(test::json(a_project));
  EXPECT_EQ(read_error().message, "no error");
}

TEST_F(HttpFaults, RedirectIsNotFollowed) {
  server.always(test::answer(302, "", "Location: " + server.url() + "/login?t=hunter2\r\n"));
  const auto e = read_error();
  EXPECT_EQ(e.kind, error_kind::not_json);
  EXPECT_THAT(e.message, HasSubstr("redirected to " + server.url() + "/login"));
  EXPECT_THAT(e.message, testing::Not(HasSubstr("hunter2")));
  for (const auto& line : lines()) EXPECT_EQ(line, "GET /api/v2/projects/pppp HTTP/1.1");
}

TEST_F(HttpFaults, SilenceEndsWithTheDeadline) {
  server.always(test::raw("", step::then::hang));
  const auto began = steady_clock::now();
  const auto e = read_error(milliseconds{150});
  const auto took = steady_clock::now() - began;
  EXPECT_EQ(e.kind, error_kind::timed_out);
  EXPECT_FALSE(e.may_have_happened);
  EXPECT_GE(took, milliseconds{140});
  EXPECT_LT(took, milliseconds{900});
}

TEST_F(HttpFaults, SlowDripEndsWithTheDeadline) {
  server.always(test::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", step::then::hang));
  const auto began = steady_clock::now();
  EXPECT_EQ(read_error(milliseconds{150}).kind, error_kind::timed_out);
  EXPECT_LT(steady_clock::now() - began, milliseconds{900});
}

TEST_F(HttpFaults, DeadlineInThePastSendsNothing) {
  const auto e = read_error(milliseconds{-1});
  EXPECT_EQ(e.kind, error_kind::timed_out);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HttpFaults, EndlessBodyIsCutOff) {
  options.max_body = 100'000;
  auto flood = test::raw("", step::then::endless);
  flood.bytes = "HTTP/1.1 200 OK\r\n\r\n" + std::string(20'000, ' ');
  server.always(flood);
  const auto e = read_error();
  EXPECT_EQ(e.kind, error_kind::not_json);
  EXPECT_THAT(e.message, HasSubstr("longer than 100000 bytes"));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpFaults, BodyAnnouncedAsTooLongIsNotRead) {
  options.max_body = 1000;
  server.always(
      test::raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{", step::then::hang));
  EXPECT_THAT(read_error().message, HasSubstr("longer than 1000 bytes"));
}

TEST_F(HttpFaults, EndlessHeaderIsCutOff) {
  auto flood = test::raw("", step::then::endless);
  flood.bytes = "HTTP/1.1 200 OK\r\nX-Filler: " + std::string(30'000, 'x');
  server.always(flood);
  EXPECT_EQ(read_error().kind, error_kind::not_json);
}

TEST_F(HttpFaults, ChunkedAnswerIsRead) {
  server.then(
      test::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "8\r\n{\"id\":\"p\r\n11\r\n\",\"name\":\"ray\"  }\r\n0\r\n\r\n",
                step::then::keep));
  EXPECT_EQ(read_error().message, "no error");
}

TEST_F(HttpFaults, InterimAnswerIsSkipped) {
  server.then(
      test::raw("HTTP/1.1 100 Continue\r\n\r\n" + test::json(a_project).bytes, step::then::keep));
  EXPECT_EQ(read_error().message, "no error");
}

TEST_F(HttpFaults, ConnectionIsKept) {
  server.always(test::json(a_project));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(read_error().message, "no error");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpFaults, ConnectionThatTheServerWillCloseIsNotKept) {
  server.always(test::answer(200, a_project, "Connection: close\r\n"));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(read_error().message, "no error");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpFaults, ReadMovesFromADeadKeptConnectionToAFreshOneWithoutARetry) {
  server.then(test::json(a_project));
  server.then(test::raw("", step::then::close));
  server.then(test::json(a_project));
  EXPECT_EQ(read_error().message, "no error");
  EXPECT_EQ(read_error().message, "no error");
  EXPECT_EQ(server.connections(), 2);
  EXPECT_TRUE(seen.retries.empty());
}

TEST_F(HttpFaults, PostOnADeadKeptConnectionIsInDoubtAndNotRepeated) {
  server.then(test::json(a_project));
  server.then(test::raw("", step::then::close));
  EXPECT_EQ(read_error().message, "no error");
  const auto e = start_error();
  EXPECT_EQ(e.kind, error_kind::unreachable);
  EXPECT_TRUE(e.may_have_happened);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(HttpFaults, KeptConnectionThatWasClosedMeanwhileIsNotUsedForAPost) {
  server.then(test::raw(test::json(a_project).bytes, step::then::close));
  server.then(test::json(a_run));
  EXPECT_EQ(read_error().message, "no error");
  // What the server has closed is there to be seen once the loop has nothing left to do.
  while (loop.poll_one() > 0) {
  }
  EXPECT_EQ(start_error().message, "no error");
  EXPECT_EQ(server.connections(), 2);
}

}  // namespace
}  // namespace cmlrec::cml
