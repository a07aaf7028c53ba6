#include "notify/news.hpp"

#include "core/digest.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace cmlrec::notify {
namespace {

using plan::project_state;

bool is_trouble(project_state state) {
  return state == project_state::degraded || state == project_state::unreachable ||
         state == project_state::suspended;
}

const char* event_of(project_state state, const std::string& before) {
  switch (state) {
    case project_state::degraded:
      return "degraded";
    case project_state::suspended:
      return "suspended";
    case project_state::unreachable:
      return "unreachable";
    default:
      break;
  }
  const bool was_in_trouble = before == plan::to_string(project_state::degraded) ||
                              before == plan::to_string(project_state::unreachable);
  return was_in_trouble ? "recovered" : "converged";
}

bool is_of_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == ':' ||
         c == '.';
}

// A number, a time or a date; "etl-2" and "job_3" are names.
bool changes_by_itself(std::string_view word) {
  while (!word.empty() && (word.back() == '.' || word.back() == ':')) word.remove_suffix(1);
  const bool plain = std::all_of(word.begin(), word.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.' || c == ':' || c == '-';
  });
  return !word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0 &&
         (plain || core::parse_timestamp(word));
}

std::string without_numbers(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    auto end = i;
    while (end < text.size() && is_of_word(text[end])) ++end;
    const auto word = text.substr(i, end - i);
    out += changes_by_itself(word) ? "#" : std::string(word);
    if (end < text.size()) out += text[end++];
    i = end;
  }
  return out;
}

void drop_old(std::map<std::string, core::timestamp>& of, core::timestamp now,
              core::duration repeat) {
  std::erase_if(of, [&](const auto& e) { return now - e.second >= repeat; });
}

}  // namespace

std::string key_of(std::vector<std::string> reasons) {
  if (reasons.empty()) return {};
  for (auto& reason : reasons) reason = without_numbers(reason);
  std::sort(reasons.begin(), reasons.end());
  reasons.erase(std::unique(reasons.begin(), reasons.end()), reasons.end());
  std::string all;
  for (const auto& reason : reasons) all += reason + '\n';
  return core::sha256_hex(all).substr(0, 16);
}

news::news(rules r, told of_a_former_life)
    : rules_(r), told_(of_a_former_life), settled_(std::move(of_a_former_life)) {}

void news::see(const std::string& project, project_state state,
               const std::vector<std::string>& reasons, moment now) {
  if (state == project_state::progressing) {
    candidates_.erase(project);
    return;
  }
  // An outage is one piece of news, in however many ways its requests fail.
  const auto key = state == project_state::degraded ? key_of(reasons) : std::string();
  const auto [found, fresh] = candidates_.try_emplace(project);
  auto& c = found->second;
  if (fresh || c.state != state) {
    c.state = state;
    c.since = now;
    c.key_since = now.steady;
  } else if (c.key != key) {
    c.key_since = now.steady;
  }
  c.key = key;
  c.reasons = reasons;
}

void news::forget(const std::string& project) {
  candidates_.erase(project);
  told_.projects.erase(project);
  settled_.projects.erase(project);
  for (auto& [number, what] : unsettled_) what.projects.erase(project);
}

void news::refused(const std::string& why, moment now) {
  const auto key = key_of({why});
  drop_old(told_.refusals, now.wall, rules_.repeat);
  if (told_.refusals.contains(key)) return;
  told_.refusals[key] = now.wall;
  notice n;
  n.number = ++last_number_;
  n.event = "reload_refused";
  n.reasons = {why};
  n.since = n.at = now.wall;
  unsettled_[n.number].refusals[key] = now.wall;
  refusals_.push_back(std::move(n));
}

std::vector<notice> news::take(moment now) {
  auto out = std::exchange(refusals_, {});
  for (const auto& [project, c] : candidates_)
    if (auto n = judge(project, c, now)) out.push_back(std::move(*n));
  return out;
}

std::optional<notice> news::judge(const std::string& project, const candidate& c, moment now) {
  auto& before = told_.projects[project];
  const std::string state = plan::to_string(c.state);
  if (before.state == state && before.key == c.key) return std::nullopt;
  const auto needed =
      c.state == project_state::unreachable ? rules_.unreachable_after : rules_.after;
  // Of a state that goes on, the new reasons must have lasted.
  const auto from = before.state == state ? c.key_since : c.since.steady;
  if (now.steady - from < needed) return std::nullopt;
  drop_old(before.troubles, now.wall, rules_.repeat);
  const auto trouble = state + ' ' + c.key;
  if (is_trouble(c.state) && before.troubles.contains(trouble)) return std::nullopt;

  notice n;
  n.number = ++last_number_;
  n.event = event_of(c.state, before.state);
  n.project = project;
  n.state = state;
  n.previous = before.state;
  n.reasons = c.reasons;
  n.since = c.since.wall;
  n.at = now.wall;
  before.state = state;
  before.key = c.key;
  if (is_trouble(c.state)) before.troubles[trouble] = now.wall;
  unsettled_[n.number].projects[project] = before;
  return n;
}

void news::settle(std::uint64_t number) {
  const auto found = unsettled_.find(number);
  if (found == unsettled_.end()) return;
  for (auto& [project, what] : found->second.projects) {
    settled_.projects[project] = what;
    // What was told before it is older than what is known by now.
    for (auto at = unsettled_.begin(); at != found; ++at) at->second.projects.erase(project);
  }
  for (const auto& [key, at] : found->second.refusals) settled_.refusals[key] = at;
  unsettled_.erase(found);
  std::erase_if(settled_.refusals,
                [&](const auto& e) { return !told_.refusals.contains(e.first); });
}

}  // namespace cmlrec::notify
