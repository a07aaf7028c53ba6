#include "core/error.hpp"

#include <stdexcept>

namespace cmlrec::core {

const char* to_string(error_kind kind) {
  switch (kind) {
    case error_kind::usage: return "usage";
    case error_kind::credentials: return "credentials";
    case error_kind::not_json: return "not_json";
    case error_kind::unreachable: return "unreachable";
    case error_kind::timed_out: return "timed_out";
    case error_kind::throttled: return "throttled";
    case error_kind::server: return "server";
    case error_kind::not_found: return "not_found";
    case error_kind::conflict: return "conflict";
    case error_kind::refused: return "refused";
    case error_kind::circuit_open: return "circuit_open";
    case error_kind::cancelled: return "cancelled";
    case error_kind::internal: return "internal";
  }
  return "internal";
}

std::string describe(const error& e) {
  std::string out;
  if (!e.operation.empty()) {
    out += e.operation;
    if (!e.object.empty()) out += " of " + e.object;
    out += ": ";
  } else if (!e.object.empty()) {
    out += e.object + ": ";
  }
  if (e.http_status != 0) out += std::to_string(e.http_status) + " ";
  return out + e.message;
}

bool is_transient(error_kind kind) {
  switch (kind) {
    case error_kind::not_json:
    case error_kind::unreachable:
    case error_kind::timed_out:
    case error_kind::throttled:
    case error_kind::server:
    case error_kind::circuit_open: return true;
    default: return false;
  }
}

void throw_exception_from_error(const error& e, const boost::source_location&) {
  throw std::logic_error("value() of a failed result: " + describe(e));
}

}  // namespace cmlrec::core
