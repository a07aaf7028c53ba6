#include "cml/json_reader.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace cmlrec::cml::json_reader {
namespace {

namespace json = boost::json;

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> whole(double d) {
  // 2^63 is exact as a double, and the first value that does not fit.
  constexpr double limit = 9223372036854775808.0;
  if (!(d >= -limit && d < limit) || std::trunc(d) != d) return std::nullopt;
  return static_cast<std::int64_t>(d);
}

std::string_view view(const json::string& s) { return {s.data(), s.size()}; }

// A variable's value may have been set as any scalar; CML hands it to the script as text.
std::string loose_text(const json::value& v) {
  if (v.is_string()) return std::string(view(v.get_string()));
  if (v.is_null()) return {};
  if (v.is_double())
    if (const auto i = whole(v.get_double())) return std::to_string(*i);
  return json::serialize(v);
}

core::text_map to_map(const json::object& o) {
  core::text_map out;
  for (const auto& [key, value] : o) out.emplace(std::string(key), core::text(loose_text(value)));
  return out;
}

bool flag(const json::object& o, std::string_view name, const place& at, complaint& bad) {
  const auto* value = member(o, name);
  return value && as_boolean(*value, place(at, name), bad).value_or(false);
}

}  // namespace

std::string place::text() const {
  std::string out = up_ ? up_->text() : std::string();
  if (index_) return out + "[" + std::to_string(*index_) + "]";
  if (!out.empty() && !member_.empty()) out += '.';
  return out.append(member_);
}

void complaint::note(const place& at, std::string_view what) {
  if (any()) return;
  text_ = at.text();
  text_ += text_.empty() ? "the document: " : ": ";
  text_ += what;
}

const json::value* member(const json::object& o, std::string_view name) {
  const auto* value = o.if_contains(name);
  return value && !value->is_null() ? value : nullptr;
}

std::optional<std::string> as_text(const json::value& v, const place& at, complaint& bad) {
  if (v.is_string()) return std::string(view(v.get_string()));
  if (v.is_number()) return loose_text(v);
  bad.note(at, "expected a string");
  return std::nullopt;
}

std::optional<bool> as_boolean(const json::value& v, const place& at, complaint& bad) {
  if (v.is_bool()) return v.get_bool();
  if (v.is_string()) {
    const auto text = view(v.get_string());
    if (text == "true") return true;
    if (text == "false") return false;
  }
  bad.note(at, "expected true or false");
  return std::nullopt;
}

std::optional<std::int64_t> as_integer(const json::value& v, const place& at, complaint& bad) {
  std::optional<std::int64_t> out;
  if (v.is_int64()) {
    out = v.get_int64();
  } else if (v.is_double()) {
    out = whole(v.get_double());
  } else if (v.is_string()) {
    const auto text = view(v.get_string());
    out = parse_number<std::int64_t>(text);
    if (!out)
      if (const auto d = parse_number<double>(text)) out = whole(*d);
  }
  if (!out) bad.note(at, "expected a whole number");
  return out;
}

std::optional<double> as_number(const json::value& v, const place& at, complaint& bad) {
  std::optional<double> out;
  if (v.is_int64()) {
    out = static_cast<double>(v.get_int64());
  } else if (v.is_uint64()) {
    out = static_cast<double>(v.get_uint64());
  } else if (v.is_double()) {
    out = v.get_double();
  } else if (v.is_string()) {
    out = parse_number<double>(view(v.get_string()));
  }
  if (out && !std::isfinite(*out)) out.reset();
  if (!out) bad.note(at, "expected a number");
  return out;
}

std::optional<core::text_list> as_text_list(const json::value& v, const place& at, complaint& bad) {
  if (!v.is_array()) {
    bad.note(at, "expected a list of strings");
    return std::nullopt;
  }
  core::text_list out;
  for (std::size_t i = 0; i < v.get_array().size(); ++i) {
    auto item = as_text(v.get_array()[i], place(at, i), bad);
    if (!item) return std::nullopt;
    out.emplace_back(std::move(*item));
  }
  return out;
}

std::optional<core::text_map> as_text_map(const json::value& v, const place& at, complaint& bad) {
  if (v.is_object()) return to_map(v.get_object());
  if (v.is_string()) {
    const auto text = view(v.get_string());
    if (text.empty()) return core::text_map{};
    json::error_code ec;
    const auto inner = json::parse(text, ec);
    if (!ec && inner.is_null()) return core::text_map{};
    if (!ec && inner.is_object()) return to_map(inner.get_object());
  }
  bad.note(at, "expected an object, or a string that holds one");
  return std::nullopt;
}

std::optional<core::recipient_list> as_recipients(const json::value& v, const place& at,
                                                  complaint& bad) {
  if (!v.is_array()) {
    bad.note(at, "expected a list of recipients");
    return std::nullopt;
  }
  core::recipient_list out;
  for (std::size_t i = 0; i < v.get_array().size(); ++i) {
    const auto& item = v.get_array()[i];
    const place here(at, i);
    if (!item.is_object()) {
      bad.note(here, "expected an object");
      return std::nullopt;
    }
    const auto& o = item.get_object();
    core::recipient r;
    r.email = core::text(text_member(o, "email", here, bad));
    r.on_success = flag(o, "notify_on_success", here, bad);
    r.on_failure = flag(o, "notify_on_failure", here, bad);
    r.on_timeout = flag(o, "notify_on_timeout", here, bad);
    r.on_stop = flag(o, "notify_on_stop", here, bad);
    out.push_back(std::move(r));
  }
  if (bad.any()) return std::nullopt;
  return out;
}

std::string text_member(const json::object& o, std::string_view name, const place& at,
                        complaint& bad) {
  const auto* value = member(o, name);
  if (!value) return {};
  return as_text(*value, place(at, name), bad).value_or(std::string());
}

std::string required_text(const json::object& o, std::string_view name, const place& at,
                          complaint& bad) {
  auto out = text_member(o, name, at, bad);
  if (out.empty()) bad.note(place(at, name), "missing");
  return out;
}

std::optional<core::timestamp> time_member(const json::object& o, std::string_view name) {
  const auto* value = member(o, name);
  if (!value || !value->is_string()) return std::nullopt;
  const auto at = core::parse_timestamp(view(value->get_string()));
  constexpr auto zero_time = std::chrono::sys_days{std::chrono::year{1} / 1 / 1};
  if (!at || *at == zero_time) return std::nullopt;
  return at;
}

}  // namespace cmlrec::cml::json_reader
