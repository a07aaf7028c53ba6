// The value of one field of a project or a job, as the file says it or as CML says it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace cmlrec::core {

// A string that remembers whether it came through ${}: then it is never shown. Equality looks at
// the text alone, so a secret in the file equals the same text in CML.
struct text {
  std::string value;
  bool secret = false;

  text() = default;
  text(std::string v, bool is_secret = false) : value(std::move(v)), secret(is_secret) {}
  text(const char* v) : value(v) {}
  friend bool operator==(const text& a, const text& b) { return a.value == b.value; }
  friend auto operator<=>(const text& a, const text& b) { return a.value <=> b.value; }
};

using text_list = std::vector<text>;
using text_map = std::map<std::string, text>;

// Who is told by mail about a job's runs.
struct recipient {
  text email;
  bool on_success = false;
  bool on_failure = false;
  bool on_timeout = false;
  bool on_stop = false;
  friend bool operator==(const recipient&, const recipient&) = default;
};
using recipient_list = std::vector<recipient>;

using field_value =
    std::variant<bool, std::int64_t, double, text, text_list, text_map, recipient_list>;

// By the field's name in the tables of fields.hpp. A field that is not in the map is not owned.
using field_set = std::map<std::string, field_value, std::less<>>;

// For people and JSON: strings quoted, secrets masked, maps and lists in full, keys in order.
std::string display(const field_value& v);
// Without masking, in one canonical form, for hashing alone.
std::string canonical(const field_value& v);
bool has_secret(const field_value& v);

}  // namespace cmlrec::core
