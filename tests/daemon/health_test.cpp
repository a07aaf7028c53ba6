#include "daemon/health.hpp"

#include <arpa/inet.h>
#include <chrono>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// Answers one connection with a fixed text, or not at all.
class peer {
 public:
  explicit peer(std::string answer) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof a;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&a), size);
    ::listen(listener_, 1);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&a), &size);
    port_ = ntohs(a.sin_port);
    if (!answer.empty()) thread_ = std::thread([this, answer] { serve(answer); });
  }
  ~peer() {
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
  }
  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;
  std::string address(const std::string& host = "127.0.0.1") const {
    return host + ":" + std::to_string(port_);
  }
  std::string asked() {
    thread_.join();
    return asked_;
  }

 private:
  void serve(const std::string& answer) {
    const int fd = ::accept(listener_, nullptr, nullptr);
    char bytes[2048];
    while (asked_.find("\r\n\r\n") == std::string::npos) {
      const auto n = ::recv(fd, bytes, sizeof bytes, 0);
      if (n <= 0) break;
      asked_.append(bytes, static_cast<std::size_t>(n));
    }
    ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(fd);
  }

  int listener_;
  int port_ = 0;
  std::string asked_;
  std::thread thread_;
};

TEST(Health, GoodAnswerIsHealthy) {
  peer p("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n");
  const auto a = ask_health(p.address(), false, seconds{5});
  EXPECT_TRUE(a.good);
  EXPECT_THAT(a.line, HasSubstr("/healthz: 200 ok"));
  EXPECT_THAT(p.asked(), HasSubstr("GET /healthz HTTP/1.1\r\n"));
}

TEST(Health, UnreadyDaemonIsUnhealthyAndSaysWhy) {
  peer p("HTTP/1.1 503 Service Unavailable\r\n\r\n[+] first-pass ok\n[-] cml-reachable not ok\n");
  const auto a = ask_health(p.address(), true, seconds{5});
  EXPECT_FALSE(a.good);
  EXPECT_THAT(a.line, HasSubstr("/readyz: 503 cml-reachable not ok"));
  EXPECT_THAT(p.asked(), HasSubstr("GET /readyz HTTP/1.1\r\n"));
}

TEST(Health, AddressThatMeansAllIsAskedOnLoopback) {
  peer p("HTTP/1.1 200 OK\r\n\r\nok\n");
  EXPECT_TRUE(ask_health(p.address("0.0.0.0"), false, seconds{5}).good);
}

TEST(Health, NameWithSeveralAddressesIsAskedAtEach) {
  peer p("HTTP/1.1 200 OK\r\n\r\nok\n");
  EXPECT_TRUE(ask_health(p.address("localhost"), false, seconds{5}).good);
}

TEST(Health, NobodyThereIsUnhealthy) {
  std::string address;
  {
    peer p("");
    address = p.address();
  }
  const auto a = ask_health(address, false, seconds{5});
  EXPECT_FALSE(a.good);
  EXPECT_THAT(a.line, HasSubstr("refused"));
}

TEST(Health, SilenceEndsInTime) {
  peer p("");
  const auto began = std::chrono::steady_clock::now();
  const auto a = ask_health(p.address(), false, milliseconds{200});
  EXPECT_FALSE(a.good);
  EXPECT_THAT(a.line, HasSubstr("no answer in time"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds{5});
}

TEST(Health, UnknownPortIsSaid) {
  EXPECT_THAT(ask_health("127.0.0.1:0", false, seconds{1}).line, HasSubstr("port is 0"));
}

}  // namespace
}  // namespace cmlrec::daemon
