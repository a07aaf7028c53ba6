// The commands that ask a running daemon.
#include <iostream>
#include <vector>

#include <boost/json.hpp>
#include <unistd.h>

#include "config/suggest.hpp"
#include "daemon/commands.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/local_client.hpp"
#include "daemon/setup.hpp"
#include "daemon/status_text.hpp"

namespace cmlrec::daemon {
namespace {

namespace json = boost::json;

constexpr core::duration patience = std::chrono::seconds{10};
// Where the service's unit puts it.
constexpr const char* usual_socket = "/run/cml-reconciler/control.sock";

int complain(int code, const std::string& why) {
  std::cerr << "error: " << why << '\n';
  return code;
}

local_endpoint endpoint_of(const command_line& line, const config::settings& s) {
  local_endpoint at;
  at.listen = s.listen;
  at.socket_path = s.control_socket;
  // Who says where the daemon listens means that one.
  if (at.socket_path.empty() && !line.flags.contains("listen") && ::access(usual_socket, R_OK | W_OK) == 0)
    at.socket_path = usual_socket;
  return at;
}

// A problem document's sentence, or the answer as it is.
std::string sentence_of(const local_answer& a) {
  boost::system::error_code ec;
  const auto value = json::parse(a.body, ec);
  if (!ec && value.is_object())
    if (const auto* detail = value.get_object().if_contains("detail");
        detail != nullptr && detail->is_string())
      return std::string(detail->get_string());
  return a.body.substr(0, 500);
}

int no_answer(const local_answer& a) {
  return complain(unreachable, "no daemon answers at " + a.where + ": " + a.trouble +
                                   "; start one with `cml-reconciler run`, or say where it is with "
                                   "--listen ADDR:PORT or --control-socket PATH");
}

int not_as_asked(const local_answer& a) {
  const bool no_right = a.status == 401 || a.status == 403;
  const bool wrong = a.status == 404 || a.status == 409 || a.status == 422 || a.status == 400;
  return complain(no_right ? refused : wrong ? bad_input : failed, sentence_of(a));
}

std::string text(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

std::vector<const json::object*> items(const json::object& o, std::string_view name) {
  std::vector<const json::object*> out;
  if (const auto* list = o.if_contains(name); list != nullptr && list->is_array())
    for (const auto& item : list->get_array())
      if (item.is_object()) out.push_back(&item.get_object());
  return out;
}

int show_status(const command_line& line, const std::string& project,
                const std::vector<const json::object*>& projects) {
  json::array shown;
  std::vector<std::string> names;
  std::string out;
  for (const auto* p : projects) {
    names.push_back(text(*p, "name"));
    if (!project.empty() && names.back() != project) continue;
    if (line.json)
      shown.push_back(*p);
    else
      out += (out.empty() ? "" : "\n") + status_text(*p);
  }
  if (!project.empty() && out.empty() && shown.empty())
    return complain(bad_input, "the daemon has no project '" + project + "'; " +
                                   config::suggestion(project, names));
  if (line.json)
    std::cout << json::serialize(json::object{{"projects", std::move(shown)}}) << '\n';
  else
    std::cout << (out.empty() ? "no project has been looked at yet\n" : out);
  return done;
}

int explain(const command_line& line, const std::string& project,
            const std::vector<const json::object*>& projects) {
  std::vector<std::pair<const json::object*, const json::object*>> found;
  std::vector<std::string> keys;
  for (const auto* p : projects) {
    if (!project.empty() && text(*p, "name") != project) continue;
    for (const auto* job : items(*p, "jobs")) {
      keys.push_back(text(*job, "key"));
      if (keys.back() == line.job) found.emplace_back(p, job);
    }
  }
  if (found.empty())
    return complain(bad_input, "the daemon has no job '" + line.job + "'; " +
                                   config::suggestion(line.job, keys));
  if (found.size() > 1)
    return complain(bad_input, std::to_string(found.size()) + " projects have a job '" + line.job +
                                   "': say which with --project NAME");
  const auto [p, job] = found.front();
  if (line.json)
    std::cout << json::serialize(*job) << '\n';
  else
    std::cout << explain_text(*p, *job);
  return done;
}

int read_and_show(const command_line& line, const local_endpoint& at, const std::string& project) {
  local_request q;
  q.path = "/v1/status";
  const auto answer = ask_daemon(at, q, patience);
  if (answer.status == 0) return no_answer(answer);
  if (answer.status != 200) return not_as_asked(answer);
  boost::system::error_code ec;
  const auto value = json::parse(answer.body, ec);
  if (ec || !value.is_object())
    return complain(failed, "what answers at " + answer.where + " is no cml-reconciler");
  const auto& all = value.get_object();
  if (const auto why = text(all, "config_error"); !why.empty() && !line.json)
    std::cerr << "warning: the newest file was refused, the one before it is in force: " << why << '\n';
  const auto projects = items(all, "projects");
  return line.command == "status" ? show_status(line, project, projects)
                                  : explain(line, project, projects);
}

int demand(const command_line& line, const local_endpoint& at, const config::settings& s,
           const std::string& project) {
  json::object body;
  if (!project.empty()) body["project"] = project;
  if (!line.job.empty()) body["job"] = line.job;
  if (!line.length.empty()) body["for"] = line.length;
  local_request q;
  q.method = "POST";
  const bool old_path = line.command == "reload" || line.command == "reconcile";
  q.path = (old_path ? "/-/" : "/v1/") + line.command;
  q.body = json::serialize(body);
  if (at.socket_path.empty() && !s.token_file.empty()) q.token = read_token(s.token_file);
  const auto answer = ask_daemon(at, q, patience);
  if (answer.status == 0) return no_answer(answer);
  if (answer.status != 200 && answer.status != 202) return not_as_asked(answer);
  if (line.json) {
    std::cout << answer.body;
    return done;
  }
  boost::system::error_code ec;
  const auto value = json::parse(answer.body, ec);
  std::cout << (ec || !value.is_object() ? answer.body : text(value.get_object(), "message") + "\n");
  return done;
}

}  // namespace

int ask_running_daemon(const command_line& line) {
  const auto loaded = config::load_settings(line.flags, line.settings_file, process_environment());
  if (!loaded.errors.empty()) return complain(bad_input, config::to_string(loaded.errors.front()));
  const auto& s = loaded.values;
  const auto at = endpoint_of(line, s);
  // The variable names the project for a file that has none; here only the flag means one.
  const auto given = line.flags.find("project");
  const auto project = given == line.flags.end() ? std::string() : given->second;
  if (line.command == "status" || line.command == "explain") return read_and_show(line, at, project);
  return demand(line, at, s, project);
}

}  // namespace cmlrec::daemon
