#include "cml/answer.hpp"

#include "cml/server_words.hpp"
#include "core/letters.hpp"

#include <algorithm>
#include <charconv>

namespace cmlrec::cml {
namespace {

using core::error;
using core::error_kind;

constexpr int grpc_failed_precondition = 9;

bool is_html(const http_answer& answer) {
  if (core::lower_case(answer.content_type).find("html") != std::string::npos) return true;
  const auto start = answer.body.find_first_not_of(" \t\r\n");
  return start != std::string::npos && answer.body[start] == '<';
}

// Only scheme, host and path: a login page's query may hold tokens.
std::string where_to(const http_answer& answer, const std::vector<std::string>& secrets) {
  if (answer.location.empty()) return "somewhere that it does not name";
  const auto end = answer.location.find_first_of("?#");
  return one_line(scrub(answer.location.substr(0, end), secrets), longest_message);
}

error_kind kind_of(int status, effect what, const server_words& words, const std::string& message) {
  switch (status) {
    case 401:
      return error_kind::credentials;
    case 403: {
      if (what != effect::reads_one) return error_kind::credentials;
      return words.is_json ? error_kind::not_found : error_kind::not_json;
    }
    // Gateways answer 404 of their own while a workspace restarts: that is no word of CML's about
    // the object.
    case 404:
      return words.is_json ? error_kind::not_found : error_kind::not_json;
    case 409:
      return error_kind::conflict;
    case 429:
      return error_kind::throttled;
    default:
      break;
  }
  if (status == 400 && (words.code == grpc_failed_precondition ||
                        core::lower_case(message).find("already active") != std::string::npos))
    return error_kind::conflict;
  if (status >= 500)
    return core::lower_case(message).find("malformed apikey") != std::string::npos
               ? error_kind::credentials
               : error_kind::server;
  return status >= 400 ? error_kind::refused : error_kind::not_json;
}

}  // namespace

bool is_write(effect what) {
  return what == effect::changes_once || what == effect::changes_repeatably;
}

error classify(const http_answer& answer, effect what, core::timestamp wall,
               const std::vector<std::string>& secrets) {
  error out;
  out.http_status = answer.status;
  if (answer.status < 400) {
    out.kind = error_kind::not_json;
    out.message = answer.status >= 300
                      ? "redirected to " + where_to(answer, secrets) +
                            ": a login page or a gateway is in the way, or the host is another one"
                      : "an HTTP status that is not understood";
    out.may_have_happened = is_write(what);
    return out;
  }
  const auto words = read_server_words(answer.body);
  const auto said = one_line(scrub(words.message, secrets), longest_message);
  out.kind = kind_of(answer.status, what, words, said);
  out.message = said.empty() ? "no message" : said;
  if (out.kind == error_kind::not_found)
    out.message = "absent or not visible to this key (" + out.message + ")";
  if (out.kind == error_kind::not_json)
    out.message = "a gateway's answer, not CML's (" + out.message + ")";
  out.may_have_happened = out.kind == error_kind::server && is_write(what);
  if (out.kind == error_kind::throttled || out.kind == error_kind::server)
    out.retry_after =
        parse_retry_after(answer.retry_after, core::parse_http_date(answer.date).value_or(wall));
  return out;
}

error unreadable(const http_answer& answer, effect what, const error& why) {
  error out = why;
  out.kind = error_kind::not_json;
  if (is_html(answer))
    out.message =
        "an HTML page came where JSON was due: a login page or a gateway is in the way, or the "
        "host is not a CML workspace";
  out.http_status = answer.status;
  out.may_have_happened = is_write(what);
  return out;
}

std::optional<core::duration> parse_retry_after(const std::string& text, core::timestamp now) {
  constexpr core::duration longest = std::chrono::minutes{5};
  if (text.empty()) return std::nullopt;
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    long long seconds = 0;
    const auto ec = std::from_chars(text.data(), text.data() + text.size(), seconds).ec;
    if (ec != std::errc{} || seconds > longest / std::chrono::seconds{1}) return longest;
    return std::chrono::seconds{seconds};
  }
  const auto at = core::parse_http_date(text);
  if (!at) return std::nullopt;
  return std::clamp(*at - now, core::duration::zero(), longest);
}

}  // namespace cmlrec::cml
