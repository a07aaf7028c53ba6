// The simulator's own paths under /-/: the ledger, faults to order, people, and time.
#include "simulator/schema.hpp"
#include "simulator/service.hpp"

#include <cmath>

namespace cmlrec::simulator {
namespace {

constexpr double longest_advance_seconds = 31 * 86'400.0;

json::object object_in(const json::object& body, std::string_view name) {
  const auto* value = body.if_contains(name);
  return value && value->is_object() ? value->get_object() : json::object();
}

json::object time_of(timestamp now, double speed) {
  return {{"now", core::format_timestamp(now)}, {"speed", speed}};
}

}  // namespace

reply service::control(const request& r) {
  const std::string_view path = std::string_view(r.target).substr(0, r.target.find('?'));
  if (path == "/-/faults" && r.method == "DELETE") {
    faults_.clear();
    return json_reply(200, json::object{{"waiting", faults_.waiting()}});
  }
  if (r.method == "GET") return control_get(path);
  if (r.method != "POST") return error_reply({405, 12, "Method Not Allowed"});
  boost::system::error_code ec;
  const auto parsed = r.body.empty() ? json::value(json::object()) : json::parse(r.body, ec);
  if (ec || !parsed.is_object()) return error_reply(invalid("the body is not a JSON object"));
  return control_post(path, parsed.get_object());
}

reply service::control_get(std::string_view path) {
  if (path == "/-/health") return json_reply(200, json::object{{"status", "ok"}});
  if (path == "/-/ledger") return json_reply(200, ledger_.report());
  if (path == "/-/time") return json_reply(200, time_of(clock_.now(), clock_.speed()));
  if (path == "/-/faults") return json_reply(200, json::object{{"waiting", faults_.waiting()}});
  return error_reply(
      not_found("the API is under /api/v2/; the simulator's own paths are /-/health, /-/ledger, "
                "/-/ledger/reset, /-/time, /-/faults, /-/edit, /-/run, /-/stop, /-/delete-job"));
}

reply service::control_post(std::string_view path, const json::object& body) {
  auto result = [&]() -> answer<json::object> {
    if (path == "/-/ledger/reset") {
      ledger_.reset();
      return json::object();
    }
    if (path == "/-/time") return advance_clock(body);
    if (path.starts_with("/-/")) return act(path.substr(3), body);
    return not_found("the API is under /api/v2/");
  }();
  return result ? json_reply(200, *result) : error_reply(result.error());
}

answer<json::object> service::advance_clock(const json::object& body) {
  const auto* by = body.if_contains("advance_seconds");
  if (!by || !by->is_number()) return invalid("advance_seconds must be a number");
  const auto seconds = by->to_number<double>();
  if (!(seconds >= 0 && seconds <= longest_advance_seconds))
    return invalid("advance_seconds must be between 0 and 2678400 (31 days)");
  clock_.advance(duration{std::llround(seconds * 1000)});
  advance();
  return time_of(clock_.now(), clock_.speed());
}

answer<json::object> service::act(std::string_view what, const json::object& arguments) {
  const auto project = text_in(arguments, "project");
  const auto job = text_in(arguments, "job");
  if (what == "faults") {
    const auto rates = arguments.if_contains("random");
    const auto problem = rates && rates->is_string() ? faults_.set_rates(rates->get_string())
                                                     : faults_.order(arguments);
    if (problem) return invalid(*problem);
    return json::object{{"waiting", faults_.waiting()}};
  }
  if (what == "edit") return workspace_.edit_by_hand(project, job, object_in(arguments, "fields"));
  if (what == "stop") return workspace_.stop_by_hand(project, job);
  if (what == "delete-job") return workspace_.delete_by_hand(project, job);
  if (what == "run") {
    json::object body;
    if (arguments.contains("environment"))
      body["environment"] = object_in(arguments, "environment");
    if (arguments.contains("arguments")) body["arguments"] = text_in(arguments, "arguments");
    return workspace_.run_by_hand(project, job, body);
  }
  return not_found("there is no action '" + std::string(what) +
                   "'; known are edit, run, stop, delete-job, faults");
}

}  // namespace cmlrec::simulator
