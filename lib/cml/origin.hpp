// Where a request goes: the parts of a URL, the proxy before it, and who is reached without one.
#pragma once

#include "core/secret.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cmlrec::cml {

struct origin {
  bool tls = true;
  std::string host;  // without brackets
  std::uint16_t port = 443;
  // As a Host header has it: brackets around IPv6, the port where it is not the scheme's own.
  std::string authority() const;
};

struct parsed_url {
  origin at;
  std::string target = "/";  // path and query, as written; never a fragment
};

// http and https only; a user part is refused. Nothing, with the reason in `why`, where unusable.
std::optional<parsed_url> parse_url(std::string_view url, std::string& why);

struct proxy_address {
  std::string host;
  std::uint16_t port = 80;
  core::secret authorization;  // "Basic ..."; empty: none
};

// "http://[user:password@]host[:port]", the scheme being optional. `why` never shows the password.
std::optional<proxy_address> parse_proxy(std::string_view text, std::string& why);

// Loopback is always reached directly: the proxy's loopback would be another machine's. `list` has
// names (which stand for what is below them too, with or without a leading dot), addresses, "*",
// each with an optional port.
bool bypasses_proxy(const origin& to, std::string_view list);

bool is_ip_address(const std::string& host);
bool is_loopback(const std::string& host);

// RFC 3986: everything but unreserved characters as %XX.
std::string percent_encode(std::string_view text);

}  // namespace cmlrec::cml
