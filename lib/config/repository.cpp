#include "config/project_reader.hpp"

#include <algorithm>

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

namespace cmlrec::config {
namespace {

namespace urls = boost::urls;

bool is_word(std::string_view text) {
  return !text.empty() && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

}  // namespace

std::optional<std::string> repository_url(std::string_view text) {
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) return std::nullopt;
  if (text.find("://") != std::string_view::npos) {
    const auto parsed = urls::parse_uri(text);
    if (!parsed || (parsed->host().empty() && parsed->scheme() != "file")) return std::nullopt;
    return std::string(text);
  }
  const auto slash = text.find('/');
  const auto colon = text.find(':');
  const auto at = text.find('@');
  // user@host:path, the form of scp.
  if (at != std::string_view::npos && colon != std::string_view::npos && at > 0 &&
      is_word(text.substr(at + 1, colon - at - 1)) && colon + 1 < text.size())
    return std::string(text);
  if (slash == std::string_view::npos || !is_word(text.substr(0, slash)) ||
      !is_word(text.substr(slash + 1)))
    return std::nullopt;
  return "https://github.com/" + std::string(text);
}

bool add_token(std::string& url, const std::string& token) {
  const auto parsed = urls::parse_uri(url);
  if (token.empty() || !parsed || parsed->scheme() != "https" || parsed->has_userinfo())
    return false;
  std::string host(parsed->host());
  std::transform(host.begin(), host.end(), host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (host != "github.com" || (parsed->has_port() && parsed->port() != "443")) return false;
  urls::url whole(*parsed);
  whole.set_user("x-access-token");
  whole.set_password(token);
  url = std::string(whole.buffer());
  return true;
}

bool has_credentials(const std::string& url) {
  const auto parsed = urls::parse_uri(url);
  if (!parsed || !parsed->has_userinfo()) return false;
  // A lone user of an http URL is where tokens stand; of ssh it is just the account.
  return parsed->has_password() || parsed->scheme() == "https" || parsed->scheme() == "http";
}

bool is_project_id(std::string_view text) {
  if (text.size() != 19) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i % 5 == 4;
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    if (dash ? c != '-' : !word) return false;
  }
  return true;
}

}  // namespace cmlrec::config
