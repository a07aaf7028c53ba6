#include "config/log_levels.hpp"

#include <algorithm>
#include <array>

namespace cmlrec::config {
namespace {

constexpr std::array<std::string_view, 5> levels = {"trace", "debug", "info", "warning", "error"};

constexpr std::array<log_part, 8> parts = {{
    {"cml", "the requests to CML, their repetitions, the circuit", " api circuit "},
    {"reconcile", "how projects and jobs stand, and what is done about it",
     " project job status worker state create_project create_project_failed update_project "
     "update_project_failed create_job create_job_failed update_job update_job_failed delete_job "
     "delete_job_failed start_run start_run_failed stop_run stop_run_failed run_check "},
    {"audit", "each write to CML and its answer", " audit "},
    {"config", "the files, the key, the token", " config key token "},
    {"control", "what was asked for by people", " control reconcile "},
    {"http", "the requests to the daemon's own server", " http "},
    {"notify", "the messages to webhooks", " notify "},
    {"daemon", "start, stop, and all else", " daemon started stopping stopped stop log "},
}};

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

template <class List, class Name>
std::string listed(const List& list, Name name) {
  std::string out;
  for (const auto& one : list) out += (out.empty() ? "" : ", ") + std::string(name(one));
  return out;
}

std::string expected() {
  return "expected a level (" + listed(levels, [](std::string_view l) { return l; }) +
         "), and PART=LEVEL after commas, such as info,http=debug; the parts are " +
         listed(parts, [](const log_part& p) { return p.name; });
}

bool is_level(std::string_view word) {
  return std::find(levels.begin(), levels.end(), word) != levels.end();
}

bool is_part(std::string_view word) {
  return std::any_of(parts.begin(), parts.end(), [&](const log_part& p) { return p.name == word; });
}

}  // namespace

std::span<const log_part> log_parts() { return parts; }

std::string_view part_of(std::string_view event) {
  const std::string word = " " + std::string(event.substr(0, event.find('.'))) + " ";
  for (const auto& p : parts)
    if (p.words.find(word) != std::string_view::npos) return p.name;
  return parts.back().name;
}

std::optional<log_levels> parse_log_levels(std::string_view text, std::string& why) {
  log_levels out;
  bool general = false;
  const auto refuse = [&](std::string_view what, std::string_view problem) {
    why = "'" + std::string(what) + "' " + std::string(problem) + "; " + expected();
    return std::nullopt;
  };
  for (std::string_view rest = text;;) {
    const auto comma = rest.find(',');
    const auto one = trimmed(rest.substr(0, comma));
    const auto equals = one.find('=');
    const auto part = trimmed(one.substr(0, equals));
    const auto level = equals == std::string_view::npos ? part : trimmed(one.substr(equals + 1));
    if (!is_level(level)) return refuse(level, "is not a level of the log");
    if (equals == std::string_view::npos) {
      if (general) return refuse(one, "is a second level for all parts");
      general = true;
      out.general = std::string(level);
    } else if (!is_part(part)) {
      return refuse(part, "is not a part of the daemon");
    } else if (!out.parts.emplace(std::string(part), std::string(level)).second) {
      return refuse(part, "is given twice");
    }
    if (comma == std::string_view::npos) return out;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace cmlrec::config
