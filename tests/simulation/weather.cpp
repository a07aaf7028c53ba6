#include "simulation/weather.hpp"

#include <algorithm>

namespace cmlrec::simulation {

using core::error;
using core::error_kind;
using namespace std::chrono_literals;

const char* to_string(fault kind) {
  switch (kind) {
    case fault::none:
      return "none";
    case fault::slow:
      return "slow";
    case fault::lost_before:
      return "lost_before";
    case fault::lost_after:
      return "lost_after";
    case fault::late_commit:
      return "late_commit";
    case fault::server_error:
      return "server_error";
    case fault::server_error_done:
      return "server_error_done";
    case fault::throttled:
      return "throttled";
    case fault::throttled_with_wait:
      return "throttled_with_wait";
    case fault::html:
      return "html";
    case fault::truncated:
      return "truncated";
    case fault::hang:
      return "hang";
    case fault::circuit_open:
      return "circuit_open";
    case fault::key_refused:
      return "key_refused";
    case fault::page_fails:
      return "page_fails";
    case fault::token_repeats:
      return "token_repeats";
    case fault::count:
      break;
  }
  return "";
}

namespace {

error trouble(error_kind kind, int status, const char* message, bool may_have_happened) {
  error e(kind, message);
  e.http_status = status;
  e.may_have_happened = may_have_happened;
  return e;
}

}  // namespace

fault weather::pick(bool write, bool list, int page) {
  const auto fits = [&](fault f) {
    if (f == fault::page_fails) return list && page > 0;
    if (f == fault::token_repeats) return list && page > 0;
    return write || (f != fault::late_commit && f != fault::server_error_done);
  };
  if (kinds.empty()) {
    for (;;) {
      const auto f = static_cast<fault>(1 + random_.below(fault_kinds - 1));
      if (fits(f)) return f;
    }
  }
  const auto f = random_.pick(kinds);
  return fits(f) ? f : fault::none;
}

fate weather::draw(bool write, bool list, int page, core::duration left) {
  fate out;
  // Writes are few, and what is worth troubling.
  if (rate > 0 && random_.chance(write ? std::min(3 * rate, 0.7) : rate))
    out.kind = pick(write, list, page);
  ++counts[static_cast<std::size_t>(out.kind)];
  const auto there = random_.between(1ms, 150ms);
  const auto back = random_.between(1ms, 150ms);
  const auto later_commit = random_.between(1ms, 30s);
  switch (out.kind) {
    case fault::none:
      out.served_after = there;
      out.answered_after = there + back;
      break;
    case fault::slow: {
      const auto there_slowly = random_.between(1ms, write ? 25s : 10s);
      out.served_after = there_slowly;
      out.answered_after = there_slowly + random_.between(1ms, 10s);
      break;
    }
    case fault::lost_before:
      out.answered_after = random_.between(1ms, 20s);
      out.error = trouble(error_kind::unreachable, 0, "connection reset by peer", write);
      break;
    case fault::lost_after:
      out.served_after = there;
      out.answered_after = there + random_.between(1ms, 10s);
      out.error = trouble(error_kind::unreachable, 0, "connection reset by peer", write);
      break;
    case fault::late_commit:
      out.served_after = later_commit;
      // The gateway gives up after 30 s; a restart of it gives up at once.
      out.answered_after = random_.chance(0.5) ? 30s : random_.between(10ms, 30s);
      out.error = trouble(error_kind::server, 500,
                          "failed to forward request: context deadline exceeded", write);
      break;
    case fault::server_error:
      out.answered_after = there + back;
      out.error = trouble(error_kind::server, 503, "service unavailable", write);
      break;
    case fault::server_error_done:
      out.served_after = there;
      out.answered_after = there + back;
      out.error = trouble(error_kind::server, 502, "bad gateway", write);
      break;
    case fault::throttled:
    case fault::throttled_with_wait:
      out.answered_after = there + back;
      out.error = trouble(error_kind::throttled, 429, "too many requests", false);
      if (out.kind == fault::throttled_with_wait) out.error->retry_after = random_.between(1s, 60s);
      break;
    case fault::html:
      out.answered_after = there + back;
      out.error = trouble(error_kind::not_json, 200, "an HTML page where JSON was due", write);
      break;
    case fault::truncated:
      out.served_after = there;
      out.answered_after = there + back;
      out.error = trouble(error_kind::unreachable, 0, "the answer was cut short", write);
      break;
    case fault::hang:
      if (random_.chance(0.5)) out.served_after = later_commit;
      out.answered_after = left;
      out.error = trouble(error_kind::timed_out, 0, "no answer in time", write);
      break;
    case fault::circuit_open:
      out.answered_after = 0ms;
      out.error =
          trouble(error_kind::circuit_open, 0, "not sent: CML has failed repeatedly", false);
      out.error->retry_after = random_.between(1s, 30s);
      break;
    case fault::key_refused:
      out.answered_after = there + back;
      out.error = trouble(error_kind::credentials, 401, "the key is not valid", false);
      break;
    case fault::page_fails:
      out.answered_after = there + random_.between(1ms, 20s);
      out.error = trouble(error_kind::server, 500, "internal error", false);
      break;
    case fault::token_repeats:
      out.served_after = there;
      out.answered_after = there + back;
      break;
    case fault::count:
      break;
  }
  if (out.answered_after > left) {
    out.answered_after = left;
    out.error = trouble(error_kind::timed_out, 0, "no answer in time", write);
  }
  return out;
}

}  // namespace cmlrec::simulation
