// The HTTP front over real sockets on the loopback interface.
#include "simulator/front.hpp"

#include "simulator/fixture.hpp"

#include <chrono>
#include <string>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace cmlrec::simulator {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class SimulatorFront : public simulator_test {
 protected:
  void SetUp() override {
    start();
    open({});
  }
  void TearDown() override { shut(); }

  void open(front_options options) {
    shut();
    io_ = std::make_unique<asio::io_context>(1);
    front_ = std::make_unique<front>(*io_, *sim_, options);
    at_ = front_->listen({asio::ip::address_v4::loopback(), 0});
    thread_ = std::thread([this] { io_->run(); });
  }
  void shut() {
    if (!io_) return;
    io_->stop();
    if (thread_.joinable()) thread_.join();
    front_.reset();
    io_.reset();
  }

  tcp::socket connect() {
    tcp::socket s(client_);
    s.connect(at_);
    return s;
  }
  static std::string text(const std::string& method, const std::string& path,
                          const std::string& body = {}, const std::string& more = {}) {
    return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
           test_key + "\r\n" + more + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  // All that comes until the other side closes.
  static std::string read_all(tcp::socket& s) {
    std::string out;
    boost::system::error_code ec;
    asio::read(s, asio::dynamic_buffer(out), ec);
    last_error_ = ec;
    return out;
  }
  std::string exchange(const std::string& bytes) {
    auto s = connect();
    asio::write(s, asio::buffer(bytes));
    return read_all(s);
  }
  static std::size_t count(const std::string& in, const std::string& what) {
    std::size_t n = 0;
    for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++n;
    return n;
  }

  static inline boost::system::error_code last_error_;
  asio::io_context client_;
  std::unique_ptr<asio::io_context> io_;
  std::unique_ptr<front> front_;
  std::thread thread_;
  tcp::endpoint at_;
};

constexpr const char* closing = "Connection: close\r\n";

TEST_F(SimulatorFront, AnswersInVirtualTime) {
  const auto answer = exchange(text("GET", "/api/v2/projects", "", closing));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("Date: Mon, 05 Jan 2026 10:00:00 GMT\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\"projects\":[]"), std::string::npos) << answer;
}

TEST_F(SimulatorFront, PipelinedRequestsAreAnsweredInOrderOnOneConnection) {
  const auto answer = exchange(text("GET", "/-/health") + text("GET", "/api/v2/nothing") +
                               text("GET", "/api/v2/projects", "", closing));
  EXPECT_EQ(count(answer, "HTTP/1.1 "), 3U) << answer;
  EXPECT_LT(answer.find("\"status\":\"ok\""), answer.find("404 Not Found"));
  EXPECT_LT(answer.find("404 Not Found"), answer.find("\"projects\""));
}

TEST_F(SimulatorFront, LostAnswerClosesTheConnection) {
  exchange(
      text("POST", "/-/faults", R"({"operation":"CreateProject","fault":"lost_after"})", closing));
  EXPECT_EQ(exchange(text("POST", "/api/v2/projects", R"({"name":"demo"})")), "");
  EXPECT_EQ(
      count(exchange(text("GET", "/api/v2/projects", "", closing)), "\"name\":\"demo\",\"owner\""),
      1U);
}

TEST_F(SimulatorFront, ResetIsATcpReset) {
  exchange(text("POST", "/-/faults", R"({"fault":"reset"})", closing));
  exchange(text("GET", "/api/v2/projects"));
  EXPECT_EQ(last_error_, asio::error::connection_reset);
}

TEST_F(SimulatorFront, TruncatedAnswerEndsBeforeItsLength) {
  exchange(text("POST", "/-/faults", R"({"fault":"truncated"})", closing));
  const auto answer = exchange(text("GET", "/api/v2/projects"));
  const auto head = answer.find("\r\n\r\n");
  ASSERT_NE(head, std::string::npos);
  const auto at = answer.find("Content-Length: ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_GT(std::stoul(answer.substr(at + 16)), answer.size() - head - 4);
}

TEST_F(SimulatorFront, HangingCallIsInFlightUntilItsCallerGoes) {
  exchange(text("POST", "/-/faults", R"({"fault":"hang"})", closing));
  const auto in_flight = [&](const std::string& n) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (std::chrono::steady_clock::now() < deadline)
      if (exchange(text("GET", "/-/ledger", "", closing)).find("\"in_flight\":" + n + ",") !=
          std::string::npos)
        return true;
    return false;
  };
  {
    auto s = connect();
    asio::write(s, asio::buffer(text("GET", "/api/v2/projects")));
    EXPECT_TRUE(in_flight("1"));
  }
  EXPECT_TRUE(in_flight("0"));
}

TEST_F(SimulatorFront, ConcurrentCallsShowInTheLedger) {
  open({.latency = std::chrono::milliseconds{200}, .verbose = false});
  std::vector<tcp::socket> callers;
  for (int i = 0; i < 3; ++i) {
    callers.push_back(connect());
    asio::write(callers.back(), asio::buffer(text("GET", "/api/v2/projects", "", closing)));
  }
  for (auto& s : callers) EXPECT_TRUE(read_all(s).starts_with("HTTP/1.1 200"));
  EXPECT_NE(exchange(text("GET", "/-/ledger", "", closing)).find("\"most_in_flight\":3"),
            std::string::npos);
}

TEST_F(SimulatorFront, TwoCannotHaveOnePort) {
  asio::io_context other;
  front second(other, *sim_, {});
  EXPECT_THROW(second.listen(at_), boost::system::system_error);
}

}  // namespace
}  // namespace cmlrec::simulator
