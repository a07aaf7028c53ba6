// A POST of JSON to a webhook. Its URL is a secret: no error shows more of it than the host.
#pragma once

#include "cml/api.hpp"
#include "cml/http_probe.hpp"
#include "core/secret.hpp"

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

namespace cmlrec::cml {

struct post_answer {
  int status = 0;
  std::optional<core::duration> retry_after;  // what the server asked for, at most 5 minutes
};

class poster {
 public:
  virtual ~poster() = default;
  // Any status is an answer; no redirect is followed. Errors: as of prober::get(), without a URL.
  virtual async_result<post_answer> post(core::secret url, std::string body,
                                         core::instant deadline) = 0;
};

// Throws std::runtime_error with a message for people where the CA file or the proxy is unusable.
// `clock` must outlive the result.
std::unique_ptr<poster> make_poster(boost::asio::any_io_executor executor, core::clock& clock,
                                    probe_options options);

}  // namespace cmlrec::cml
