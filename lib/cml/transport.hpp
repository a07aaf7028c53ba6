// One origin over HTTP/1.1: connections, TLS, the proxy, the keep-alive pool. It sends a request
// once and says what came of it; what that means is decided above.
#pragma once

#include "cml/answer.hpp"
#include "cml/origin.hpp"
#include "core/error.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

namespace boost::asio::ssl {
class context;
}

namespace cmlrec::cml {

struct transport_options {
  origin to;
  std::optional<proxy_address> proxy;              // a tunnel by CONNECT; for https only
  std::shared_ptr<boost::asio::ssl::context> tls;  // needed for https
  core::duration connect_timeout = std::chrono::seconds{10};
  std::size_t max_body = 64U * 1024 * 1024;
  bool keep_alive = true;
  // A longer body is cut at max_body rather than being an error.
  bool cut_body = false;
};

struct http_exchange {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;  // Host and framing are added
  std::string body;
  // May be sent again where a kept connection turns out to have been closed by the other side.
  bool repeatable = true;
};

struct exchange_failure {
  core::error_kind kind = core::error_kind::unreachable;  // also timed_out, not_json, cancelled
  std::string message;
  bool sent = false;  // some of the request may have reached the server
  bool permanent =
      false;  // would fail again at once: a certificate, the proxy's password, the size
};

class transport {
 public:
  virtual ~transport() = default;
  // Takes at most `most`, from now on.
  virtual boost::asio::awaitable<boost::system::result<http_answer, exchange_failure>> exchange(
      http_exchange request, core::duration most) = 0;
};

std::unique_ptr<transport> make_transport(boost::asio::any_io_executor executor,
                                          transport_options options);

}  // namespace cmlrec::cml
