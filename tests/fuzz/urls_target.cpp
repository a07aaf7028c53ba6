#include "cml/origin.hpp"
#include "config/settings.hpp"
#include "fuzz/support.hpp"
#include "fuzz/targets.hpp"
#include "http/message.hpp"

namespace cmlrec::fuzz {
namespace {

void check_target(std::string_view text) {
  const auto target = http::parse_target(text);
  if (!target) return;
  require(!target->path.empty() && target->path.front() == '/', "a path begins with a slash");
  require(!contains(target->path, std::string_view("\0", 1)) ||
              contains(text, std::string_view("\0", 1)),
          "no escape makes a NUL");
  require(target->path.size() <= text.size() + 1, "a path is no longer than what was asked");
  // The encoding of what was read is read as the same again.
  const auto again = http::parse_target("/" + cml::percent_encode(target->path.substr(1)));
  if (!contains(target->path, std::string_view("\0", 1)))
    require(again && again->path == target->path, "a path survives being escaped");
}

void check_url(std::string_view text) {
  std::string why;
  const auto url = cml::parse_url(text, why);
  if (!url) {
    require(!why.empty(), "a refusal has a reason");
    require(!has_control_character(why), "a reason is one line");
    return;
  }
  require(!url->at.host.empty(), "a URL has a host");
  require(!has_control_character(url->at.authority()), "no header line is smuggled in by a host");
  require(!url->target.empty() && url->target.front() == '/', "a target begins with a slash");
  require(!has_control_character(url->target) && !contains(url->target, " "),
          "no header line is smuggled in by a target");
  require(!contains(url->target, "#"), "a fragment is not sent");
}

void check_proxy(std::string_view text) {
  std::string why;
  const std::string with_password =
      "http://user:" + std::string(secret_value) + "@" + std::string(text);
  for (const std::string& candidate : {std::string(text), with_password}) {
    why.clear();
    const auto proxy = cml::parse_proxy(candidate, why);
    require(proxy || !why.empty(), "a refusal has a reason");
    require(holds_piece_of_secret(text) || !contains(why, secret_value),
            "a reason shows no password");
    if (proxy) {
      require(!proxy->host.empty() && proxy->port != 0, "a proxy has a host and a port");
      require(!has_control_character(proxy->host), "no header line is smuggled in by a proxy");
      require(!has_control_character(proxy->authorization.reveal()),
              "no header line is smuggled in by a password");
    }
  }
}

void check_host(std::string_view text) {
  std::string why;
  const auto host = config::normalise_host(text, why);
  if (!host) {
    require(!why.empty(), "a refusal has a reason");
    return;
  }
  require(host->starts_with("https://") || host->starts_with("http://"), "a host has a scheme");
  std::string ignored;
  require(config::normalise_host(*host, ignored) == host,
          "what was normalised stays as it is: " + *host);
  const auto url = cml::parse_url(*host, ignored);
  require(url.has_value(), "what the settings take can be connected to: " + *host);
  require(url->at.tls || cml::is_loopback(url->at.host),
          "a key is sent in clear to loopback alone");
}

}  // namespace

void urls(std::string_view bytes) {
  check_target(bytes);
  check_url(bytes);
  check_proxy(bytes);
  check_host(bytes);
  cml::origin to;
  to.host = "cml.example.com";
  cml::bypasses_proxy(to, bytes);
  to.host = "127.0.0.1";
  require(cml::bypasses_proxy(to, bytes), "loopback is always reached directly");
  require(cml::percent_encode(bytes).size() >= bytes.size(), "nothing is lost by escaping");
}

}  // namespace cmlrec::fuzz
