#include "daemon/status_text.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <boost/json.hpp>

#include "core/time.hpp"

namespace cmlrec::daemon {
namespace {

namespace json = boost::json;

std::string text(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

bool flag(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v != nullptr && v->is_bool() && v->get_bool();
}

std::optional<std::int64_t> number(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  if (v == nullptr || !v->is_int64()) return std::nullopt;
  return v->get_int64();
}

const json::object* object(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v != nullptr ? v->if_object() : nullptr;
}

std::vector<const json::object*> objects(const json::object& o, std::string_view name) {
  std::vector<const json::object*> out;
  const auto* v = o.if_contains(name);
  if (v == nullptr || !v->is_array()) return out;
  for (const auto& item : v->get_array())
    if (const auto* found = item.if_object()) out.push_back(found);
  return out;
}

std::vector<std::string> texts(const json::object& o, std::string_view name) {
  std::vector<std::string> out;
  const auto* v = o.if_contains(name);
  if (v == nullptr || !v->is_array()) return out;
  for (const auto& item : v->get_array())
    if (item.is_string()) out.emplace_back(item.get_string());
  return out;
}

std::string seconds(std::int64_t n) { return core::format_duration(std::chrono::seconds{n}); }

std::string yes_or_no(const json::object& o, std::string_view name) {
  return flag(o, name) ? "yes" : "no";
}

std::string next_of(const json::object& job) {
  auto out = text(job, "next_action");
  const auto at = text(job, "next_at");
  if (!at.empty()) out += (out.empty() ? "at " : " at ") + at;
  return out;
}

std::string run_text(const json::object& run) {
  std::string out = "run " + text(run, "id") + ": " + text(run, "state");
  if (const auto at = text(run, "created_at"); !at.empty()) out += ", begun " + at;
  if (const auto at = text(run, "finished_at"); !at.empty()) out += ", ended " + at;
  if (const auto took = number(run, "duration_seconds")) out += ", took " + seconds(*took);
  if (const auto by = text(run, "creator"); !by.empty()) out += ", by " + by;
  return out;
}

std::string difference_text(const json::object& d) {
  auto out = text(d, "field") + ": " + text(d, "live") + " in CML, " + text(d, "desired") +
             " in the file";
  if (flag(d, "unappliable")) out += " (cannot be applied)";
  if (const auto note = text(d, "note"); !note.empty()) out += "; " + note;
  return out;
}

// Wide as the widest of each column; the last one is free.
std::string table(const std::vector<std::array<std::string, 4>>& rows) {
  std::array<std::size_t, 3> width{};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < width.size(); ++i) width[i] = std::max(width[i], row[i].size());
  std::string out;
  for (const auto& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < width.size(); ++i)
      line += row[i] + std::string(width[i] - row[i].size() + 2, ' ');
    line += row[3];
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace

std::string status_text(const json::object& project) {
  std::string out = text(project, "name") + ": " + text(project, "state") + "\n";
  for (const auto& reason : texts(project, "reasons")) out += "  " + reason + "\n";
  out += "  in sync: " + yes_or_no(project, "in_sync") +
         ", healthy: " + yes_or_no(project, "healthy") +
         ", reachable: " + yes_or_no(project, "reachable");
  if (const auto at = text(project, "observed_at"); !at.empty()) out += ", as of " + at;
  out += "\n";
  for (const auto* d : objects(project, "differences")) out += "  " + difference_text(*d) + "\n";
  std::vector<std::array<std::string, 4>> rows = {{"JOB", "STATE", "LAST SUCCESS", "WHY"}};
  for (const auto* job : objects(project, "jobs")) {
    auto why = text(*job, "reason");
    if (const auto next = next_of(*job); !next.empty()) why += "; next: " + next;
    const auto success = text(*job, "last_success");
    rows.push_back({text(*job, "key"), text(*job, "state"), success.empty() ? "never" : success, why});
  }
  if (rows.size() > 1) out += "\n" + table(rows);
  for (const auto& orphan : texts(project, "orphans"))
    out += "  not in the file: " + orphan + "\n";
  return out;
}

std::string explain_text(const json::object& project, const json::object& job) {
  const auto all = objects(project, "jobs");
  const auto find = [&](const std::string& key) -> const json::object* {
    for (const auto* one : all)
      if (text(*one, "key") == key) return one;
    return nullptr;
  };
  std::string out = text(job, "key") + " (" + text(job, "name") + ") of " + text(project, "name") +
                    ": " + text(job, "state") + "\n";
  const auto line = [&](const std::string& what, const std::string& value) {
    if (!value.empty()) out += "  " + what + ": " + value + "\n";
  };
  line("why", text(job, "reason"));
  line("about", text(job, "description"));
  line("in CML as", text(job, "id").empty() ? "nothing yet" : text(job, "id"));
  for (const auto* above = find(text(job, "parent")); above != nullptr;
       above = find(text(*above, "parent")))
    line("after", text(*above, "key") + ", which is " + text(*above, "state") + ": " +
                      text(*above, "reason"));
  for (const auto* one : all)
    if (text(*one, "parent") == text(job, "key"))
      line("before", text(*one, "key") + ", which is " + text(*one, "state"));
  if (const auto* run = object(job, "active_run")) {
    line("now", run_text(*run));
    const auto since = number(job, "running_for_seconds");
    const auto limit = number(job, "timeout_seconds");
    if (since) line("runs for", seconds(*since) + (limit ? " of at most " + seconds(*limit) : ""));
  }
  if (const auto* run = object(job, "last_run")) line("last run", run_text(*run));
  line("last success", text(job, "last_success").empty() ? "never" : text(job, "last_success"));
  if (const auto n = number(job, "attempts"); n && *n > 0)
    line("attempts", std::to_string(*n) + " failed of " +
                         std::to_string(number(job, "max_attempts").value_or(1)));
  for (const auto* d : objects(job, "differences")) line("differs", difference_text(*d));
  line("next", next_of(job).empty() ? "nothing is foreseen" : next_of(job));
  line("project", text(project, "state"));
  return out;
}

}  // namespace cmlrec::daemon
