#include "config/document.hpp"
#include "config/scalars.hpp"
#include "config/settings.hpp"
#include "core/letters.hpp"

#include <algorithm>
#include <filesystem>

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

namespace cmlrec::config {
namespace {

namespace urls = boost::urls;

constexpr std::string_view white = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(white);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white) - first + 1);
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.front() != '.' && host.front() != '-' &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                  c == '_';
         });
}

bool is_loopback(const urls::url_view& url, std::string_view host) {
  switch (url.host_type()) {
    case urls::host_type::ipv4:
      return url.host_ipv4_address().is_loopback();
    case urls::host_type::ipv6:
      return url.host_ipv6_address().is_loopback();
    default:
      return host == "localhost";
  }
}

constexpr std::string_view expected_host = "; expected a host name such as ml.example.com";

// What can stand in the Authorization header, so that no key can add headers of its own.
bool is_sendable(std::string_view key) {
  return std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

core::secret checked(std::string_view raw, const std::string& from, std::string& why) {
  const auto key = trimmed(raw);
  if (key.empty()) {
    why = from + " is empty; expected the API key";
  } else if (!is_sendable(key)) {
    why =
        from + " holds white space or other characters that no API key has; expected the key alone";
  } else {
    return core::secret(std::string(key));
  }
  return {};
}

core::secret key_of_file(const std::string& path, std::string& why) {
  constexpr std::size_t most = 64U * 1024;
  std::string reason;
  const auto text = read_file(path, most, reason);
  if (!text) {
    why = "the key file " + path + " cannot be read: " + reason;
    return {};
  }
  return checked(*text, "the key file " + path, why);
}

}  // namespace

std::optional<std::string> normalise_host(std::string_view host, std::string& why) {
  const auto refuse = [&](std::string_view reason) {
    why = std::string(reason) + std::string(expected_host);
    return std::nullopt;
  };
  std::string text(trimmed(host));
  if (text.empty()) return refuse("the host is empty");
  if (text.find("://") == std::string::npos) text = "https://" + text;
  while (text.size() > 8 && text.back() == '/') text.pop_back();
  const auto parsed = urls::parse_uri(text);
  if (!parsed) return refuse("this is neither a host nor a URL");
  const urls::url_view url = *parsed;
  const std::string scheme = core::lower_case(url.scheme());
  if (scheme != "https" && scheme != "http") return refuse("the scheme is neither https nor http");
  // None of the reasons shows the text: it may hold a password.
  if (url.has_userinfo()) return refuse("a user or a password does not belong here");
  if (!url.encoded_path().empty() || url.has_query() || url.has_fragment())
    return refuse("a path or a query does not belong here");
  const std::string name = core::lower_case(url.encoded_host());
  const bool is_address =
      url.host_type() == urls::host_type::ipv4 || url.host_type() == urls::host_type::ipv6;
  if (!is_address && !is_host_name(name)) return refuse("this is no name of a host");
  const auto port = parse_integer(std::string(url.port()));
  if (url.has_port() && (!port || *port < 1 || *port > 65535))
    return refuse("the port is not a number from 1 to 65535");
  if (scheme == "http" && !is_loopback(url, name)) {
    why =
        "plain http would send the API key in clear, so it is taken for this machine alone "
        "(localhost, 127.0.0.1, [::1]); expected https";
    return std::nullopt;
  }
  why.clear();
  return scheme + "://" + name + (url.has_port() ? ":" + std::string(url.port()) : "");
}

core::secret read_api_key(const environment& env, std::string& file, std::string& why) {
  file.clear();
  why.clear();
  const auto variable = [&](std::string_view name) {
    auto value = env ? env(name) : std::nullopt;
    return value && !trimmed(*value).empty() ? value : std::nullopt;
  };
  if (const auto key = variable("CML_API_KEY")) return checked(*key, "CML_API_KEY", why);
  if (const auto path = variable("CML_API_KEY_FILE")) {
    file = std::string(trimmed(*path));
    return key_of_file(file, why);
  }
  if (const auto directory = variable("CREDENTIALS_DIRECTORY")) {
    const std::string path = *directory + "/cml_api_key";
    std::error_code ec;
    if (std::filesystem::exists(path, ec)) {
      file = path;
      return key_of_file(file, why);
    }
  }
  why =
      "there is no API key; set CML_API_KEY, or CML_API_KEY_FILE to a file that holds it, or the "
      "systemd credential cml_api_key";
  return {};
}

}  // namespace cmlrec::config
