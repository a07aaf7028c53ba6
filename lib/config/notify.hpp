// Who is told of news by a webhook: `notify:` of the settings.
#pragma once

#include "core/secret.hpp"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cmlrec::config {

struct node;
class report;

enum class notify_format { json, slack };

struct notify_target {
  core::secret url;      // empty: it stands in url_file
  std::string url_file;  // read anew for each message
  notify_format format = notify_format::json;
  std::set<std::string> events;  // of notify_events()
  std::string text;              // template, of slack; empty: the usual text
  friend bool operator==(const notify_target&, const notify_target&) = default;
};

// converged, degraded, recovered, suspended, unreachable, reload_refused
std::span<const std::string_view> notify_events();
std::set<std::string> all_notify_events();
// What a template may have between braces.
std::span<const std::string_view> notify_placeholders();

// What is wrong with the URL of a webhook, which is never repeated: it holds a token. https, or
// http to loopback.
std::optional<std::string> check_webhook_url(const std::string& url);

// The list. Every mistake with its place.
std::vector<notify_target> read_notify(const node& list, report& out);

}  // namespace cmlrec::config
