// What can go wrong, told so that a person knows what to do and a program knows what it may retry.
#pragma once

#include <optional>
#include <string>

#include <boost/system/result.hpp>

#include "core/time.hpp"

namespace cmlrec::core {

enum class error_kind {
  usage,        // the file, a flag or a setting is wrong
  credentials,  // CML refuses the key: 401, 403, "malformed apikey", validate_key says no
  not_json,     // an HTML page or garbage where JSON was due
  unreachable,  // name resolution, connect, TLS, reset, truncated answer
  timed_out,    // the deadline of the call has passed
  throttled,    // 429
  server,       // 5xx
  not_found,    // 404: absent, or not visible to this key
  conflict,     // 409, or "already active"
  refused,      // any other 4xx: the same request would be refused again
  circuit_open, // not sent: the workspace has failed repeatedly and is being left alone
  cancelled,    // we are stopping
  internal,     // a bug, or the machine (disk, memory)
};

struct error {
  error_kind kind = error_kind::internal;
  std::string message;    // one line; the server's own words where there are any
  std::string operation;  // "CreateJob"; empty where it is not about a call
  std::string object;     // "job 'git_sync' of project 'ray-cluster'"
  int http_status = 0;    // 0: no answer
  // A write that ended in this error may have been done, or may still be done, by the server. It
  // must be looked up before it is repeated. Never set for reads.
  bool may_have_happened = false;
  // The same request fails in the same way until a person mends something: a certificate, the
  // protocol, a proxy's password.
  bool permanent = false;
  std::optional<duration> retry_after;  // what the server asked for

  error() = default;
  error(error_kind k, std::string m) : kind(k), message(std::move(m)) {}
};

template <class T>
using result = boost::system::result<T, error>;

// "CreateJob of job 'git_sync': 500 failed to forward request"
std::string describe(const error& e);
const char* to_string(error_kind kind);

// Whether the same read may succeed later without anybody's help.
bool is_transient(error_kind kind);

// Found by argument-dependent look-up when value() is called on a failed result: a bug in the
// caller.
[[noreturn]] void throw_exception_from_error(const error& e, const boost::source_location& loc);

}  // namespace cmlrec::core
