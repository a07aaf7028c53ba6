// The daemon's own HTTP server. It knows routes and limits, nothing of CML: what a route answers is
// given in by daemon/.
#pragma once

#include "core/clock.hpp"
#include "core/secret.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace cmlrec::http {

struct request {
  std::string method;
  std::string path;   // without the query, percent-decoded
  std::string query;  // as sent, without '?'
  std::string body;
  std::string peer;  // "127.0.0.1:50312", "uid 1000 (ada), pid 4711"
  bool trusted = false;  // it came by the control socket
  std::string if_none_match;  // these three as sent; empty: the header is not there
  std::string accept_encoding;
  std::string last_event_id;
};

// The body of an answer that goes on: whoever makes it puts text in and rings, and it is sent as it
// comes. A comment is sent where nothing comes for a while, so that both sides know of each other.
struct live_body {
  std::string pending;
  std::unique_ptr<core::alarm> news;
  bool over = false;  // what is pending is not sent any more, and the connection ends
};

struct response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // beside the standing ones
  std::shared_ptr<live_body> live;  // set: instead of `body`
};

struct route {
  std::string method;  // "GET" (serves HEAD too) or "POST"
  std::string path;    // exact
  bool needs_token = false;
  std::function<response(const request&)> handler;  // on the event loop; must not block
};

// A socket in the file system. Whoever may connect is known by the kernel, and needs no token.
struct control_socket {
  std::string path;   // empty: none
  std::string group;  // whose members may connect, beside root and the daemon's user; empty: nobody
};

struct server_options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9464;  // 0: any free one
  core::secret token;         // empty: routes that need one answer 403 and say how to set it
  control_socket control;
  std::size_t max_header = 8U * 1024;
  std::size_t max_body = 64U * 1024;
  core::duration request_timeout = std::chrono::seconds{10};  // for a whole request to arrive
  std::size_t max_connections = 256;
  // Told what a handler has thrown, for the log; the client learns no more than "500". May be
  // empty.
  std::function<void(const request&, const std::string& what)> on_handler_error;
  // Told of each request to a route that needs a token, or that came over the control socket, that
  // was turned away for want of the right. May be empty.
  std::function<void(const std::string& peer, const std::string& path, int status)> on_refusal;
};

class server {
 public:
  virtual ~server() = default;
  virtual std::uint16_t port() const = 0;  // the one it listens on
  virtual void set_token(core::secret token) = 0;
  // Accepts until stop(); then answers what has arrived, at most `grace`, and returns.
  virtual boost::asio::awaitable<void> run() = 0;
  virtual void stop(core::duration grace) = 0;
};

// Binds at once. Throws std::runtime_error with one line that says what to do: the port is in use,
// the address is not of this machine, another process listens on the control socket, ...
std::unique_ptr<server> make_server(boost::asio::any_io_executor executor, core::clock& clock,
                                    server_options options, std::vector<route> routes);

// {"type":"about:blank","title":...,"status":...,"detail":...} as application/problem+json
response problem(int status, const std::string& detail);

}  // namespace cmlrec::http
