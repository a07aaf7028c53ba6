#include "daemon/local_client.hpp"

#include "daemon/setup.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <netdb.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace cmlrec::daemon {
namespace {

using steady = std::chrono::steady_clock;

// A status of many thousand jobs fits; an endless answer ends.
constexpr std::size_t longest_answer = 256 * 1024 * 1024;

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Nothing: it has come; else what went wrong.
std::optional<std::string> wait_for(int fd, short what, steady::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady::now()).count();
    if (left <= 0) return "no answer in time";
    pollfd p{fd, what, 0};
    const int got = ::poll(&p, 1, static_cast<int>(left));
    if (got > 0) return std::nullopt;
    if (got < 0 && errno != EINTR) return std::strerror(errno);
  }
}

std::optional<std::string> connect_to(const descriptor& s, const sockaddr* to, socklen_t size,
                                      steady::time_point until) {
  if (s.get() < 0) return std::strerror(errno);
  if (::connect(s.get(), to, size) == 0) return std::nullopt;
  if (errno != EINPROGRESS) return std::strerror(errno);
  if (auto why = wait_for(s.get(), POLLOUT, until)) return why;
  int problem = 0;
  socklen_t length = sizeof problem;
  ::getsockopt(s.get(), SOL_SOCKET, SO_ERROR, &problem, &length);
  if (problem != 0) return std::strerror(problem);
  return std::nullopt;
}

std::optional<std::string> exchange(int fd, const std::string& request, std::string& answer,
                                    steady::time_point until) {
  for (std::size_t sent = 0; sent < request.size();) {
    if (auto why = wait_for(fd, POLLOUT, until)) return why;
    const auto n = ::send(fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (n < 0) return std::strerror(errno);
    sent += static_cast<std::size_t>(n);
  }
  std::array<char, 16384> bytes{};
  while (answer.size() < longest_answer) {
    if (auto why = wait_for(fd, POLLIN, until)) return why;
    const auto n = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (n < 0) return std::strerror(errno);
    if (n == 0) return std::nullopt;
    answer.append(bytes.data(), static_cast<std::size_t>(n));
  }
  return std::nullopt;
}

std::string text_of(const local_request& what, const std::string& host) {
  std::string out = what.method + " " + what.path + " HTTP/1.1\r\nHost: " + host +
                    "\r\nUser-Agent: cml-reconciler\r\nConnection: close\r\n";
  if (!what.token.empty()) out += "Authorization: Bearer " + what.token.reveal() + "\r\n";
  if (what.method != "GET")
    out += "Content-Type: application/json\r\nContent-Length: " + std::to_string(what.body.size()) +
           "\r\n";
  return out + "\r\n" + what.body;
}

void read_answer(const std::string& text, local_answer& out) {
  const auto body = text.find("\r\n\r\n");
  const bool http = text.rfind("HTTP/1.1 ", 0) == 0 && body != std::string::npos;
  if (http) std::from_chars(text.data() + 9, text.data() + 12, out.status);
  if (out.status == 0)
    out.trouble = "no HTTP was answered";
  else
    out.body = text.substr(body + 4);
}

void ask_socket(const std::string& path, const local_request& what, steady::time_point until,
                local_answer& out) {
  out.where = path;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    out.trouble = "the path is too long for a socket";
    return;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const descriptor s(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  auto trouble = connect_to(s, reinterpret_cast<const sockaddr*>(&address), sizeof address, until);
  std::string text;
  if (!trouble) trouble = exchange(s.get(), text_of(what, "localhost"), text, until);
  if (trouble)
    out.trouble = *trouble;
  else
    read_answer(text, out);
}

void ask_address(const listen_address& at, const local_request& what, steady::time_point until,
                 local_answer& out) {
  std::string host = at.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  out.where = (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
              std::to_string(at.port);
  if (at.port == 0) {
    out.trouble = "the port is 0, so it is not known where the daemon listens";
    return;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int why = ::getaddrinfo(host.c_str(), std::to_string(at.port).c_str(), &hints, &found);
      why != 0) {
    out.trouble = ::gai_strerror(why);
    return;
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
  std::string text;
  std::optional<std::string> trouble;
  // A name such as localhost stands for several addresses, and the daemon listens on one of them.
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    const descriptor s(::socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    trouble = connect_to(s, a->ai_addr, a->ai_addrlen, until);
    if (trouble) continue;
    trouble = exchange(s.get(), text_of(what, out.where), text, until);
    break;
  }
  if (trouble)
    out.trouble = *trouble;
  else
    read_answer(text, out);
}

}  // namespace

local_answer ask_daemon(const local_endpoint& at, const local_request& what,
                        core::duration patience) {
  local_answer out;
  out.where = at.socket_path.empty() ? at.listen : at.socket_path;
  const auto until = steady::now() + patience;
  try {
    if (at.socket_path.empty())
      ask_address(parse_listen(at.listen), what, until, out);
    else
      ask_socket(at.socket_path, what, until, out);
  } catch (const std::exception& e) {
    out.trouble = e.what();
  }
  return out;
}

}  // namespace cmlrec::daemon
