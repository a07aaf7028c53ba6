// Writes JSON as text from its first byte to its last. Where a document is large and written often,
// building a tree of it first takes several times as long. Users link Boost::json.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>

namespace cmlrec::core {

// Commas and colons come by themselves; begin_ and end_ must match.
class json_writer {
 public:
  // Appends to `out`, which must outlive it.
  explicit json_writer(std::string& out) : out_(out) {}

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }

  // Of the next value; in an object each has one.
  void key(std::string_view name) {
    text(name);
    out_ += ':';
    comma_ = false;
  }

  // UTF-8.
  void text(std::string_view value) {
    separate();
    if (is_plain(value)) {
      out_ += '"';
      out_ += value;
      out_ += '"';
    } else {
      out_ += boost::json::serialize(boost::json::string_view(value.data(), value.size()));
    }
  }
  void number(std::int64_t value) { put(std::to_string(value)); }
  void boolean(bool value) { put(value ? "true" : "false"); }
  void null() { put("null"); }

  // Where the text stands; rewind() takes back all that was written since.
  struct place {
    std::size_t size;
    bool comma;
  };
  place here() const { return {out_.size(), comma_}; }
  void rewind(place to) {
    out_.resize(to.size);
    comma_ = to.comma;
  }

 private:
  static bool is_plain(std::string_view value) {
    for (const char c : value)
      if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7f) return false;
    return true;
  }
  void separate() {
    if (comma_) out_ += ',';
    comma_ = true;
  }
  void put(std::string_view value) {
    separate();
    out_ += value;
  }
  void begin(char bracket) {
    separate();
    out_ += bracket;
    comma_ = false;
  }
  void end(char bracket) {
    out_ += bracket;
    comma_ = true;
  }

  std::string& out_;
  bool comma_ = false;
};

}  // namespace cmlrec::core
