#include "cml/http_post.hpp"

#include "http_fixture.hpp"
#include "support/certificates.hpp"

namespace cmlrec::cml {
namespace {

using core::error_kind;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

class HttpPost : public http_test {
 protected:
  probe_options how;
  core::result<post_answer> post(const std::string& url,
                                 core::duration within = std::chrono::seconds{5}) {
    const auto poster = make_poster(loop.get_executor(), clock, how);
    return run(poster->post(core::secret(url), R"({"text":"x"})", clock.in(within)));
  }
};

TEST_F(HttpPost, SendsItsBodyAsJsonAndNoKey) {
  server.then(test::answer(204, ""));
  const auto r = post(server.url() + "/services/t0ken?x=1");
  ASSERT_TRUE(r) << core::describe(r.error());
  EXPECT_EQ(r->status, 204);
  const auto& request = server.requests().at(0);
  EXPECT_EQ(request.line, "POST /services/t0ken?x=1 HTTP/1.1");
  EXPECT_EQ(request.headers.at("content-type"), "application/json");
  EXPECT_EQ(request.body, R"({"text":"x"})");
  EXPECT_FALSE(request.headers.contains("authorization"));
}

TEST_F(HttpPost, GivesTheTimeThatTheServerAskedFor) {
  server.then(test::answer(429, "", "Retry-After: 7\r\n"));
  const auto r = post(server.url());
  ASSERT_TRUE(r) << core::describe(r.error());
  EXPECT_EQ(r->status, 429);
  EXPECT_EQ(r->retry_after, std::chrono::seconds{7});
}

TEST_F(HttpPost, FollowsNoRedirect) {
  server.then(test::answer(307, "", "Location: /elsewhere\r\n"));
  EXPECT_EQ(post(server.url())->status, 307);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpPost, IsSentOnce) {
  server.then(test::raw("", test::step::then::reset));
  EXPECT_FALSE(post(server.url()));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpPost, NoErrorShowsTheUrl) {
  server.then(test::raw("", test::step::then::reset));
  server.then(test::raw("", test::step::then::hang));
  const auto broken = post(server.url() + "/t0ken").error();
  EXPECT_THAT(core::describe(broken), Not(HasSubstr("t0ken")));
  const auto late = post(server.url() + "/t0ken", milliseconds{100}).error();
  EXPECT_EQ(late.kind, error_kind::timed_out);
  EXPECT_THAT(core::describe(late), Not(HasSubstr("t0ken")));
  const auto unusable = post("gopher://h/t0ken").error();
  EXPECT_EQ(unusable.kind, error_kind::usage);
  EXPECT_THAT(core::describe(unusable), Not(HasSubstr("t0ken")));
}

TEST_F(HttpPost, CertificateIsVerified) {
  const test::authority root("Test Root");
  test::scripted_server secure(loop, root.server_for({"127.0.0.1"}));
  secure.always(test::answer(200, ""));
  EXPECT_THAT(post(secure.url()).error().message, HasSubstr("authority that is not known"));
  how.ca_file = test::temporary_file("ca.pem", root.certificate());
  EXPECT_TRUE(post(secure.url()));
}

}  // namespace
}  // namespace cmlrec::cml
