// A plain GET of any URL, for checks that are no business of CML's API: no key is sent, nothing is
// repeated, no redirect is followed.
#pragma once

#include "cml/api.hpp"
#include "core/clock.hpp"

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

namespace cmlrec::cml {

struct probe_options {
  std::string ca_file;
  std::string proxy;
  std::string no_proxy;
  core::duration connect_timeout = std::chrono::seconds{10};
  std::string user_agent = "cml-reconciler";
};

struct probe_answer {
  int status = 0;
  std::string body;  // its first 64 KiB
};

class prober {
 public:
  virtual ~prober() = default;
  // Any status is an answer. Errors: usage for a URL that cannot be used, unreachable, timed_out,
  // not_json where it is not HTTP, cancelled. Their operation is "GET" and their object the URL
  // without user and query.
  virtual async_result<probe_answer> get(std::string url, core::instant deadline) = 0;
};

// Throws std::runtime_error with a message for people where the CA file or the proxy is unusable.
// `clock` must outlive the result.
std::unique_ptr<prober> make_prober(boost::asio::any_io_executor executor, core::clock& clock,
                                    probe_options options);

}  // namespace cmlrec::cml
