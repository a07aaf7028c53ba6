#include "cml/origin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::cml {
namespace {

origin host(const std::string& name, std::uint16_t port = 443) { return {true, name, port}; }

TEST(Origin, UrlIsTakenApart) {
  std::string why;
  const auto u = parse_url("HTTPS://Cml.Example.com:8443/a/b?c=d#e", why);
  ASSERT_TRUE(u) << why;
  EXPECT_TRUE(u->at.tls);
  EXPECT_EQ(u->at.host, "cml.example.com");
  EXPECT_EQ(u->at.port, 8443);
  EXPECT_EQ(u->target, "/a/b?c=d");
  EXPECT_EQ(u->at.authority(), "cml.example.com:8443");
}

TEST(Origin, DefaultPortIsLeftOutOfTheAuthority) {
  std::string why;
  EXPECT_EQ(parse_url("https://h", why)->at.authority(), "h");
  EXPECT_EQ(parse_url("http://h", why)->at.port, 80);
  EXPECT_EQ(parse_url("http://[::1]:8080", why)->at.authority(), "[::1]:8080");
}

TEST(Origin, UnusableUrlSaysWhy) {
  for (const auto& [url, reason] : {std::pair{"ftp://h", "only http and https"},
                                    {"h", "not a URL"},
                                    {"https://u:hunter2@h", "must not hold"},
                                    {"https://", "no host"},
                                    {"https://h:99999", "1 to 65535"},
                                    {"http://h:999ttp://h/", "1 to 65535"}}) {
    std::string why;
    EXPECT_FALSE(parse_url(url, why)) << url;
    EXPECT_THAT(why, testing::HasSubstr(reason));
    EXPECT_THAT(why, testing::Not(testing::HasSubstr("hunter2")));
  }
}

TEST(Origin, ProxyHasItsCredentialsDecoded) {
  std::string why;
  const auto p = parse_proxy("http://ann:p%40ss@proxy.example:3128", why);
  ASSERT_TRUE(p) << why;
  EXPECT_EQ(p->host, "proxy.example");
  EXPECT_EQ(p->port, 3128);
  EXPECT_EQ(p->authorization.reveal(), "Basic YW5uOnBAc3M=");
}

TEST(Origin, ProxyNeedsNoScheme) {
  std::string why;
  const auto p = parse_proxy("proxy.example:8080", why);
  ASSERT_TRUE(p) << why;
  EXPECT_EQ(p->port, 8080);
  EXPECT_TRUE(p->authorization.empty());
}

TEST(Origin, UnusableProxySaysWhy) {
  std::string why;
  EXPECT_FALSE(parse_proxy("socks5://h:1", why));
  EXPECT_THAT(why, testing::HasSubstr("over http"));
  EXPECT_FALSE(parse_proxy("http://a b:c", why));
}

TEST(Origin, HostIsAName) {
  for (const char* name : {"h%0d%0aX", "h%00", "a%20b", "%40", "a%2fb", "a%3ab", "a%5d"}) {
    std::string why;
    EXPECT_FALSE(parse_url("https://" + std::string(name) + "/", why)) << name;
    EXPECT_THAT(why, testing::HasSubstr("neither a name nor an address")) << name;
    why.clear();
    EXPECT_FALSE(parse_proxy("http://" + std::string(name) + ":3128", why)) << name;
    EXPECT_THAT(why, testing::HasSubstr("neither a name nor an address")) << name;
  }
}

TEST(NoProxy, NameStandsForItselfAndWhatIsBelow) {
  for (const char* list : {"example.com", ".example.com", "*.example.com", "x, EXAMPLE.com ,y"}) {
    EXPECT_TRUE(bypasses_proxy(host("cml.example.com"), list)) << list;
    EXPECT_TRUE(bypasses_proxy(host("example.com"), list)) << list;
    EXPECT_FALSE(bypasses_proxy(host("badexample.com"), list)) << list;
    EXPECT_FALSE(bypasses_proxy(host("example.com.evil"), list)) << list;
  }
}

TEST(NoProxy, StarIsEverything) { EXPECT_TRUE(bypasses_proxy(host("a.b"), " * ")); }

TEST(NoProxy, PortNarrows) {
  EXPECT_TRUE(bypasses_proxy(host("a.b", 8443), "a.b:8443"));
  EXPECT_FALSE(bypasses_proxy(host("a.b", 443), "a.b:8443"));
}

TEST(NoProxy, AddressesMatchWholly) {
  EXPECT_TRUE(bypasses_proxy(host("10.0.0.1"), "10.0.0.1"));
  EXPECT_FALSE(bypasses_proxy(host("10.0.0.1"), "0.0.1"));
  EXPECT_TRUE(bypasses_proxy(host("fd00::1"), "[fd00::1]:443"));
  EXPECT_TRUE(bypasses_proxy(host("fd00::1"), "fd00::1"));
}

TEST(NoProxy, EmptyListBypassesOnlyLoopback) {
  EXPECT_FALSE(bypasses_proxy(host("a.b"), ""));
  EXPECT_FALSE(bypasses_proxy(host("a.b"), " , ."));
  EXPECT_TRUE(bypasses_proxy(host("127.0.0.1"), ""));
  EXPECT_TRUE(bypasses_proxy(host("localhost"), ""));
  EXPECT_TRUE(bypasses_proxy(host("::1"), ""));
}

TEST(Origin, EverythingButUnreservedIsEncoded) {
  EXPECT_EQ(percent_encode("aZ09-._~ {\"/?&=\xC3"), "aZ09-._~%20%7B%22%2F%3F%26%3D%C3");
}

}  // namespace
}  // namespace cmlrec::cml
