#include "daemon/health.hpp"

#include "daemon/commands.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/setup.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <netdb.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cmlrec::daemon {
namespace {

using steady = std::chrono::steady_clock;

// Shorter than the time that container engines give a check by default, 30 s, and than a probe's
// period.
constexpr core::duration health_patience = std::chrono::seconds{3};
constexpr std::size_t longest_answer = 64 * 1024;

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

std::optional<std::string> connect_to(const descriptor& s, const addrinfo& to,
                                      steady::time_point until) {
  if (s.get() < 0) return std::strerror(errno);
  if (::connect(s.get(), to.ai_addr, to.ai_addrlen) == 0) return std::nullopt;
  if (errno != EINPROGRESS) return std::strerror(errno);
  if (auto why = wait_for(s.get(), POLLOUT, until)) return why;
  int problem = 0;
  socklen_t size = sizeof problem;
  ::getsockopt(s.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
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
  std::array<char, 4096> bytes{};
  while (answer.size() < longest_answer) {
    if (auto why = wait_for(fd, POLLIN, until)) return why;
    const auto n = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (n < 0) return std::strerror(errno);
    if (n == 0) return std::nullopt;
    answer.append(bytes.data(), static_cast<std::size_t>(n));
  }
  return std::nullopt;
}

// The body's lines that say what is missing ("[-] cml-reachable not ok"), else its last line.
std::string gist(const std::string& answer) {
  const auto body = answer.find("\r\n\r\n");
  if (body == std::string::npos) return "";
  std::string bad;
  std::string last;
  for (std::size_t at = body + 4; at < answer.size();) {
    const auto end = std::min(answer.find('\n', at), answer.size());
    const auto line = answer.substr(at, end - at);
    if (line.rfind("[-] ", 0) == 0) bad += (bad.empty() ? "" : ", ") + line.substr(4);
    if (!line.empty()) last = line;
    at = end + 1;
  }
  return bad.empty() ? last : bad;
}

health_answer ask(const listen_address& at, bool ready, core::duration patience) {
  const auto until = steady::now() + patience;
  std::string host = at.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  const auto shown = (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
                     std::to_string(at.port);
  if (at.port == 0) return {false, "the port is 0, so it is not known where the daemon listens"};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int why = ::getaddrinfo(host.c_str(), std::to_string(at.port).c_str(), &hints, &found);
      why != 0)
    return {false, shown + ": " + ::gai_strerror(why)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
  const std::string path = ready ? "/readyz" : "/healthz";
  std::string answer;
  std::optional<std::string> trouble;
  // A name such as localhost stands for several addresses, and the daemon listens on one of them.
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    const descriptor s(::socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    trouble = connect_to(s, *a, until);
    if (trouble) continue;
    trouble = exchange(s.get(),
                       "GET " + path + " HTTP/1.1\r\nHost: " + shown +
                           "\r\nUser-Agent: cml-reconciler-health\r\nConnection: close\r\n\r\n",
                       answer, until);
    break;
  }
  if (trouble) return {false, shown + path + ": " + *trouble};
  const bool http = answer.rfind("HTTP/1.1 ", 0) == 0 && answer.size() >= 12;
  const auto code = http ? answer.substr(9, 3) : std::string("no HTTP");
  const auto text = gist(answer);
  return {code == "200", shown + path + ": " + code + (text.empty() ? "" : " " + text)};
}

}  // namespace

health_answer ask_health(const std::string& listen, bool ready, core::duration patience) {
  try {
    return ask(parse_listen(listen), ready, patience);
  } catch (const std::exception& e) {
    return {false, e.what()};
  }
}

int check_health(const command_line& line) {
  const auto loaded = config::load_settings(line.flags, line.settings_file, process_environment());
  health_answer answer;
  if (!loaded.errors.empty())
    answer.line = config::to_string(loaded.errors.front());
  else
    answer = ask_health(loaded.values.listen, line.ready, health_patience);
  std::cout << (answer.good ? "healthy: " : "unhealthy: ") << answer.line << '\n';
  return answer.good ? done : failed;
}

}  // namespace cmlrec::daemon
