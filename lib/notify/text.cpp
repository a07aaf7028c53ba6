#include "notify/text.hpp"

#include "core/digest.hpp"
#include "telemetry/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace cmlrec::notify {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_text = 3000;
constexpr std::size_t longest_reason = 1000;
constexpr std::size_t most_reasons = 20;

std::string cut(const std::string& text, std::size_t most) {
  return telemetry::shortened(telemetry::valid_utf8(text), most);
}

std::vector<std::string> shown(const std::vector<std::string>& reasons) {
  std::vector<std::string> out;
  for (const auto& reason : reasons) {
    if (out.size() == most_reasons) {
      out.push_back("and " + std::to_string(reasons.size() - most_reasons) + " more");
      break;
    }
    out.push_back(cut(reason, longest_reason));
  }
  return out;
}

std::string joined(const std::vector<std::string>& reasons) {
  std::string out;
  for (const auto& reason : reasons) out += (out.empty() ? "" : "; ") + reason;
  return out;
}

// What Slack asks of a text, so that a reason cannot become a link or call a channel.
std::string for_slack(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

std::string value_of(std::string_view name, const notice& n, const std::string& workspace) {
  if (name == "project") return n.project;
  if (name == "state") return n.state;
  if (name == "event") return n.event;
  if (name == "reason") return n.reasons.empty() ? "" : cut(n.reasons.front(), longest_reason);
  if (name == "reasons") return joined(shown(n.reasons));
  if (name == "workspace") return workspace;
  if (name == "at") return core::format_timestamp(n.at);
  return sentence(n);
}

// Every placeholder is known: it was checked when the settings were read.
std::string filled(const std::string& text, const notice& n, const std::string& workspace) {
  std::string out;
  std::size_t at = 0;
  for (;;) {
    const auto open = text.find('{', at);
    const auto close = open == std::string::npos ? open : text.find('}', open);
    if (close == std::string::npos) return out + text.substr(at);
    out += text.substr(at, open - at);
    out += for_slack(
        value_of(std::string_view(text).substr(open + 1, close - open - 1), n, workspace));
    at = close + 1;
  }
}

// The same however often the message is sent, so that a receiver may know a repetition.
std::string id_of(const notice& n) {
  return core::sha256_hex(n.project + '\n' + n.event + '\n' + core::format_timestamp(n.at) + '\n' +
                          joined(n.reasons))
      .substr(0, 16);
}

}  // namespace

std::string sentence(const notice& n) {
  const auto why = joined(shown(n.reasons));
  if (n.event == "reload_refused")
    return "the new file is refused whole and the old one stays in force: " + why;
  std::string out = n.project;
  if (n.event == "unreachable")
    out += " has been unreachable since " + core::format_timestamp(n.since);
  else
    out += (n.event == "converged" || n.event == "recovered" ? " has " : " is ") + n.event;
  return why.empty() ? out : out + ": " + why;
}

std::string body_of(const notice& n, const config::notify_target& to,
                    const std::string& workspace) {
  json::object o;
  if (to.format == config::notify_format::slack) {
    o["text"] =
        cut(to.text.empty() ? for_slack(sentence(n)) : filled(to.text, n, workspace), longest_text);
    return json::serialize(o);
  }
  const auto text_or_null = [](const std::string& s) {
    return s.empty() ? json::value(nullptr) : json::value(s);
  };
  o["id"] = id_of(n);
  o["event"] = n.event;
  o["project"] = text_or_null(n.project);
  o["state"] = text_or_null(n.state);
  o["previous_state"] = text_or_null(n.previous);
  json::array reasons;
  for (const auto& reason : shown(n.reasons)) reasons.emplace_back(reason);
  o["reasons"] = std::move(reasons);
  o["message"] = sentence(n);
  o["since"] = core::format_timestamp(n.since);
  o["at"] = core::format_timestamp(n.at);
  o["workspace"] = text_or_null(workspace);
  return json::serialize(o);
}

}  // namespace cmlrec::notify
