#include "cml/http_probe.hpp"

#include "http_fixture.hpp"
#include "support/certificates.hpp"

namespace cmlrec::cml {
namespace {

using core::error_kind;
using std::chrono::milliseconds;
using testing::HasSubstr;

class HttpProbe : public http_test {
 protected:
  probe_options probe;
  core::result<probe_answer> get(const std::string& url,
                                 core::duration within = std::chrono::seconds{5}) {
    const auto prober = make_prober(loop.get_executor(), clock, probe);
    return run(prober->get(url, clock.in(within)));
  }
};

TEST_F(HttpProbe, StatusAndBodyAreReturnedAndNoKeyIsSent) {
  server.then(test::answer(503, "not yet", "", "text/plain"));
  const auto r = get(server.url() + "/ready?x=1#y");
  ASSERT_TRUE(r) << core::describe(r.error());
  EXPECT_EQ(r->status, 503);
  EXPECT_EQ(r->body, "not yet");
  EXPECT_EQ(server.requests().at(0).line, "GET /ready?x=1 HTTP/1.1");
  EXPECT_FALSE(server.requests().at(0).headers.contains("authorization"));
}

TEST_F(HttpProbe, LongBodyIsCut) {
  auto flood = test::raw("", test::step::then::endless);
  flood.bytes = "HTTP/1.1 200 OK\r\n\r\n" + std::string(20'000, 'x');
  server.always(flood);
  const auto r = get(server.url());
  ASSERT_TRUE(r) << core::describe(r.error());
  EXPECT_EQ(r->body.size(), 64U * 1024);
}

TEST_F(HttpProbe, RedirectIsAnAnswer) {
  server.then(test::answer(302, "", "Location: /elsewhere\r\n"));
  EXPECT_EQ(get(server.url())->status, 302);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpProbe, SilenceEndsWithTheDeadline) {
  server.then(test::raw("", test::step::then::hang));
  const auto r = get(server.url(), milliseconds{100});
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, error_kind::timed_out);
}

TEST_F(HttpProbe, UrlThatCannotBeUsedIsAUsageError) {
  const auto r = get("gopher://h");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, error_kind::usage);
}

TEST_F(HttpProbe, ErrorShowsTheUrlWithoutItsSecrets) {
  server.then(test::raw("", test::step::then::reset));
  const auto e = get(server.url() + "/ready?token=hunter2").error();
  EXPECT_EQ(e.object, server.url() + "/ready");
  EXPECT_THAT(core::describe(e), testing::Not(HasSubstr("hunter2")));
}

TEST_F(HttpProbe, CertificateIsVerified) {
  const test::authority root("Test Root");
  test::scripted_server secure(loop, root.server_for({"127.0.0.1"}));
  secure.always(test::json("{}"));
  EXPECT_THAT(get(secure.url()).error().message, HasSubstr("authority that is not known"));
  probe.ca_file = test::temporary_file("ca.pem", root.certificate());
  EXPECT_TRUE(get(secure.url()));
}

}  // namespace
}  // namespace cmlrec::cml
