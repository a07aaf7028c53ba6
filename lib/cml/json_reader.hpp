// Small readers over a parsed document. They know where they are, accept the several types in which
// CML sends one value, and keep the first complaint instead of throwing.
#pragma once

#include "core/time.hpp"
#include "core/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace cmlrec::cml::json_reader {

// Where in the document: a chain on the stack, written out only for a complaint.
class place {
 public:
  place() = default;
  place(const place& up, std::string_view member) : up_(&up), member_(member) {}
  place(const place& up, std::size_t index) : up_(&up), index_(index) {}
  std::string text() const;  // "jobs[3].timeout"; empty for the document itself

 private:
  const place* up_ = nullptr;
  std::string_view member_;
  std::optional<std::size_t> index_;
};

// The first thing that was wrong: "jobs[3].timeout: expected a whole number".
class complaint {
 public:
  void note(const place& at, std::string_view what);
  bool any() const { return !text_.empty(); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Null and missing are one thing: absent. `o` and the result share their lifetime.
const boost::json::value* member(const boost::json::object& o, std::string_view name);

// Nothing, with a complaint, where the value cannot be read so. A number is taken for a string (ids
// come as either); a string that holds a number, for a number.
std::optional<std::string> as_text(const boost::json::value& v, const place& at, complaint& bad);
std::optional<bool> as_boolean(const boost::json::value& v, const place& at, complaint& bad);
std::optional<std::int64_t> as_integer(const boost::json::value& v, const place& at,
                                       complaint& bad);
std::optional<double> as_number(const boost::json::value& v, const place& at, complaint& bad);
std::optional<core::text_list> as_text_list(const boost::json::value& v, const place& at,
                                            complaint& bad);
// An object, or a string that holds one; "" and "null" hold an empty one.
std::optional<core::text_map> as_text_map(const boost::json::value& v, const place& at,
                                          complaint& bad);
std::optional<core::recipient_list> as_recipients(const boost::json::value& v, const place& at,
                                                  complaint& bad);

// The text of a member, empty where it is absent.
std::string text_member(const boost::json::object& o, std::string_view name, const place& at,
                        complaint& bad);
// The same, with a complaint where it is absent or empty.
std::string required_text(const boost::json::object& o, std::string_view name, const place& at,
                          complaint& bad);
// Nothing for an absent, empty or unreadable stamp, and for the zero time of Go and protobuf.
std::optional<core::timestamp> time_member(const boost::json::object& o, std::string_view name);

}  // namespace cmlrec::cml::json_reader
