// The text of HTTP: what a request line asks for, and how an answer is written down.
#pragma once

#include "core/time.hpp"
#include "http/server.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cmlrec::http {

// An answer with the headers that only the server itself sets (Allow, WWW-Authenticate, ...).
struct reply {
  reply() = default;
  explicit reply(response r) : content(std::move(r)) {}

  response content;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct target {
  std::string path;   // percent-decoded
  std::string query;  // as sent
};

// Origin form ("/a?b") and absolute form ("http://host/a?b"). Nothing for any other text, for a
// broken escape, and for an escaped NUL.
std::optional<target> parse_target(std::string_view text);

// The bytes of the answer. `with_body`: false for HEAD, which has the length of what GET would get.
std::string render(const reply& r, std::string_view reason, core::timestamp date, bool keep_alive,
                   bool with_body);

}  // namespace cmlrec::http
