#include "daemon/api_document.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "plan/report.hpp"

namespace cmlrec::daemon {
namespace {

namespace json = boost::json;

struct answer {
  int status;
  const char* content_type;
  const char* schema;  // empty: text
  const char* when;
};

struct endpoint {
  const char* method;
  const char* path;
  bool guarded;  // needs the token, or the control socket
  const char* summary;
  const char* body;  // schema of the request; empty: none
  std::vector<answer> answers;
};

constexpr const char* text_type = "text/plain";
constexpr const char* json_type = "application/json";
constexpr const char* problem_type = "application/problem+json";

std::vector<endpoint> make_endpoints() {
  std::vector<endpoint> out = {
      {"GET", "/healthz", false, "Whether the daemon lives: its event loop answers.", "",
       {{200, text_type, "", "it lives"}}},
      {"GET", "/readyz", false,
       "Whether the first pass over all projects is done and CML can be reached. With `?verbose`, or "
       "where it is not so, each check is listed.",
       "",
       {{200, text_type, "", "ready"}, {503, text_type, "", "not ready"}}},
      {"GET", "/metrics", false, "Metrics for Prometheus.", "",
       {{200, "text/plain; version=0.0.4", "", "the metrics"}}},
      {"GET", "/v1/status", false,
       "How projects and jobs stand, why, and what comes next. Every member is always there; what is "
       "not known is null.",
       "",
       {{200, json_type, "Status", "as of the newest pass of each project"}}},
      {"GET", "/v1/events", false, "The newest 1,000 events, oldest first.", "",
       {{200, json_type, "Events", "the events"}}},
      {"GET", "/v1/stream", false,
       "Server-sent events for whoever looks: `hello` (version, config_error, the names of the projects), "
       "`status` (a Project, when it has changed), `event` (an Event). How everything stands comes first; "
       "with Last-Event-ID the events that were missed. At most 32 at a time.",
       "",
       {{200, "text/event-stream", "", "until the client goes"},
        {503, problem_type, "Problem", "too many are looking"}}},
      {"GET", "/", false, "The status page, for people.", "", {{200, "text/html", "", "the page"}}},
      {"POST", "/v1/force", true,
       "Lets a job and all below it, or all jobs of a project, run once more.", "Demand",
       {{200, json_type, "DemandTaken", "taken, and in the journal where there is one"},
        {409, problem_type, "Problem", "it is suspended, or only watched"}}},
      {"POST", "/v1/retry", true,
       "Gives what has failed, or was stopped, its attempts anew. What is well is left as it is.",
       "Demand",
       {{200, json_type, "DemandTaken", "taken; `jobs` is empty where nothing had failed"},
        {409, problem_type, "Problem", "it is suspended, or only watched"}}},
      {"POST", "/v1/suspend", true,
       "Leaves a job, or a project, alone: it is watched and not changed. Of what a pass has planned and "
       "not sent yet, nothing is sent any more; a run that is active goes on.",
       "SuspendDemand",
       {{200, json_type, "DemandTaken", "suspended"}}},
      {"POST", "/v1/resume", true, "Ends that; of a project, for all of its jobs.", "Demand",
       {{200, json_type, "DemandTaken", "resumed"},
        {409, problem_type, "Problem", "it is the file that suspends it"}}},
      {"POST", "/-/reload", true, "Rereads the file and the settings, like SIGHUP.", "",
       {{200, json_type, "Reloaded", "the new file is in force"},
        {422, problem_type, "Problem", "it is refused whole, and the old one stays in force"}}},
      {"POST", "/-/reconcile", true, "Begins a pass now, like SIGUSR1.", "",
       {{202, json_type, "Accepted", "it begins"}}},
  };
  for (auto& e : out) {
    if (!e.guarded) continue;
    if (*e.body != '\0') {
      e.answers.push_back({400, problem_type, "Problem", "the body is not JSON"});
      e.answers.push_back({404, problem_type, "Problem", "the file has no such project or job"});
      e.answers.push_back({422, problem_type, "Problem", "a member is unknown or of a wrong form"});
    }
    e.answers.push_back({401, problem_type, "Problem", "no token, or a wrong one"});
    e.answers.push_back({403, problem_type, "Problem", "the daemon has no token"});
    e.answers.push_back({503, problem_type, "Problem", "the daemon is stopping"});
    std::sort(e.answers.begin(), e.answers.end(),
              [](const answer& a, const answer& b) { return a.status < b.status; });
  }
  return out;
}

std::string lower_case(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

struct member {
  const char* name;
  json::value schema;
  bool required = true;
};

json::object of_type(const char* type, const char* about) {
  return {{"type", type}, {"description", about}};
}
json::object maybe(const char* type, const char* about) {
  return {{"type", json::array{type, "null"}}, {"description", about}};
}
json::object time(const char* about) {
  return {{"type", json::array{"string", "null"}}, {"format", "date-time"}, {"description", about}};
}
json::object reference(const char* schema) {
  return {{"$ref", std::string("#/components/schemas/") + schema}};
}
json::object reference_or_null(const char* schema, const char* about) {
  return {{"anyOf", json::array{reference(schema), json::object{{"type", "null"}}}},
          {"description", about}};
}
json::object list_of(json::object item, const char* about) {
  return {{"type", "array"}, {"items", std::move(item)}, {"description", about}};
}
json::object texts(const char* about) { return list_of({{"type", "string"}}, about); }

template <class State>
json::object one_of(std::initializer_list<State> states, const char* about) {
  json::array words;
  for (const auto s : states) words.emplace_back(plan::to_string(s));
  return {{"type", "string"}, {"enum", std::move(words)}, {"description", about}};
}

json::object object_of(const char* about, std::vector<member> members) {
  json::object properties;
  json::array required;
  for (auto& m : members) {
    if (m.required) required.emplace_back(m.name);
    properties[m.name] = std::move(m.schema);
  }
  return {{"type", "object"},
          {"description", about},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

json::object job_states() {
  using s = plan::job_state;
  return one_of({s::unknown, s::missing, s::up_to_date, s::watched, s::pending, s::queued, s::running,
                 s::overdue, s::waiting, s::backing_off, s::failed, s::blocked, s::stopped,
                 s::suspended, s::ambiguous, s::guarded},
                "how the job stands");
}

json::object project_states() {
  using s = plan::project_state;
  return one_of({s::converged, s::progressing, s::degraded, s::suspended, s::unreachable},
                "how the project stands");
}

std::vector<std::pair<const char*, json::object>> make_schemas() {
  std::vector<std::pair<const char*, json::object>> out;
  out.emplace_back(
      "Status",
      object_of("All projects.",
                {{"version", of_type("string", "of the daemon")},
                 {"config_error", maybe("string", "why the newest file was refused")},
                 {"restart_needed", texts("settings of the newest file that act at the next start")},
                 {"projects", list_of(reference("Project"), "by name")}}));
  out.emplace_back(
      "Project",
      object_of("One project.",
                {{"name", of_type("string", "in the file")},
                 {"id", maybe("string", "in CML")},
                 {"state", project_states()},
                 {"in_sync", of_type("boolean", "definitions are as in the file")},
                 {"healthy", of_type("boolean", "every job has run as the file asks")},
                 {"reachable", of_type("boolean", "CML answers")},
                 {"reasons", texts("why it is not Converged")},
                 {"activity", maybe("string", "the one thing that is waited for")},
                 {"differences", list_of(reference("Difference"), "of the project itself")},
                 {"orphans", texts("jobs in CML that the file does not have, by name")},
                 {"ambiguous_ids", texts("of objects that share a name")},
                 {"observed_at", time("of the newest whole pass, by CML's clock")},
                 {"jobs", list_of(reference("Job"), "in the order of the file")}}));
  out.emplace_back(
      "Job", object_of("One job.",
                       {{"key", of_type("string", "in the file")},
                        {"name", of_type("string", "in CML")},
                        {"id", maybe("string", "in CML")},
                        {"parent", maybe("string", "key of the job that runs before it")},
                        {"description", maybe("string", "of the file")},
                        {"state", job_states()},
                        {"reason", maybe("string", "why, in a sentence")},
                        {"differences", list_of(reference("Difference"), "from the file")},
                        {"active_run", reference_or_null("Run", "the one that is active")},
                        {"last_run", reference_or_null("Run", "the newest that has ended")},
                        {"recent_runs", list_of(reference("Run"), "the newest five, newest first")},
                        {"last_success", time("when the newest success ended")},
                        {"attempts", of_type("integer", "failed ones that count")},
                        {"max_attempts", of_type("integer", "so many are made")},
                        {"running_for_seconds", maybe("integer", "of the active run")},
                        {"timeout_seconds", maybe("integer", "of a run")},
                        {"next_action", maybe("string", "what comes next")},
                        {"next_at", time("and when, by CML's clock")}}));
  out.emplace_back("Run",
                   object_of("One run of a job.",
                             {{"id", of_type("string", "in CML")},
                              {"status", maybe("string", "CML's word")},
                              {"state", of_type("string", "the daemon's word for it")},
                              {"creator", maybe("string", "who started it")},
                              {"created_at", time("by CML's clock")},
                              {"running_at", time("by CML's clock")},
                              {"finished_at", time("by CML's clock")},
                              {"duration_seconds", maybe("integer", "of one that has ended")}}));
  out.emplace_back("Difference",
                   object_of("A field that is not as in the file.",
                             {{"field", of_type("string", "its name in the file")},
                              {"live", of_type("string", "in CML; secrets are masked")},
                              {"desired", of_type("string", "in the file; secrets are masked")},
                              {"unappliable", of_type("boolean", "CML does not take it")},
                              {"note", maybe("string", "why it cannot be applied")}}));
  out.emplace_back("Events", object_of("What has happened.",
                                       {{"events", list_of(reference("Event"), "oldest first")}}));
  out.emplace_back("Event", object_of("One event, as in the log.",
                                      {{"at", time("by the daemon's clock")},
                                       {"level", of_type("string", "debug, info, warning or error")},
                                       {"event", of_type("string", "its name")},
                                       {"project", maybe("string", "which it is about")},
                                       {"job", maybe("string", "its key")},
                                       {"message", of_type("string", "in words")}}));
  const member project = {"project", of_type("string", "name; may be left out where the file has one"),
                          false};
  const member job = {"job", of_type("string", "key; left out: all of the project"), false};
  out.emplace_back("Demand", object_of("Which project and job are meant.", {project, job}));
  out.emplace_back(
      "SuspendDemand",
      object_of("Which project and job are meant, and for how long.",
                {project, job,
                 {"for", of_type("string", "30m, 2h, 3d; left out: until resumed"), false}}));
  out.emplace_back(
      "DemandTaken",
      object_of("What was taken.",
                {{"project", of_type("string", "its name")},
                 {"jobs", texts("keys of those that it is about")},
                 {"until", time("the end of a suspension, by CML's clock"), false},
                 {"outlives_restart", of_type("boolean", "there is a journal that it is in")},
                 {"message", of_type("string", "in words")}}));
  out.emplace_back("Reloaded", object_of("The file was reread.",
                                         {{"reloaded", of_type("boolean", "true")},
                                          {"message", of_type("string", "in words")}}));
  out.emplace_back("Accepted", object_of("It begins.", {{"accepted", of_type("boolean", "true")},
                                                        {"message", of_type("string", "in words")}}));
  out.emplace_back("Problem", object_of("What is wrong, and what to do (RFC 9457).",
                                        {{"type", of_type("string", "about:blank")},
                                         {"title", of_type("string", "of the status")},
                                         {"status", of_type("integer", "of the answer")},
                                         {"detail", of_type("string", "in words")}}));
  return out;
}

void indent(std::string& out, const json::value& v, std::size_t depth) {
  const auto line = [&](std::size_t at) { out += "\n" + std::string(2 * at, ' '); };
  if (const auto* o = v.if_object(); o != nullptr && !o->empty()) {
    out += "{";
    const char* between = "";
    for (const auto& [key, item] : *o) {
      out += between;
      line(depth + 1);
      out += json::serialize(key) + ": ";
      indent(out, item, depth + 1);
      between = ",";
    }
    line(depth);
    out += "}";
  } else if (const auto* a = v.if_array(); a != nullptr && !a->empty() && a->front().is_object()) {
    out += "[";
    const char* between = "";
    for (const auto& item : *a) {
      out += between;
      line(depth + 1);
      indent(out, item, depth + 1);
      between = ",";
    }
    line(depth);
    out += "]";
  } else {
    out += json::serialize(v);
  }
}

json::object content(const char* type, const char* schema) {
  json::object shape;
  if (*schema != '\0')
    shape["schema"] = reference(schema);
  else
    shape["schema"] = json::object{{"type", "string"}};
  return {{type, std::move(shape)}};
}

json::object operation(const endpoint& e) {
  json::object out{{"summary", e.summary}};
  if (e.guarded) out["security"] = json::array{json::object{{"token", json::array{}}}};
  if (*e.body != '\0')
    out["requestBody"] = json::object{{"content", content(json_type, e.body)}};
  auto& responses = out["responses"].emplace_object();
  for (const auto& a : e.answers)
    responses[std::to_string(a.status)] =
        json::object{{"description", a.when}, {"content", content(a.content_type, a.schema)}};
  return out;
}

std::string type_words(const json::object& schema) {
  const auto name_of = [](const json::object& s) -> std::string {
    if (const auto* ref = s.if_contains("$ref")) {
      const std::string path(ref->get_string());
      return path.substr(path.rfind('/') + 1);
    }
    const auto* type = s.if_contains("type");
    return type != nullptr && type->is_string() ? std::string(type->get_string()) : std::string();
  };
  if (const auto* any = schema.if_contains("anyOf"))
    return name_of(any->get_array().front().get_object()) + " or null";
  if (const auto* type = schema.if_contains("type"); type != nullptr && type->is_array())
    return std::string(type->get_array().front().get_string()) + " or null";
  if (const auto* items = schema.if_contains("items"))
    return "list of " + name_of(items->get_object());
  return name_of(schema);
}

}  // namespace

std::string openapi_document(const std::string& version) {
  json::object all{{"openapi", "3.1.0"}};
  all["info"] = json::object{
      {"title", "cml-reconciler"},
      {"version", version},
      {"description", "The HTTP API of the running daemon. Made by `cml-reconciler generate openapi`."}};
  auto& paths = all["paths"].emplace_object();
  for (const auto& e : make_endpoints()) {
    paths[e.path] = json::object{{lower_case(e.method), operation(e)}};
  }
  json::object schemas;
  for (auto& [name, schema] : make_schemas()) schemas[name] = std::move(schema);
  all["components"] = json::object{
      {"securitySchemes",
       json::object{{"token", json::object{{"type", "http"},
                                           {"scheme", "bearer"},
                                           {"description",
                                            "What the daemon's --token-file holds. Over its control "
                                            "socket none is needed."}}}}},
      {"schemas", std::move(schemas)}};
  std::string out;
  indent(out, all, 0);
  return out + "\n";
}

std::string api_page(const std::string&) {
  std::string out =
      "# The daemon's HTTP API\n\n"
      "This page is generated: `cml-reconciler generate api > docs/api.md`; `docs/openapi.json` is the "
      "same\nfor programs. What needs the token (`--token-file`, sent as `Authorization: Bearer TOKEN`) "
      "needs none\nover the control socket (`--control-socket`), where the kernel says who asks:\n\n"
      "    curl --unix-socket /run/cml-reconciler/control.sock -d '{\"job\": \"git_sync\"}' "
      "http://localhost/v1/force\n\n"
      "Errors are `application/problem+json`; `detail` says what is wrong and what to do. A request has "
      "at\nmost 8 KiB of header and 64 KiB of body and arrives within 10 s.\n";
  for (const auto& e : make_endpoints()) {
    out += std::string("\n## ") + e.method + " " + e.path + "\n\n" + e.summary +
           (e.guarded ? " Needs the token." : "") + "\n\n";
    if (*e.body != '\0') out += std::string("Body: [") + e.body + "](#" + lower_case(e.body) + "), or nothing.\n\n";
    out += "| Status | Body | When |\n|---|---|---|\n";
    for (const auto& a : e.answers)
      out += "| " + std::to_string(a.status) + " | " +
             (*a.schema != '\0' ? std::string("[") + a.schema + "](#" + lower_case(a.schema) + ")" : "text") +
             " | " + a.when + " |\n";
  }
  for (const auto& [name, schema] : make_schemas()) {
    out += std::string("\n## ") + name + "\n\n" + std::string(schema.at("description").get_string()) +
           "\n\n| Member | Type | Meaning |\n|---|---|---|\n";
    for (const auto& [member, shape] : schema.at("properties").get_object()) {
      const auto& o = shape.get_object();
      const auto* about = o.if_contains("description");
      std::string meaning = about != nullptr ? std::string(about->get_string()) : "";
      if (const auto* words = o.if_contains("enum")) {
        meaning += ":";
        for (const auto& w : words->get_array()) meaning += " `" + std::string(w.get_string()) + "`";
      }
      out += "| `" + std::string(member) + "` | " + type_words(o) + " | " + meaning + " |\n";
    }
  }
  return out;
}

}  // namespace cmlrec::daemon
