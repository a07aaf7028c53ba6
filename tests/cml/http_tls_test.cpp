#include "http_fixture.hpp"
#include "support/certificates.hpp"

namespace cmlrec::cml {
namespace {

using core::error_kind;
using testing::HasSubstr;

class HttpTls : public http_test {
 protected:
  test::authority root{"Test Root"};
  std::unique_ptr<test::scripted_server> secure;

  void serve(std::shared_ptr<boost::asio::ssl::context> tls) {
    secure = std::make_unique<test::scripted_server>(loop, std::move(tls));
    secure->always(test::json(a_project));
    options.base_url = secure->url();
  }
  void trust(const test::authority& a) {
    options.ca_file = test::temporary_file("ca.pem", a.certificate());
  }
  core::result<project> read() { return run(cml().get_project("pppp", soon())); }
  void expect_refusal(const std::string& words) {
    const auto r = read();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().kind, error_kind::unreachable);
    EXPECT_THAT(r.error().message, HasSubstr(words));
    EXPECT_EQ(secure->connections(), 1) << "it was repeated";
    EXPECT_TRUE(secure->requests().empty());
  }
};

TEST_F(HttpTls, AuthorityOfTheCaFileIsTrusted) {
  serve(root.server_for({"127.0.0.1"}));
  trust(root);
  const auto r = read();
  ASSERT_TRUE(r) << core::describe(r.error());
  EXPECT_TRUE(read());
  EXPECT_EQ(secure->connections(), 1);
}

TEST_F(HttpTls, HostNamesAreMatched) {
  serve(root.server_for({"localhost"}));
  options.base_url = "https://localhost:" + std::to_string(secure->port());
  trust(root);
  const auto r = read();
  EXPECT_TRUE(r) << core::describe(r.error());
}

TEST_F(HttpTls, IntermediateInTheCaFileIsEnough) {
  const test::authority intermediate(root, "Test Intermediate");
  serve(intermediate.server_for({"127.0.0.1"}));
  trust(intermediate);
  const auto r = read();
  EXPECT_TRUE(r) << core::describe(r.error());
}

TEST_F(HttpTls, UnknownAuthorityIsRefusedWithAdvice) {
  serve(root.server_for({"127.0.0.1"}));
  expect_refusal(
      "authority that is not known here (Test Root): give its certificates, the "
      "intermediate ones included, with --ca-file");
}

TEST_F(HttpTls, WrongHostIsRefusedWithTheNamesOfTheCertificate) {
  serve(root.server_for({"cml.example.com", "10.0.0.1"}));
  trust(root);
  expect_refusal("the certificate of 127.0.0.1 is made out for cml.example.com, 10.0.0.1");
}

TEST_F(HttpTls, ExpiredCertificateIsRefusedWithItsDate) {
  serve(root.server_for({"127.0.0.1"}, {-7200, -3600}));
  trust(root);
  expect_refusal("has expired: that for 127.0.0.1 was valid until ");
}

TEST_F(HttpTls, CertificateOfTheFutureAsksForTheClock) {
  serve(root.server_for({"127.0.0.1"}, {3600, 7200}));
  trust(root);
  expect_refusal("is not valid yet");
}

TEST_F(HttpTls, OldProtocolIsRefused) {
  const auto tls = root.server_for({"127.0.0.1"});
  SSL_CTX_set_max_proto_version(tls->native_handle(), TLS1_1_VERSION);
  serve(tls);
  trust(root);
  const auto r = run(cml().start_run("pppp", "jjjj", {}, soon()));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, error_kind::unreachable);
  EXPECT_FALSE(r.error().may_have_happened);
  EXPECT_THAT(r.error().message, HasSubstr("TLS 1.2 or newer is needed: enable it on the server"));
}

TEST_F(HttpTls, LeafWithoutItsIntermediateIsRefusedWithAdvice) {
  const test::authority intermediate(root, "Test Intermediate");
  serve(intermediate.server_for({"127.0.0.1"}));
  trust(root);
  expect_refusal(
      "authority that is not known here (Test Intermediate): give its certificates, the "
      "intermediate ones included, with --ca-file");
}

TEST_F(HttpTls, ServerThatIsNotTlsIsUnreachable) {
  server.always(test::raw("HTTP/1.1 400 Bad\r\n\r\n", test::step::then::close));
  options.base_url = "https://127.0.0.1:" + std::to_string(server.port());
  server.drop_connections(1);
  const auto r = run(cml().start_run("pppp", "jjjj", {}, soon()));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, error_kind::unreachable);
  EXPECT_THAT(r.error().message, HasSubstr("no TLS connection"));
  EXPECT_FALSE(r.error().may_have_happened);
}

TEST_F(HttpTls, TruncatedAnswerIsNoticed) {
  serve(root.server_for({"127.0.0.1"}));
  trust(root);
  secure->then(test::raw("HTTP/1.1 200 OK\r\n\r\n{\"id\":\"pppp\",\"name\":\"ray\"}",
                         test::step::then::close));
  EXPECT_TRUE(read());
  EXPECT_EQ(secure->requests().size(), 2U) << "an end without TLS's farewell was taken for the end";
}

TEST_F(HttpTls, UnusableCaFileIsToldAtStart) {
  options.base_url = "https://cml.example.com";
  for (const auto& path : {std::string("/does/not/exist.pem"), test::temporary_file("x", "junk")}) {
    options.ca_file = path;
    try {
      make_http_api(loop.get_executor(), clock, options, nullptr);
      FAIL() << path;
    } catch (const std::runtime_error& e) {
      EXPECT_THAT(e.what(), HasSubstr("the CA file " + path + " cannot be used"));
      EXPECT_THAT(e.what(), HasSubstr("PEM"));
    }
  }
}

}  // namespace
}  // namespace cmlrec::cml
