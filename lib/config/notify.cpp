#include "config/notify.hpp"

#include "config/document.hpp"
#include "config/settings.hpp"
#include "config/suggest.hpp"

#include <algorithm>
#include <array>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace cmlrec::config {
namespace {

constexpr std::array<std::string_view, 6> events = {"converged", "degraded",    "recovered",
                                                    "suspended", "unreachable", "reload_refused"};
constexpr std::array<std::string_view, 8> placeholders = {
    "project", "state", "event", "reason", "reasons", "message", "workspace", "at"};
constexpr std::array<std::string_view, 5> webhook_keys = {"url", "url_file", "format", "events",
                                                          "template"};
constexpr std::size_t most_targets = 20;
constexpr std::size_t longest_template = 4000;

template <class List>
std::string listed(const List& list) {
  std::string out;
  for (const auto& one : list) out += (out.empty() ? "" : ", ") + std::string(one);
  return out;
}

template <class List>
bool has(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

class target_reader {
 public:
  target_reader(const node& from, report& out) : from_(from), out_(out) {}

  std::optional<notify_target> read() {
    if (!from_.is_map()) {
      out_.error(from_.at, "notify: expected a map with 'url' or 'url_file'");
      return std::nullopt;
    }
    target_.events = all_notify_events();
    for (const auto& e : from_.entries) read_entry(e);
    if (target_.url.empty() == target_.url_file.empty() && good_)
      fail(from_.at, "notify: expected either 'url' or 'url_file'");
    if (!target_.text.empty() && target_.format != notify_format::slack)
      fail(from_.at, "notify: 'template' is for 'format: slack'; the JSON is always the same");
    if (!good_) return std::nullopt;
    return std::move(target_);
  }

 private:
  void fail(place at, std::string message) {
    good_ = false;
    out_.error(at, std::move(message));
  }

  void read_entry(const entry& e) {
    if (e.key == "events") return read_events(e);
    if (!has(webhook_keys, e.key))
      return fail(e.at,
                  "unknown key '" + e.key + "' in notify; " + suggestion(e.key, webhook_keys));
    // The text of a URL is not shown, not even a wrong one.
    if (!e.value.is_scalar() || e.value.text.empty())
      return fail(e.value.at, "notify: expected one value for '" + e.key + "'");
    if (e.key == "url") {
      if (const auto wrong = check_webhook_url(e.value.text)) fail(e.value.at, "url: " + *wrong);
      target_.url = core::secret(e.value.text);
    } else if (e.key == "url_file") {
      target_.url_file = e.value.text;
    } else if (e.key == "format") {
      if (e.value.text != "json" && e.value.text != "slack")
        fail(e.value.at, "format: '" + e.value.text + "' is wrong; expected json or slack");
      target_.format = e.value.text == "slack" ? notify_format::slack : notify_format::json;
    } else {
      read_template(e);
    }
  }

  void read_events(const entry& e) {
    if (!e.value.is_list() || e.value.items.empty())
      return fail(e.value.at, "events: expected a list of " + listed(events));
    target_.events.clear();
    for (const auto& item : e.value.items) {
      if (!item.is_scalar() || !has(events, item.text))
        fail(item.at,
             "events: " + describe_found(item) + " is no event; expected " + listed(events));
      else
        target_.events.insert(item.text);
    }
  }

  void read_template(const entry& e) {
    target_.text = e.value.text;
    if (target_.text.size() > longest_template)
      return fail(e.value.at, "template: it is longer than " + std::to_string(longest_template) +
                                  " characters");
    for (auto open = target_.text.find('{'); open != std::string::npos;
         open = target_.text.find('{', open + 1)) {
      const auto close = target_.text.find('}', open);
      const auto name = close == std::string::npos
                            ? std::string("{")
                            : target_.text.substr(open + 1, close - open - 1);
      if (!has(placeholders, name))
        return fail(e.value.at, "template: '{" + name + "}' is not known; expected {" +
                                    "NAME} of " + listed(placeholders));
    }
  }

  const node& from_;
  report& out_;
  notify_target target_;
  bool good_ = true;
};

}  // namespace

std::span<const std::string_view> notify_events() { return events; }

std::set<std::string> all_notify_events() { return {events.begin(), events.end()}; }

std::span<const std::string_view> notify_placeholders() { return placeholders; }

std::optional<std::string> check_webhook_url(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  const bool web = parsed && (parsed->scheme() == "https" || parsed->scheme() == "http");
  if (!web || parsed->host().empty() || parsed->has_userinfo())
    return "this is no URL of a webhook (it is not shown, for it may hold a token); expected "
           "https://HOST/PATH";
  std::string why;
  const std::string origin =
      std::string(parsed->scheme()) + "://" +
      std::string(parsed->encoded_host_and_port().data(), parsed->encoded_host_and_port().size());
  if (!normalise_host(origin, why))
    return "the webhook's host cannot be used; expected https://HOST[:PORT]/PATH, or http:// for "
           "loopback alone";
  return std::nullopt;
}

std::vector<notify_target> read_notify(const node& list, report& out) {
  std::vector<notify_target> targets;
  if (list.is_null()) return targets;
  if (!list.is_list()) {
    out.error(list.at, "notify: expected a list of webhooks, each with 'url' or 'url_file'");
    return targets;
  }
  if (list.items.size() > most_targets)
    out.error(list.at, "notify: there are more than " + std::to_string(most_targets) + " webhooks");
  for (const auto& item : list.items)
    if (auto target = target_reader(item, out).read()) targets.push_back(std::move(*target));
  return targets;
}

}  // namespace cmlrec::config
