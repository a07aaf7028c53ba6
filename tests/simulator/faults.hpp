// What goes wrong between a client and the workspace: at random, or to order.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

namespace cmlrec::simulator {

enum class fault_kind {
  lost_before,      // connection closed without an answer, nothing done
  lost_after,       // done, connection closed without an answer
  reset,            // as lost_before, with a TCP reset
  late_commit,      // the gateway's 500; the operation is done later
  error_after,      // 500, and done at once
  server_error,     // 500, nothing done
  bad_gateway,      // 502
  unavailable,      // 503
  gateway_timeout,  // 504
  throttled,        // 429 with Retry-After
  throttled_bare,   // 429 without
  out_of_quota,     // 409
  unauthorized,     // 401, as after a key was revoked
  malformed_key,    // 500 malformed apikey
  html,             // 200 with a login page
  html_redirect,    // 302 to a login page
  garbage,          // 200, cut-off JSON with a right length
  truncated,        // done, the connection ends in the middle of the body
  hang,             // nothing done, no answer ever
  hang_after,       // done, no answer ever
};

struct fault {
  fault_kind kind{};
  core::duration delay{0};  // late_commit: virtual time until it is done
  int retry_after = 2;      // throttled: seconds
};

struct fault_order {
  std::string operation = "*";  // an operation id, "reads", "writes" or "*"
  fault what;
  int count = 1;
};

class fault_source {
 public:
  explicit fault_source(std::uint64_t seed = 1) : state_(seed) {}

  // "lost_after=2,CreateJob:late_commit=10": percentages. The error is a sentence.
  std::optional<std::string> set_rates(std::string_view spec);
  // {"operation","fault","count","delay_seconds","retry_after_seconds"}. The error is a sentence.
  std::optional<std::string> order(const boost::json::object& wanted);
  void clear();
  boost::json::array waiting() const;

  std::optional<fault> next(std::string_view operation, bool is_write);

 private:
  struct rate {
    std::string operation;
    fault_kind kind{};
    double percent = 0;
  };
  double random();

  std::uint64_t state_;
  std::vector<fault_order> orders_;
  std::vector<rate> rates_;
};

const char* to_string(fault_kind kind);
// Whether the operation is done before (or although) its answer goes wrong.
bool is_done_first(fault_kind kind);
// All names, for --help and for errors.
std::string fault_names();

}  // namespace cmlrec::simulator
