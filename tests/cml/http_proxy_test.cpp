#include "http_fixture.hpp"
#include "support/certificates.hpp"

namespace cmlrec::cml {
namespace {

using core::error_kind;
using testing::HasSubstr;
using testing::Not;

// A workspace under a name that only the proxy can resolve.
class HttpProxy : public http_test {
 protected:
  static constexpr const char* host = "cml.test.invalid";
  test::authority root{"Test Root"};
  test::scripted_server workspace{loop, root.server_for({host})};

  HttpProxy() {
    workspace.always(test::json(a_project));
    options.base_url = std::string("https://") + host;
    options.ca_file = test::temporary_file("ca.pem", root.certificate());
    options.proxy = "http://ann:hunter2@127.0.0.1:" + std::to_string(server.port());
  }
  test::step tunnel() const {
    auto out = test::raw("HTTP/1.1 200 Connection established\r\n\r\n", test::step::then::tunnel);
    out.tunnel_port = workspace.port();
    return out;
  }
};

TEST_F(HttpProxy, HttpsGoesThroughATunnel) {
  server.then(tunnel());
  const auto p = run(cml().get_project("pppp", soon()));
  ASSERT_TRUE(p) << core::describe(p.error());
  const auto& asked = server.requests().at(0);
  EXPECT_EQ(asked.line, "CONNECT cml.test.invalid:443 HTTP/1.1");
  EXPECT_EQ(asked.headers.at("host"), "cml.test.invalid:443");
  EXPECT_EQ(asked.headers.at("proxy-authorization"), "Basic YW5uOmh1bnRlcjI=");
  EXPECT_FALSE(asked.headers.contains("authorization"));
  EXPECT_EQ(workspace.requests().at(0).line, "GET /api/v2/projects/pppp HTTP/1.1");
  EXPECT_FALSE(workspace.requests().at(0).headers.contains("proxy-authorization"));
}

TEST_F(HttpProxy, TunnelIsKept) {
  server.then(tunnel());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(run(cml().get_project("pppp", soon())));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpProxy, MissingCredentialsAreNamedAndNotRepeated) {
  server.always(test::answer(407, "who are you?"));
  const auto e = run(cml().get_project("pppp", soon())).error();
  EXPECT_EQ(e.kind, error_kind::unreachable);
  EXPECT_THAT(e.message, HasSubstr("(407): give its user and password"));
  EXPECT_THAT(e.message, Not(HasSubstr("hunter2")));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpProxy, RefusedTunnelMeansThatAPostWasNotSent) {
  server.always(test::answer(502, "no way"));
  const auto e = run(cml().start_run("pppp", "jjjj", {}, soon())).error();
  EXPECT_EQ(e.kind, error_kind::unreachable);
  EXPECT_FALSE(e.may_have_happened);
  EXPECT_THAT(e.message, HasSubstr("refuses a tunnel to cml.test.invalid:443 (502)"));
}

TEST_F(HttpProxy, ProxyThatCannotBeReachedIsNamed) {
  {
    const test::scripted_server gone(loop);
    options.proxy = "http://127.0.0.1:" + std::to_string(gone.port());
  }
  const auto e = run(cml().start_run("pppp", "jjjj", {}, soon())).error();
  EXPECT_THAT(e.message, HasSubstr("cannot connect to the proxy 127.0.0.1:"));
  EXPECT_FALSE(e.may_have_happened);
}

TEST_F(HttpProxy, NoProxyGoesDirectly) {
  options.no_proxy = "other.example,.test.invalid";
  const auto e = run(cml().start_run("pppp", "jjjj", {}, soon())).error();
  EXPECT_THAT(e.message, HasSubstr("cml.test.invalid cannot be resolved"));
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(HttpProxy, LoopbackGoesDirectly) {
  test::scripted_server local(loop);
  local.always(test::json(a_project));
  options.base_url = local.url();
  EXPECT_TRUE(run(cml().get_project("pppp", soon())));
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(HttpProxy, UnusableProxyIsToldAtStartWithoutItsPassword) {
  options.proxy = "socks5://ann:hunter2@h:1";
  try {
    make_http_api(loop.get_executor(), clock, options, nullptr);
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("the proxy cannot be used"));
    EXPECT_THAT(e.what(), Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace cmlrec::cml
