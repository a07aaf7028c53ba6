// A client that sends what it is told, byte for byte, and never waits longer than a deadline.
#pragma once

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace cmlrec::http::testing {

struct answer {
  int status = 0;                              // 0: there was none
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class client {
 public:
  explicit client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~client() { close(); }
  client(client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        connected_(other.connected_),
        pending_(std::move(other.pending_)) {}
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  client& operator=(client&&) = delete;

  bool connected() const { return connected_; }

  // What the other side does not take any more is lost, as it would be for any client.
  void send(std::string_view text) {
    while (!text.empty()) {
      pollfd p{fd_, POLLOUT, 0};
      if (::poll(&p, 1, 5000) <= 0) return;
      const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  // A whole answer; an interim one (100) has no body.
  answer read_answer(bool to_head = false) {
    answer out;
    while (pending_.find("\r\n\r\n") == std::string::npos)
      if (!receive()) return out;
    const auto end = pending_.find("\r\n\r\n");
    const std::string head = pending_.substr(0, end + 2);
    pending_.erase(0, end + 4);
    if (head.rfind("HTTP/1.1 ", 0) != 0) return out;
    parse(head, out);
    const auto length = out.headers.count("content-length")
                            ? std::strtoul(out.headers["content-length"].c_str(), nullptr, 10)
                            : 0UL;
    if (to_head || out.status < 200) return out;
    while (pending_.size() < length)
      if (!receive()) return answer{};
    out.body = pending_.substr(0, length);
    pending_.erase(0, length);
    return out;
  }

  answer ask(std::string_view text) {
    send(text);
    return read_answer(text.substr(0, 5) == "HEAD ");
  }

  // The other side has closed, and everything that it sent has been read.
  bool closed_by_server(std::chrono::milliseconds within = std::chrono::seconds{10}) {
    const auto until = std::chrono::steady_clock::now() + within;
    while (pending_.empty() && std::chrono::steady_clock::now() < until)
      if (!receive(within)) return ended_;
    return false;
  }

  // Nothing is to be read now: neither bytes nor an end.
  bool silent() const {
    pollfd p{fd_, POLLIN, 0};
    return pending_.empty() && ::poll(&p, 1, 0) == 0;
  }

 private:
  static void parse(const std::string& head, answer& out) {
    out.status = std::atoi(head.c_str() + 9);
    auto line = head.find("\r\n") + 2;
    while (line < head.size()) {
      const auto stop = head.find("\r\n", line);
      const auto colon = head.find(':', line);
      auto name = head.substr(line, colon - line);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      const auto value = head.find_first_not_of(' ', colon + 1);
      out.headers[name] = head.substr(value, stop - value);
      line = stop + 2;
    }
  }

  bool receive(std::chrono::milliseconds within = std::chrono::seconds{10}) {
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, static_cast<int>(within.count())) <= 0) return false;
    char bytes[65536];
    const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) {
      ended_ = true;
      return false;
    }
    pending_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }

  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string pending_;
};

}  // namespace cmlrec::http::testing
