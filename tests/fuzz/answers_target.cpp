#include "cml/codec.hpp"
#include "fuzz/support.hpp"
#include "fuzz/targets.hpp"

#include <cmath>

#include <boost/json.hpp>

namespace cmlrec::fuzz {
namespace {

namespace json = boost::json;

void check_fields(const core::field_set& fields) {
  for (const auto& [name, value] : fields) {
    if (const auto* number = std::get_if<double>(&value))
      require(std::isfinite(*number), "a number is finite: " + name);
    require(!core::canonical(value).empty(), "a value has a canonical form");
    require(!core::display(value).empty(), "a value can be shown");
  }
}

void check_item(const cml::project& p) {
  require(!p.id.empty() && !p.name.empty(), "a project has an id and a name");
  check_fields(p.fields);
}

void check_item(const cml::job& j) {
  require(!j.id.empty() && !j.name.empty(), "a job has an id and a name");
  check_fields(j.fields);
}

void check_item(const cml::run& r) {
  require(!r.id.empty(), "a run has an id");
  require(r.state == cml::parse_run_state(r.status), "a run has the state that its status says");
}

void check_item(const cml::key_check&) {}

void check_error(const core::error& e) {
  require(e.kind == core::error_kind::not_json, "an unreadable answer is told as such");
  require(!e.message.empty() && !has_control_character(e.message), "an error is one line");
  require(!e.may_have_happened, "the codec knows nothing of what has happened");
}

template <class T>
void check_one(const core::result<T>& out, std::string_view text) {
  if (!out) return check_error(out.error());
  json::error_code ec;
  require(json::parse(text, ec).is_object() && !ec, "only an object is an answer");
  check_item(*out);
}

// No answer is not a negative answer: an empty list is believed only where there is no doubt.
template <class T>
void check_list(const core::result<cml::page<T>>& out, std::string_view text, const char* key) {
  if (!out) return check_error(out.error());
  json::error_code ec;
  const auto document = json::parse(text, ec);
  require(!ec && document.is_object(), "only an object is a list");
  const auto& o = document.get_object();
  const auto* list = o.if_contains(key);
  if (list && !list->is_null()) {
    require(list->is_array() && list->get_array().size() == out->items.size(),
            "every item of the list is there");
  } else {
    require(out->items.empty(), "no item comes from nowhere");
    require(!o.contains("error") && !o.contains("message"), "a failure is no empty list");
  }
  for (const auto& item : out->items) check_item(item);
}

}  // namespace

void answers(std::string_view bytes) {
  pieces in(bytes);
  const auto which = in.byte();
  const auto text = in.rest();
  switch (which % 7) {
    case 0:
      return check_one(cml::decode_project(text), text);
    case 1:
      return check_one(cml::decode_job(text), text);
    case 2:
      return check_one(cml::decode_run(text), text);
    case 3:
      return check_one(cml::decode_key_check(text), text);
    case 4:
      return check_list(cml::decode_projects(text), text, "projects");
    case 5:
      return check_list(cml::decode_jobs(text), text, "jobs");
    default:
      return check_list(cml::decode_runs(text), text, "job_runs");
  }
}

}  // namespace cmlrec::fuzz
