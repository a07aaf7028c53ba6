#include "cml/origin.hpp"

#include "core/letters.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <openssl/evp.h>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;
namespace urls = boost::urls;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (ec != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::string base64(std::string_view text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const auto written = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(written));
  return out;
}

std::optional<asio::ip::address> as_address(const std::string& host) {
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(host, ec);
  if (ec) return std::nullopt;
  return address;
}

// An escape in a host may stand for anything, a line break included; the host goes into headers and
// messages as it is.
bool is_name_or_address(const urls::url_view& u, std::string_view host) {
  if (u.host_type() != urls::host_type::name) return true;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
  });
}

struct host_entry {
  std::string host;
  std::optional<std::uint16_t> port;
};

// "host", "host:port", "[v6]", "[v6]:port", or a bare IPv6 address, whose colons name no port.
host_entry split_entry(std::string_view text) {
  host_entry out;
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    out.host = core::lower_case(text.substr(1, end == std::string_view::npos ? end : end - 1));
    if (end != std::string_view::npos && text.substr(end + 1, 1) == ":")
      port = text.substr(end + 2);
  } else {
    const auto colon = text.find(':');
    const bool has_port = colon != std::string_view::npos && colon == text.rfind(':');
    out.host = core::lower_case(text.substr(0, has_port ? colon : std::string_view::npos));
    if (has_port) port = text.substr(colon + 1);
  }
  if (!port.empty()) out.port = parse_port(port);
  return out;
}

}  // namespace

std::string origin::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (tls ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

std::optional<parsed_url> parse_url(std::string_view url, std::string& why) {
  const auto parsed = urls::parse_uri(trimmed(url));
  if (parsed.has_error()) {
    why = "it is not a URL such as https://host";
    return std::nullopt;
  }
  const urls::url_view u = *parsed;
  parsed_url out;
  const auto scheme = core::lower_case(std::string_view(u.scheme().data(), u.scheme().size()));
  if (scheme != "http" && scheme != "https") {
    why = "only http and https are known";
    return std::nullopt;
  }
  if (u.has_userinfo()) {
    why = "it must not hold a user or password";
    return std::nullopt;
  }
  out.at.tls = scheme == "https";
  out.at.host = core::lower_case(u.host_address());
  if (out.at.host.empty()) {
    why = "it has no host";
    return std::nullopt;
  }
  if (!is_name_or_address(u, out.at.host)) {
    why = "its host is neither a name nor an address";
    return std::nullopt;
  }
  out.at.port = out.at.tls ? 443 : 80;
  if (u.has_port() && !u.port().empty()) {
    const auto port = parse_port({u.port().data(), u.port().size()});
    if (!port) {
      why = "its port is not a number from 1 to 65535";
      return std::nullopt;
    }
    out.at.port = *port;
  }
  const auto path = u.encoded_path();
  // Boost.URL ends a port where its digits end, and takes the rest for a path.
  if (!path.empty() && path.front() != '/') {
    why = "its port is not a number from 1 to 65535";
    return std::nullopt;
  }
  out.target = path.empty() ? "/" : std::string(path.data(), path.size());
  if (u.has_query()) {
    const auto query = u.encoded_query();
    out.target.append("?").append(query.data(), query.size());
  }
  return out;
}

std::optional<proxy_address> parse_proxy(std::string_view text, std::string& why) {
  std::string url(trimmed(text));
  if (url.find("://") == std::string::npos) url.insert(0, "http://");
  const auto parsed = urls::parse_uri(url);
  if (parsed.has_error()) {
    why = "expected http://[user:password@]host:port (special characters of the password as %XX)";
    return std::nullopt;
  }
  const urls::url_view u = *parsed;
  if (core::lower_case(std::string_view(u.scheme().data(), u.scheme().size())) != "http") {
    why = "only proxies that are spoken to over http are known: http://host:port";
    return std::nullopt;
  }
  proxy_address out;
  out.host = core::lower_case(u.host_address());
  if (out.host.empty()) {
    why = "it has no host";
    return std::nullopt;
  }
  if (!is_name_or_address(u, out.host)) {
    why = "its host is neither a name nor an address";
    return std::nullopt;
  }
  if (u.has_port() && !u.port().empty()) {
    const auto port = parse_port({u.port().data(), u.port().size()});
    if (!port) {
      why = "its port is not a number from 1 to 65535";
      return std::nullopt;
    }
    out.port = *port;
  }
  if (u.has_userinfo())
    out.authorization = core::secret("Basic " + base64(u.user() + ":" + u.password()));
  return out;
}

bool bypasses_proxy(const origin& to, std::string_view list) {
  if (is_loopback(to.host)) return true;
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto entry = split_entry(trimmed(list.substr(0, comma)));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (entry.port && *entry.port != to.port) continue;
    std::string_view name = entry.host;
    if (name == "*") return true;
    if (name.substr(0, 2) == "*.") name.remove_prefix(1);
    const bool dotted = !name.empty() && name.front() == '.';
    if (dotted) name.remove_prefix(1);
    if (name.empty()) continue;
    if (to.host == name) return true;
    const std::string_view host = to.host;
    if (!is_ip_address(to.host) && host.size() > name.size() + 1 && host.ends_with(name) &&
        host[host.size() - name.size() - 1] == '.')
      return true;
  }
  return false;
}

bool is_ip_address(const std::string& host) { return as_address(host).has_value(); }

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  const auto address = as_address(host);
  return address && address->is_loopback();
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    }
  }
  return out;
}

}  // namespace cmlrec::cml
