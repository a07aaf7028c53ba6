#include "config/field_reader.hpp"

#include "config/cron.hpp"
#include "config/expand.hpp"
#include "config/scalars.hpp"
#include "config/suggest.hpp"
#include "config/value_readers.hpp"

#include <algorithm>

namespace cmlrec::config {
namespace {

using type = core::field_type;

std::string in_quotes(std::string_view text) { return std::string("'").append(text) + "'"; }

// A key that belongs into another part of the file, told as such.
std::string belongs_elsewhere(std::string_view key, std::span<const core::field> table) {
  if (table.data() != core::job_fields().data()) {
    if (core::find_field(core::job_fields(), key) != nullptr)
      return "it belongs to a job, or under 'defaults:'";
  } else if (core::find_field(core::project_fields(), key) != nullptr) {
    return "it belongs to the project";
  }
  return {};
}

void unknown_key(const reading& r, const entry& e, const map_scope& scope) {
  std::vector<std::string_view> known;
  for (const auto& f : scope.table) {
    if (std::find(scope.excluded.begin(), scope.excluded.end(), f.name) != scope.excluded.end())
      continue;
    known.push_back(f.name);
    known.insert(known.end(), f.aliases.begin(), f.aliases.end());
  }
  known.insert(known.end(), scope.also.begin(), scope.also.end());
  std::string hint = belongs_elsewhere(e.key, scope.table);
  if (hint.empty()) hint = suggestion(e.key, known);
  r.out.error(e.at, "unknown key " + in_quotes(e.key) + " " + scope.where + "; " + hint);
}

}  // namespace

std::optional<std::string> given_fields::plain(std::string_view name) const {
  const auto t = text(name);
  return t ? std::optional(t->value) : std::nullopt;
}

std::optional<core::text> given_fields::text(std::string_view name) const {
  const auto* v = get<core::field_value>(name);
  const auto* t = v == nullptr ? nullptr : std::get_if<core::text>(v);
  return t == nullptr ? std::nullopt : std::optional(*t);
}

std::optional<bool> given_fields::boolean(std::string_view name) const {
  const auto* v = get<core::field_value>(name);
  const auto* b = v == nullptr ? nullptr : std::get_if<bool>(v);
  return b == nullptr ? std::nullopt : std::optional(*b);
}

std::optional<std::int64_t> given_fields::integer(std::string_view name) const {
  const auto* v = get<core::field_value>(name);
  const auto* i = v == nullptr ? nullptr : std::get_if<std::int64_t>(v);
  return i == nullptr ? std::nullopt : std::optional(*i);
}

core::field_set given_fields::for_cml() const {
  core::field_set set;
  for (const auto& [name, g] : all) {
    if (g.field->create_name.empty() && g.field->patch_name.empty()) continue;
    if (const auto* v = std::get_if<core::field_value>(&g.value)) set[std::string(name)] = *v;
  }
  return set;
}

given_fields read_fields(const reading& r, const node& map, const map_scope& scope) {
  given_fields result;
  std::map<std::string_view, const entry*> seen;
  for (const auto& e : map.entries) {
    if (std::find(scope.also.begin(), scope.also.end(), e.key) != scope.also.end()) continue;
    const core::field* f = core::find_field(scope.table, e.key);
    if (f == nullptr) {
      unknown_key(r, e, scope);
      continue;
    }
    if (std::find(scope.excluded.begin(), scope.excluded.end(), f->name) != scope.excluded.end()) {
      r.out.error(e.at, in_quotes(e.key) + " " + scope.why_excluded);
      continue;
    }
    const auto [before, fresh] = seen.try_emplace(f->name, &e);
    if (!fresh) {
      r.out.error(e.at, in_quotes(e.key) + " and " + in_quotes(before->second->key) + " (line " +
                            std::to_string(before->second->at.line) +
                            ") are two names of one field " + scope.where +
                            "; expected one of them");
      continue;
    }
    if (auto value = read_value(r, e, *f)) result.all[f->name] = {f, std::move(*value), e.value.at};
  }
  return result;
}

given_fields merge(const given_fields& defaults, const given_fields& own) {
  given_fields result = own;
  for (const auto& [name, g] : defaults.all) {
    const auto [at, fresh] = result.all.try_emplace(name, g);
    if (fresh) {
      at->second.own = false;
      continue;
    }
    auto* ours = std::get_if<core::field_value>(&at->second.value);
    const auto* theirs = std::get_if<core::field_value>(&g.value);
    if (ours == nullptr || theirs == nullptr) continue;
    auto* our_map = std::get_if<core::text_map>(ours);
    const auto* their_map = std::get_if<core::text_map>(theirs);
    if (our_map != nullptr && their_map != nullptr)
      our_map->insert(their_map->begin(), their_map->end());
  }
  return result;
}

std::optional<core::text> read_text(const reading& r, const node& n, std::string_view key,
                                    std::string_view expected) {
  if (!n.is_scalar()) {
    wrong_type(r, n, key, expected);
    return std::nullopt;
  }
  expanded e = expand(n.text, r.env);
  for (const auto& problem : e.errors) r.out.error(n.at, std::string(key) + ": " + problem);
  if (!e.errors.empty()) return std::nullopt;
  return std::move(e.value);
}

std::optional<bool> read_boolean(const reading& r, const node& n, std::string_view key) {
  const auto text = read_text(r, n, key, "true or false");
  if (!text) return std::nullopt;
  const auto value = parse_boolean(text->value);
  if (!value) wrong_type(r, n, key, "true or false");
  return value;
}

std::optional<std::int64_t> read_integer(const reading& r, const node& n, std::string_view key,
                                         std::string_view expected, double low, double high) {
  const auto text = read_text(r, n, key, expected);
  if (!text) return std::nullopt;
  bool too_large = false;
  const auto value = parse_integer(text->value, &too_large);
  if (!value && !too_large) {
    wrong_type(r, n, key, expected);
    return std::nullopt;
  }
  if (!check_range(r, n, key, expected, value ? static_cast<double>(*value) : high * 2, low, high))
    return std::nullopt;
  return value;
}

std::optional<core::duration> read_duration(const reading& r, const node& n, std::string_view key) {
  constexpr std::string_view expected = "a duration such as 30s or 5m, or a number of seconds";
  const auto text = read_text(r, n, key, expected);
  if (!text) return std::nullopt;
  const auto value = core::parse_duration(text->value);
  if (!value) wrong_type(r, n, key, expected);
  return value;
}

void check_keys(const reading& r, const node& map, const std::string& where,
                std::span<const std::string_view> known) {
  for (const auto& e : map.entries)
    if (std::find(known.begin(), known.end(), e.key) == known.end())
      r.out.error(
          e.at, "unknown key " + in_quotes(e.key) + " " + where + "; " + suggestion(e.key, known));
}

void wrong_type(const reading& r, const node& n, std::string_view key, std::string_view expected) {
  r.out.error(n.at, std::string(key) + ": expected " + std::string(expected) + ", found " +
                        describe_found(n));
}

std::string expectation(const core::field& f) {
  const std::string of = f.unit.empty() ? "" : " of " + std::string(f.unit);
  switch (f.type) {
    case type::boolean:
      return "true or false";
    case type::integer:
      return (f.unit.empty() ? "a whole number" : "a number") + of;
    case type::number:
      return "a number" + of;
    case type::string:
      return "a text";
    case type::script:
      return "the path of a script in the project";
    case type::cron:
      return "a cron expression of five fields";
    case type::arguments:
      return "a text, or a list of texts";
    case type::string_list:
      return "a list of texts";
    case type::string_map:
      return "a map of names to texts";
    case type::recipients:
      return "a list of addresses, or of maps with email and notify_on_...";
    case type::job_key:
      return "the key of a job of this file, or null";
    case type::time_span:
      return "a duration such as 30s or 5m, or a number of seconds";
    case type::time_point:
      return "a time such as 2026-01-02T03:04:05Z";
    case type::run_policy:
      return "once, on_change or never";
    case type::retry_policy:
      return "a map with max_attempts, backoff and max_backoff";
    case type::environment_policy:
      return "replace or merge";
  }
  return {};
}

}  // namespace cmlrec::config
