#include "http/message.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace cmlrec::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// What stands for the status in a problem's title; the few that handlers and this server use.
const char* title_of(int status) {
  switch (status) {
    case 400:
      return "Bad request";
    case 401:
      return "Not authorised";
    case 403:
      return "Forbidden";
    case 404:
      return "Not found";
    case 405:
      return "Method not allowed";
    case 408:
      return "Request timed out";
    case 409:
      return "Conflict";
    case 413:
      return "Body too large";
    case 417:
      return "Expectation failed";
    case 422:
      return "Not acceptable as it stands";
    case 431:
      return "Header too large";
    case 500:
      return "Internal error";
    case 503:
      return "Not available";
    case 505:
      return "HTTP version not supported";
    default:
      return status < 500 ? "Request refused" : "Request failed";
  }
}

}  // namespace

std::optional<target> parse_target(std::string_view text) {
  bool absolute = false;
  for (const std::string_view scheme : {"http://", "https://"})
    if (text.substr(0, scheme.size()) == scheme) {
      text.remove_prefix(scheme.size());
      const auto end = text.find_first_of("/?");
      text = end == std::string_view::npos ? std::string_view() : text.substr(end);
      absolute = true;
      break;
    }
  const auto mark = text.find('?');
  auto path = text.substr(0, mark);
  if (absolute && path.empty()) path = "/";
  target out;
  if (mark != std::string_view::npos) out.query = text.substr(mark + 1);
  auto decoded = percent_decoded(path);
  if (!decoded || decoded->empty() || decoded->front() != '/') return std::nullopt;
  out.path = std::move(*decoded);
  return out;
}

std::string render(const reply& r, std::string_view reason, core::timestamp date, bool keep_alive,
                   bool with_body) {
  const int status = r.content.status;
  // These two have no body by definition, and a length would be read as one.
  const bool bodiless = status == 204 || status == 304;
  std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
  out.append(reason);
  const auto add = [&](std::string_view name, std::string_view value) {
    out.append("\r\n").append(name).append(": ").append(value);
  };
  add("Server", "cml-reconciler");
  add("Date", core::format_http_date(date));
  const auto& own = r.content.headers;
  const bool says_how_to_cache = std::any_of(
      own.begin(), own.end(), [](const auto& h) { return h.first == "Cache-Control"; });
  if (!says_how_to_cache) add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : r.headers) add(name, value);
  for (const auto& [name, value] : own) add(name, value);
  if (!bodiless) add("Content-Type", r.content.content_type);
  // Of a body that goes on the end of the connection is the end.
  if (!bodiless && !r.content.live) add("Content-Length", std::to_string(r.content.body.size()));
  add("Connection", keep_alive ? "keep-alive" : "close");
  out += "\r\n\r\n";
  if (with_body && !bodiless) out += r.content.body;
  return out;
}

response problem(int status, const std::string& detail) {
  boost::json::object body;
  body["type"] = "about:blank";
  body["title"] = title_of(status);
  body["status"] = status;
  body["detail"] = detail;
  response out;
  out.status = status;
  out.content_type = "application/problem+json";
  out.body = boost::json::serialize(body) + "\n";
  return out;
}

}  // namespace cmlrec::http
