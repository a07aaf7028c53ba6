// A whole life of one connection per input, on virtual time and without the network: the session of
// the server talks over a pair of local sockets, so that nothing depends on the machine's load.
#include "fuzz/support.hpp"
#include "fuzz/targets.hpp"
#include "http/session.hpp"
#include "support/virtual_clock.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace cmlrec::fuzz {
namespace {

namespace asio = boost::asio;

constexpr std::size_t max_header = 1024;
constexpr std::size_t max_body = 4096;

http::route make_route(std::string method, std::string path, bool needs_token,
                       std::function<http::response(const http::request&)> handler) {
  http::route r;
  r.method = std::move(method);
  r.path = std::move(path);
  r.needs_token = needs_token;
  r.handler = std::move(handler);
  return r;
}

// Set while the bytes under test do not hold the token: the guarded route must not be reached.
bool token_is_absent = true;

http::response answer_to(const http::request& q) {
  require(!q.path.empty() && q.path.front() == '/', "a handler is given a path");
  require(!contains(q.path, std::string_view("\0", 1)), "a handler is given no NUL");
  require(q.body.size() <= max_body, "a handler is given no more than the limit");
  http::response out;
  out.body = "taken " + std::to_string(q.body.size()) + "\n";
  return out;
}

http::response guarded(const http::request& q) {
  require(!token_is_absent, "without the token nobody reaches a guarded route");
  return answer_to(q);
}

std::vector<http::route> routes() {
  std::vector<http::route> out;
  out.push_back(make_route("GET", "/hello", false, answer_to));
  out.push_back(make_route("GET", "/v1/status", false, answer_to));
  out.push_back(make_route("POST", "/echo", false, answer_to));
  out.push_back(make_route("POST", "/v1/force", true, guarded));
  return out;
}

http::server_options options(std::function<void(const http::request&, const std::string&)> told) {
  http::server_options out;
  out.token = core::secret{std::string(secret_value)};
  out.max_header = max_header;
  out.max_body = max_body;
  out.on_handler_error = std::move(told);
  return out;
}

// The other end of a connection. What the session sends is read as it comes.
class peer {
 public:
  explicit peer(int fd) : fd_(fd) {}
  ~peer() { ::close(fd_); }
  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;

  // What the session does not take any more is lost, as it would be for any client.
  void send(std::string_view bytes) const {
    if (!bytes.empty() && ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
      return;
  }
  void finish_sending() const { ::shutdown(fd_, SHUT_WR); }
  void receive() {
    std::array<char, 16384> bytes;
    for (;;) {
      const auto n = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (n <= 0) return;
      got_.append(bytes.data(), static_cast<std::size_t>(n));
    }
  }
  const std::string& got() const { return got_; }

 private:
  int fd_;
  std::string got_;
};

class conversation {
 public:
  conversation()
      : clock_(io_),
        context_(std::make_shared<http::session_context>(
            clock_, options([this](const http::request&, const std::string& what) {
              if (complaint_.empty()) complaint_ = what;
            }),
            routes())) {}

  // Sends the pieces one after the other, and gives back all that was answered until the end.
  std::string hold(const std::vector<std::string_view>& parts, bool half_close) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw std::runtime_error("socketpair");
    peer other(ends[0]);
    asio::ip::tcp::socket socket(io_);
    socket.assign(asio::ip::tcp::v4(), ends[1]);
    const auto session =
        http::make_session(http::stream_socket(std::move(socket)), "peer", false, context_);
    bool over = false;
    asio::co_spawn(io_, session->serve(), [&, session](std::exception_ptr e) {
      over = true;
      require(!e, "no exception leaves a session");
    });
    for (const auto part : parts) {
      other.send(part);
      io_.restart();
      while (io_.poll() > 0) other.receive();
    }
    if (half_close) other.finish_sending();
    const bool ended = clock_.run_until(
        [&] {
          other.receive();
          return over;
        },
        std::chrono::minutes{5});
    if (!ended) {
      session->abort();
      clock_.run_until([&] { return over; }, std::chrono::minutes{5});
    }
    require(ended, "a connection comes to an end");
    other.receive();
    require(complaint_.empty(), complaint_);
    return other.got();
  }

 private:
  asio::io_context io_{1};
  test::virtual_clock clock_;
  std::shared_ptr<http::session_context> context_;
  std::string complaint_;
};

int number(std::string_view text) {
  int out = -1;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), out);
  return end.ptr == text.data() + text.size() ? out : -1;
}

// One header of an answer: checks its lines, and gives the length of the body that it promises.
std::size_t check_header(std::string_view head) {
  constexpr std::array<std::string_view, 10> known = {
      "Server",         "Date",       "Cache-Control", "X-Content-Type-Options", "Content-Type",
      "Content-Length", "Connection", "Allow",         "WWW-Authenticate",       "Retry-After"};
  std::size_t length = 0;
  for (auto line = head.find("\r\n") + 2; line < head.size();) {
    const auto stop = head.find("\r\n", line);
    const auto colon = head.find(": ", line);
    require(colon < stop, "a header has a name and a value");
    const auto name = head.substr(line, colon - line);
    const auto value = head.substr(colon + 2, stop - colon - 2);
    require(std::find(known.begin(), known.end(), name) != known.end(),
            "no header is smuggled in: " + std::string(name));
    require(!has_control_character(value), "a header is one line");
    if (name == "Content-Length") {
      require(number(value) >= 0, "a length is a number");
      length = static_cast<std::size_t>(number(value));
    }
    line = stop + 2;
  }
  return length;
}

void check_answers(std::string_view got, std::string_view asked) {
  while (!got.empty()) {
    require(got.starts_with("HTTP/1.1 "), "an answer is HTTP, and is as long as it says");
    const auto end = got.find("\r\n\r\n");
    require(end != std::string_view::npos, "a header is whole");
    const int status = number(got.substr(9, 3));
    require(status == 100 || (status >= 200 && status < 500) || status == 505,
            "garbage is the client's fault: " + std::to_string(status));
    const auto length = check_header(got.substr(0, end + 2));
    got.remove_prefix(end + 4);
    if (status < 200) continue;
    if (contains(asked, "HEAD") && (got.empty() || got.starts_with("HTTP/1.1 "))) continue;
    require(got.size() >= length, "a body is whole");
    got.remove_prefix(length);
  }
}

}  // namespace

// Byte 0: into how many pieces the rest is cut, and whether the client closes its side.
void server(std::string_view bytes) {
  pieces in(bytes);
  const auto form = in.byte();
  const auto text = in.rest().substr(0, std::size_t{32} * 1024);
  token_is_absent = !contains(text, secret_value);
  std::vector<std::string_view> parts;
  const std::size_t count = 1 + form % 4;
  for (std::size_t i = 0; i < count; ++i) {
    const auto from = text.size() * i / count;
    parts.push_back(text.substr(from, text.size() * (i + 1) / count - from));
  }
  // One for all inputs: to make an event loop costs more than to hold a conversation.
  static conversation talk;
  check_answers(talk.hold(parts, (form & 4U) != 0), text);

  const auto after =
      talk.hold({"GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}, false);
  require(after.starts_with("HTTP/1.1 200 ") && after.ends_with("\r\n\r\ntaken 0\n"),
          "the next connection is served: " + after);
}

}  // namespace cmlrec::fuzz
