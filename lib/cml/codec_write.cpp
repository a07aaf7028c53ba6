#include "cml/codec.hpp"
#include "core/fields.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <span>

#include <boost/json.hpp>

namespace cmlrec::cml {
namespace {

using core::field_type;
using core::wire;

std::string quoted(std::string_view text) { return boost::json::serialize(text); }

// Written by hand because Boost.JSON writes 0.5 as 5E-1 and 2.0 as 2E0, which a decoder of int32
// may refuse.
std::string number(double d) {
  constexpr double exact = 9007199254740992.0;  // 2^53
  std::array<char, 64> buffer{};
  const auto format = std::abs(d) < exact ? std::chars_format::fixed : std::chars_format::general;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), d, format);
  if (end.ec == std::errc{}) return {buffer.data(), end.ptr};
  const auto shortest = std::to_chars(buffer.data(), buffer.data() + buffer.size(), d);
  return {buffer.data(), shortest.ptr};
}

class object_writer {
 public:
  void raw(std::string_view name, std::string_view value) {
    if (out_.size() > 1) out_ += ',';
    out_ += quoted(name);
    out_ += ':';
    out_ += value;
  }
  void text(std::string_view name, std::string_view value) { raw(name, quoted(value)); }
  std::string close() && { return std::move(out_) + "}"; }

 private:
  std::string out_ = "{";
};

std::string object_of(const core::text_map& map) {
  object_writer out;
  for (const auto& [key, value] : map) out.text(key, value.value);
  return std::move(out).close();
}

template <class List, class Item>
std::string array_of(const List& list, Item item) {
  std::string out = "[";
  for (const auto& entry : list) {
    if (out.size() > 1) out += ',';
    out += item(entry);
  }
  return out + "]";
}

std::string recipient_object(const core::recipient& r) {
  object_writer out;
  out.text("email", r.email.value);
  const auto flag = [&](std::string_view name, bool on) { out.raw(name, on ? "true" : "false"); };
  flag("notify_on_success", r.on_success);
  flag("notify_on_failure", r.on_failure);
  flag("notify_on_timeout", r.on_timeout);
  flag("notify_on_stop", r.on_stop);
  return std::move(out).close();
}

std::string plain(const core::field_value& v) {
  struct visitor {
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(std::int64_t i) const { return std::to_string(i); }
    std::string operator()(double d) const { return number(d); }
    std::string operator()(const core::text& t) const { return quoted(t.value); }
    std::string operator()(const core::text_list& list) const {
      return array_of(list, [](const core::text& t) { return quoted(t.value); });
    }
    std::string operator()(const core::text_map& map) const { return object_of(map); }
    std::string operator()(const core::recipient_list& list) const {
      return array_of(list, recipient_object);
    }
  };
  return std::visit(visitor{}, v);
}

void write_value(object_writer& out, std::string_view name, wire how, const core::field_value& v) {
  switch (how) {
    case wire::none:
      return;
    case wire::plain:
      out.raw(name, plain(v));
      return;
    case wire::integer_as_text:
    case wire::object_as_text:
      out.text(name, plain(v));
      return;
  }
}

enum class body_for { create, patch };

void write_fields(object_writer& out, std::span<const core::field> table,
                  const core::field_set& fields, body_for what) {
  for (const auto& f : table) {
    if (f.type == field_type::job_key) continue;  // the parent travels by its id
    const auto name = what == body_for::create ? f.create_name : f.patch_name;
    const auto found = fields.find(f.name);
    if (name.empty() || found == fields.end()) continue;
    write_value(out, name, what == body_for::create ? f.on_create : f.on_patch, found->second);
  }
}

}  // namespace

std::string encode_create(const project_write& body) {
  object_writer out;
  write_fields(out, core::project_fields(), body.fields, body_for::create);
  return std::move(out).close();
}

std::string encode_patch(const project_write& body) {
  object_writer out;
  write_fields(out, core::project_fields(), body.fields, body_for::patch);
  return std::move(out).close();
}

std::string encode_create(const std::string& project_id, const job_write& body) {
  object_writer out;
  out.text("project_id", project_id);
  write_fields(out, core::job_fields(), body.fields, body_for::create);
  // The older of two names, but the one that has been seen to work.
  if (body.parent_id && !body.parent_id->empty()) out.text("parent_job_id", *body.parent_id);
  return std::move(out).close();
}

std::string encode_patch(const job_write& body) {
  object_writer out;
  write_fields(out, core::job_fields(), body.fields, body_for::patch);
  if (body.parent_id) out.text("parent_id", *body.parent_id);
  return std::move(out).close();
}

std::string encode_start(const std::string& project_id, const std::string& job_id,
                         const run_request& body) {
  object_writer out;
  out.text("project_id", project_id);
  out.text("job_id", job_id);
  if (body.environment) out.raw("environment", object_of(*body.environment));
  return std::move(out).close();
}

}  // namespace cmlrec::cml
