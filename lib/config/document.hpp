// A YAML text as a tree of our own in which every node knows its place, and the collector of what
// is wrong with it. Nothing but document.cpp sees the YAML library.
#pragma once

#include "config/load.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cmlrec::config {

struct place {
  int line = 0;  // both from 1
  int column = 0;
};

struct entry;

struct node {
  enum class kind { null, scalar, list, map };
  kind type = kind::null;
  place at;
  std::string text;    // of a scalar, as written
  bool plain = false;  // of a scalar: without quotes, so that 4 is a number and "4" is not
  std::vector<node> items;
  std::vector<entry> entries;  // in the order of the text, each key once

  bool is_null() const { return type == kind::null; }
  bool is_scalar() const { return type == kind::scalar; }
  bool is_list() const { return type == kind::list; }
  bool is_map() const { return type == kind::map; }
  const entry* find(std::string_view key) const;  // null where there is none
};

struct entry {
  std::string key;
  place at;  // of the key
  node value;
};

// "the text 'lots'", "the number 5", "a list", "nothing": for messages. A text with a variable is
// shown as it is written, never as it was expanded.
std::string describe_found(const node& n);

// Collects what is wrong with one file, in the order of the text whatever the order of the checks.
class report {
 public:
  explicit report(std::string file) : file_(std::move(file)) {}

  void error(place at, std::string message);
  void warning(place at, std::string message);
  const std::string& file() const { return file_; }
  // Sorted by place; what was said twice about one place is there once.
  std::vector<finding> errors() const { return sorted(errors_); }
  std::vector<finding> warnings() const { return sorted(warnings_); }

 private:
  static std::vector<finding> sorted(std::vector<finding> list);

  std::string file_;
  std::vector<finding> errors_;
  std::vector<finding> warnings_;
};

// The only document of a text. Reports syntax errors, more than one document, duplicate keys, keys
// that are no text, unknown tags, characters that are not UTF-8. Resolves aliases and the merge key
// "<<". Nothing where there is no tree at all; null for an empty text.
std::optional<node> parse_document(std::string_view text, report& out);

// The whole of a regular file. Nothing, with the reason in `why`, where it cannot be read or is
// larger than `most` bytes.
std::optional<std::string> read_file(const std::string& path, std::size_t most, std::string& why);

}  // namespace cmlrec::config
