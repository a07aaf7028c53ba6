// From the keys of a map in the file to the values of a field table: the one parser of all fields.
#pragma once

#include "config/desired.hpp"
#include "config/document.hpp"
#include "core/fields.hpp"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cmlrec::config {

// What every reader needs: where to complain, and what ${} stands for.
struct reading {
  report& out;
  const environment& env;
};

// The key of another job. Nothing: null, or an empty text.
struct job_reference {
  std::optional<std::string> key;
  std::string shown;  // as it stands in the file
};

using parsed_value = std::variant<core::field_value, job_reference, core::duration, core::timestamp,
                                  run_policy, environment_policy, retry_policy>;

struct given {
  const core::field* field = nullptr;
  parsed_value value;
  place at;         // of the value
  bool own = true;  // false: it comes from "defaults:"
};

// By the field's name in the table. What the file leaves out, or gives wrongly, is not in it.
class given_fields {
 public:
  std::map<std::string_view, given> all;

  const given* find(std::string_view name) const {
    const auto at = all.find(name);
    return at == all.end() ? nullptr : &at->second;
  }
  // The value of a field, or nothing.
  template <class T>
  const T* get(std::string_view name) const {
    const given* g = find(name);
    return g == nullptr ? nullptr : std::get_if<T>(&g->value);
  }
  // A text field without its mark of secrecy; for what steers the daemon.
  std::optional<std::string> plain(std::string_view name) const;
  std::optional<core::text> text(std::string_view name) const;
  std::optional<bool> boolean(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  // What the file owns and CML is sent: everything but the parent.
  core::field_set for_cml() const;
};

struct map_scope {
  std::span<const core::field> table;
  std::string where;                       // "in job 'git_sync'"
  std::vector<std::string_view> excluded;  // fields of the table that have no place here
  std::string why_excluded;                // "cannot have a default; give it in each job"
  std::vector<std::string_view> also;      // keys that the caller reads
};

given_fields read_fields(const reading& r, const node& map, const map_scope& scope);

// What `defaults` say, overridden by `own`; the environments of both, own keys first.
given_fields merge(const given_fields& defaults, const given_fields& own);

// One scalar with its ${} resolved; nothing, after an error, for anything else.
std::optional<core::text> read_text(const reading& r, const node& n, std::string_view key,
                                    std::string_view expected);
std::optional<bool> read_boolean(const reading& r, const node& n, std::string_view key);
std::optional<std::int64_t> read_integer(const reading& r, const node& n, std::string_view key,
                                         std::string_view expected, double low, double high);
std::optional<core::duration> read_duration(const reading& r, const node& n, std::string_view key);

// Complains about every key that is not among `known`.
void check_keys(const reading& r, const node& map, const std::string& where,
                std::span<const std::string_view> known);

// "cpu: expected a number of cores, found the text 'lots'"
void wrong_type(const reading& r, const node& n, std::string_view key, std::string_view expected);

// What a field of the table expects, in words.
std::string expectation(const core::field& f);

}  // namespace cmlrec::config
