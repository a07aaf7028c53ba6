// cml::api over HTTPS (or http to loopback): one keep-alive pool, a bound on requests in flight, a
// rate limit, a deadline for every call, retry, and a circuit.
#pragma once

#include "cml/api.hpp"
#include "core/clock.hpp"
#include "core/secret.hpp"

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

namespace cmlrec::cml {

struct http_options {
  std::string base_url;  // "https://host[:port]", without a path
  core::secret api_key;
  // Asked again after CML has refused the key, so that a rotated key is taken without a restart;
  // may be empty. An empty secret: nothing new.
  std::function<core::secret()> reread_key;
  std::string ca_file;   // PEM; beside the system's own. Empty: the system's alone
  std::string proxy;     // "http://[user:password@]host:port"; empty: none. https goes by CONNECT
  std::string no_proxy;  // comma-separated hosts, ".suffix", "*"
  int max_in_flight = 8;
  double requests_per_second = 20;  // 0: no limit
  core::duration connect_timeout = std::chrono::seconds{10};
  core::duration attempt_timeout = std::chrono::seconds{35};  // the gateway gives up after 30 s
  int page_size = 50;
  std::size_t max_body = 64U * 1024 * 1024;
  std::string user_agent = "cml-reconciler";
};

// What the client does, for metrics and logs. Called on the event loop; must not block.
class call_observer {
 public:
  virtual ~call_observer() = default;
  // One attempt has ended. status 0: no answer.
  virtual void on_attempt(const char* operation, int status, core::duration took) = 0;
  virtual void on_retry(const char* operation, core::duration after, const core::error& why) = 0;
  virtual void on_rate_limited(core::duration waited) = 0;
  virtual void on_circuit(bool open, const std::string& why) = 0;
};

// Throws std::runtime_error with a message for people where the CA file or the URL is unusable.
// `observer` may be null; it and `clock` must outlive the result.
std::unique_ptr<api> make_http_api(boost::asio::any_io_executor executor, core::clock& clock,
                                   http_options options, call_observer* observer);

}  // namespace cmlrec::cml
