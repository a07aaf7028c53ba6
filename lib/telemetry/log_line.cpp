#include "telemetry/log_line.hpp"

#include "telemetry/text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace cmlrec::telemetry {
namespace {

constexpr std::size_t longest_value = 16U * 1024;
constexpr std::array<std::string_view, 6> own_keys = {"ts",      "level", "event",
                                                      "project", "job",   "msg"};

// As systemd reads it: syslog's numbers.
const char* priority(reconcile::severity level) {
  switch (level) {
    case reconcile::severity::debug:
      return "<7>";
    case reconcile::severity::info:
      return "<6>";
    case reconcile::severity::warning:
      return "<4>";
    case reconcile::severity::error:
      return "<3>";
  }
  return "<3>";
}

// A name that every reader of the format takes, and that does not shadow one of ours.
std::string key_of(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.';
    out += plain ? c : '_';
  }
  const bool taken = std::find(own_keys.begin(), own_keys.end(), out) != own_keys.end();
  return out.empty() || taken ? "field_" + out : out;
}

// C1 control characters, in UTF-8 0xC2 0x80 to 0xC2 0x9F, steer some terminals as ESC does.
bool is_c1(std::string_view text, std::size_t i) {
  return text[i] == '\xC2' && i + 1 < text.size() &&
         static_cast<unsigned char>(text[i + 1]) >= 0x80U &&
         static_cast<unsigned char>(text[i + 1]) <= 0x9FU;
}

void add_escaped(std::string& out, unsigned char c) {
  static constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u00";
  out += digits[c >> 4U];
  out += digits[c & 15U];
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (code < 0x20U || code == 0x7FU) {
      add_escaped(out, code);
    } else if (is_c1(text, i)) {
      add_escaped(out, static_cast<unsigned char>(text[++i]));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string logfmt_value(const std::string& text) {
  bool plain = !text.empty();
  for (std::size_t i = 0; plain && i < text.size(); ++i) {
    const auto code = static_cast<unsigned char>(text[i]);
    plain = code > 0x20U && code != 0x7FU && code != '"' && code != '=' && code != '\\' &&
            !is_c1(text, i);
  }
  return plain ? text : quoted(text);
}

// JSON's own writer escapes what JSON demands; DEL and C1 are left to us.
std::string json_line(const boost::json::object& line) {
  const auto text = boost::json::serialize(line);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x7F') {
      add_escaped(out, 0x7FU);
    } else if (is_c1(text, i)) {
      add_escaped(out, static_cast<unsigned char>(text[++i]));
    } else {
      out += text[i];
    }
  }
  return out;
}

template <class Add>
void each_field(const log_entry& e, bool with_time, Add add) {
  const auto put = [&](const std::string& key, const std::string& value) {
    add(key, shortened(valid_utf8(value), longest_value));
  };
  if (with_time) put("ts", core::format_timestamp(e.at));
  put("level", to_string(e.level));
  put("event", e.event);
  if (!e.project.empty()) put("project", e.project);
  if (!e.job.empty()) put("job", e.job);
  for (const auto& [name, value] : e.fields) put(key_of(name), value);
  put("msg", e.message);
}

}  // namespace

const char* to_string(reconcile::severity level) {
  switch (level) {
    case reconcile::severity::debug:
      return "debug";
    case reconcile::severity::info:
      return "info";
    case reconcile::severity::warning:
      return "warning";
    case reconcile::severity::error:
      return "error";
  }
  return "error";
}

std::string format_line(const log_entry& entry, log_format format, bool to_journal) {
  std::string out = to_journal ? priority(entry.level) : "";
  if (format == log_format::json) {
    boost::json::object line;
    each_field(entry, !to_journal,
               [&](const std::string& key, const std::string& value) { line[key] = value; });
    return out + json_line(line);
  }
  bool first = true;
  each_field(entry, !to_journal, [&](const std::string& key, const std::string& value) {
    if (!first) out += ' ';
    first = false;
    // The message is always quoted, so that a reader's eye finds it at the same mark.
    out += key + "=" + (key == "msg" ? quoted(value) : logfmt_value(value));
  });
  return out;
}

}  // namespace cmlrec::telemetry
