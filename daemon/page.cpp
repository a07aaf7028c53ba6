#include "daemon/page.hpp"

#include <string>

namespace cmlrec::daemon {
namespace {

constexpr const char* content_security =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// Whether a list such as "gzip, deflate;q=0.5" takes gzip.
bool takes_gzip(std::string_view list) {
  for (std::size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find(',', at), list.size());
    auto one = list.substr(at, end - at);
    at = end + 1;
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    const auto parameters = one.find(';');
    const auto name = one.substr(0, parameters);
    const bool never = parameters != std::string_view::npos &&
                       (one.ends_with("q=0") || one.ends_with("q=0.0"));
    if ((name == "gzip" || name == "*") && !never) return true;
  }
  return false;
}

http::response serve(const page_asset& a, const http::request& q) {
  const bool packed = takes_gzip(q.accept_encoding);
  // Two forms of one content are two things to a cache.
  const auto tag = "\"" + std::string(a.tag) + (packed ? "-gz" : "") + "\"";
  http::response r;
  r.content_type = a.content_type;
  r.headers = {{"ETag", tag},
               {"Cache-Control", "no-cache"},
               {"Vary", "Accept-Encoding"},
               {"Content-Security-Policy", content_security},
               {"Referrer-Policy", "no-referrer"},
               {"Cross-Origin-Opener-Policy", "same-origin"}};
  if (q.if_none_match.find(tag) != std::string::npos || q.if_none_match == "*") {
    r.status = 304;
    return r;
  }
  if (packed) r.headers.emplace_back("Content-Encoding", "gzip");
  r.body = packed ? a.packed : a.plain;
  return r;
}

}  // namespace

std::vector<http::route> page_routes() {
  std::vector<http::route> out;
  for (const auto& a : page_assets())
    out.push_back({"GET", std::string(a.path), false,
                   [a](const http::request& q) { return serve(a, q); }});
  return out;
}

}  // namespace cmlrec::daemon
