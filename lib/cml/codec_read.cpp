#include "cml/codec.hpp"
#include "cml/json_reader.hpp"
#include "core/fields.hpp"

#include <span>
#include <utility>

#include <boost/json.hpp>

namespace cmlrec::cml {
namespace {

namespace json = boost::json;
using core::field_type;
using json_reader::complaint;
using json_reader::place;

void read_field(core::field_set& out, const core::field& f, const json::value& v, const place& at,
                complaint& bad) {
  const auto keep = [&](auto&& value) {
    if (value) out.insert_or_assign(std::string(f.name), core::field_value(std::move(*value)));
  };
  // protobuf's JSON writes an unset number as "" in some versions: not set, rather than wrong.
  const bool blank = v.is_string() && v.get_string().empty();
  switch (f.type) {
    case field_type::boolean:
      if (!blank) keep(json_reader::as_boolean(v, at, bad));
      break;
    case field_type::integer:
      if (!blank) keep(json_reader::as_integer(v, at, bad));
      break;
    case field_type::number:
      if (!blank) keep(json_reader::as_number(v, at, bad));
      break;
    case field_type::string_list:
      keep(json_reader::as_text_list(v, at, bad));
      break;
    case field_type::string_map:
      keep(json_reader::as_text_map(v, at, bad));
      break;
    case field_type::recipients:
      keep(json_reader::as_recipients(v, at, bad));
      break;
    case field_type::job_key:
      break;  // the parent has a member of its own
    default:
      if (auto text = json_reader::as_text(v, at, bad))
        out.insert_or_assign(std::string(f.name), core::field_value(core::text(std::move(*text))));
  }
}

core::field_set read_fields(std::span<const core::field> table, const json::object& o,
                            const place& at, complaint& bad) {
  core::field_set out;
  for (const auto& f : table) {
    if (f.read_name.empty()) continue;
    if (const auto* value = json_reader::member(o, f.read_name))
      read_field(out, f, *value, place(at, f.read_name), bad);
  }
  return out;
}

// owner and creator are objects {username, name, email}; a bare string has been met elsewhere.
std::string user_member(const json::object& o, std::string_view name, const place& at,
                        complaint& bad) {
  const auto* value = json_reader::member(o, name);
  if (!value) return {};
  if (value->is_object())
    return json_reader::text_member(value->get_object(), "username", place(at, name), bad);
  return json_reader::text_member(o, name, at, bad);
}

void read(project& out, const json::object& o, const place& at, complaint& bad) {
  out.id = json_reader::required_text(o, "id", at, bad);
  out.name = json_reader::required_text(o, "name", at, bad);
  out.owner = user_member(o, "owner", at, bad);
  out.creator = user_member(o, "creator", at, bad);
  out.creation_status = json_reader::text_member(o, "creation_status", at, bad);
  out.created_at = json_reader::time_member(o, "created_at");
  out.updated_at = json_reader::time_member(o, "updated_at");
  out.fields = read_fields(core::project_fields(), o, at, bad);
}

void read(job& out, const json::object& o, const place& at, complaint& bad) {
  out.id = json_reader::required_text(o, "id", at, bad);
  out.name = json_reader::required_text(o, "name", at, bad);
  out.parent_id = json_reader::text_member(o, "parent_id", at, bad);
  if (out.parent_id.empty()) out.parent_id = json_reader::text_member(o, "parent_job_id", at, bad);
  out.type = json_reader::text_member(o, "type", at, bad);
  out.creator = user_member(o, "creator", at, bad);
  out.created_at = json_reader::time_member(o, "created_at");
  out.updated_at = json_reader::time_member(o, "updated_at");
  out.fields = read_fields(core::job_fields(), o, at, bad);
}

void read(run& out, const json::object& o, const place& at, complaint& bad) {
  out.id = json_reader::required_text(o, "id", at, bad);
  out.job_id = json_reader::text_member(o, "job_id", at, bad);
  out.status = json_reader::text_member(o, "status", at, bad);
  out.state = parse_run_state(out.status);
  out.creator = user_member(o, "creator", at, bad);
  out.created_at = json_reader::time_member(o, "created_at");
  out.running_at = json_reader::time_member(o, "running_at");
  out.finished_at = json_reader::time_member(o, "finished_at");
  out.arguments = json_reader::text_member(o, "arguments", at, bad);
  if (const auto* environment = json_reader::member(o, "environment")) {
    auto map = json_reader::as_text_map(*environment, place(at, "environment"), bad);
    if (map) out.environment = std::move(*map);
  }
}

void read(key_check& out, const json::object& o, const place& at, complaint& bad) {
  if (const auto* valid = json_reader::member(o, "valid"))
    out.valid = json_reader::as_boolean(*valid, place(at, "valid"), bad).value_or(false);
  out.username = json_reader::text_member(o, "username", at, bad);
  out.message = json_reader::text_member(o, "message", at, bad);
}

core::error not_ours(std::string what) {
  return {core::error_kind::not_json, "CML's answer cannot be read: " + std::move(what)};
}

core::result<json::object> parse_object(std::string_view text) {
  json::error_code ec;
  auto document = json::parse(text, ec);
  if (ec) return not_ours("it is not JSON");
  if (!document.is_object()) return not_ours("it is not a JSON object");
  return std::move(document.get_object());
}

template <class T>
core::result<T> decode_one(std::string_view text) {
  const auto document = parse_object(text);
  if (!document) return document.error();
  T out;
  complaint bad;
  read(out, *document, place(), bad);
  if (bad.any()) return not_ours(bad.text());
  return out;
}

template <class T>
core::result<page<T>> decode_page(std::string_view text, std::string_view key) {
  const auto document = parse_object(text);
  if (!document) return document.error();
  complaint bad;
  const place root;
  page<T> out;
  out.next_token = json_reader::text_member(*document, "next_page_token", root, bad);
  const place here(root, key);
  const auto* list = json_reader::member(*document, key);
  if (!list) {
    // protobuf's JSON may leave an empty list out. But what is said in other words is not CML's
    // list, be it of a gateway or a report of a failure: nothing may be taken for absent because of
    // it.
    for (const auto& [name, value] : *document)
      if (name != "next_page_token" && name != key)
        bad.note(here, "missing: the answer is not a list of CML");
  } else if (!list->is_array()) {
    bad.note(here, "expected a list");
  } else {
    const auto& items = list->get_array();
    out.items.resize(items.size());
    for (std::size_t i = 0; i < items.size() && !bad.any(); ++i) {
      const place item(here, i);
      if (items[i].is_object())
        read(out.items[i], items[i].get_object(), item, bad);
      else
        bad.note(item, "expected an object");
    }
  }
  if (bad.any()) return not_ours(bad.text());
  return out;
}

}  // namespace

core::result<project> decode_project(std::string_view text) { return decode_one<project>(text); }
core::result<job> decode_job(std::string_view text) { return decode_one<job>(text); }
core::result<run> decode_run(std::string_view text) { return decode_one<run>(text); }
core::result<key_check> decode_key_check(std::string_view text) {
  const auto document = parse_object(text);
  if (document && !document->contains("valid") && document->contains("error"))
    return not_ours("valid: missing: the answer reports a failure");
  return decode_one<key_check>(text);
}
core::result<page<project>> decode_projects(std::string_view text) {
  return decode_page<project>(text, "projects");
}
core::result<page<job>> decode_jobs(std::string_view text) {
  return decode_page<job>(text, "jobs");
}
core::result<page<run>> decode_runs(std::string_view text) {
  return decode_page<run>(text, "job_runs");
}

}  // namespace cmlrec::cml
