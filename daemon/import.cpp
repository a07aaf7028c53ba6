// `import PROJECT`: a live project as a file, on stdout. Nothing is written to CML.
#include <algorithm>
#include <exception>
#include <iostream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "cml/asio_clock.hpp"
#include "config/load.hpp"
#include "config/project_reader.hpp"
#include "config/writer.hpp"
#include "daemon/commands.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/setup.hpp"
#include "plan/import.hpp"

namespace cmlrec::daemon {
namespace {

namespace asio = boost::asio;

struct found {
  cml::project project;
  std::vector<cml::job> jobs;
  bool namesakes = false;  // the project has to be named by its id
};

core::error not_one(const std::string& wanted, const std::vector<cml::project>& named,
                    const std::vector<cml::project>& alike) {
  core::error e;
  e.kind = core::error_kind::not_found;
  if (named.size() > 1) {
    e.message = std::to_string(named.size()) + " projects are named '" + wanted + "'; name one by its id:";
    for (const auto& p : named)
      e.message += " " + p.id + (p.owner.empty() ? "" : " (of " + p.owner + ")");
    return e;
  }
  e.message = "no project that this key can see is named '" + wanted + "'";
  std::string names;
  for (std::size_t i = 0; i < alike.size() && i < 5; ++i)
    names += (i == 0 ? "'" : ", '") + alike[i].name + "'";
  if (!names.empty()) e.message += "; there are " + names;
  return e;
}

asio::awaitable<core::result<found>> look(cml::api& api, core::clock& clock, core::duration timeout,
                                          std::string wanted) {
  const auto until = [&] { return clock.now() + timeout; };
  found out;
  auto listed = co_await api.list_projects(wanted, until());
  if (!listed) co_return listed.error();
  std::vector<cml::project> named;
  for (const auto& p : *listed)
    if (p.name == wanted) named.push_back(p);
  if (named.size() == 1) {
    out.project = named.front();
  } else if (named.empty() && config::is_project_id(wanted)) {
    auto one = co_await api.get_project(wanted, until());
    if (!one) co_return one.error();
    out.project = std::move(*one);
    auto same = co_await api.list_projects(out.project.name, until());
    if (!same) co_return same.error();
    for (const auto& p : *same)
      out.namesakes = out.namesakes || (p.name == out.project.name && p.id != out.project.id);
  } else {
    co_return not_one(wanted, named, *listed);
  }
  auto jobs = co_await api.list_jobs(out.project.id, until());
  if (!jobs) co_return jobs.error();
  out.jobs = std::move(*jobs);
  co_return out;
}

int code_of(const core::error& e) {
  switch (e.kind) {
    case core::error_kind::credentials: return refused;
    case core::error_kind::usage: return bad_input;
    case core::error_kind::not_json:
    case core::error_kind::unreachable:
    case core::error_kind::timed_out:
    case core::error_kind::throttled:
    case core::error_kind::server:
    case core::error_kind::circuit_open: return unreachable;
    default: return failed;
  }
}

// What one would be told who reads this file where its variables, and no others, are set.
std::vector<config::finding> findings_of(const config::written_file& file) {
  config::load_context context;
  context.env = [&](std::string_view name) -> std::optional<std::string> {
    const auto& known = file.variables;
    return std::find(known.begin(), known.end(), name) == known.end() ? std::nullopt
                                                                      : std::optional<std::string>("x");
  };
  return config::load_text(file.text, "the written file", context).errors;
}

}  // namespace

int import_live_project(const config::settings& s, const std::string& wanted,
                        const std::string& version) {
  auto setup = http_options_of(s, version);
  if (setup.code != 0) {
    std::cerr << "error: " << setup.message << '\n';
    return setup.code;
  }
  asio::io_context io(1);
  const auto clock = cml::make_asio_clock(io.get_executor());
  const auto api = cml::make_http_api(io.get_executor(), *clock, *setup.options, nullptr);
  std::optional<core::result<found>> answer;
  asio::co_spawn(io, look(*api, *clock, s.call_timeout, wanted),
                 [&](std::exception_ptr e, core::result<found> result) {
                   if (e) std::rethrow_exception(e);
                   answer = std::move(result);
                   io.stop();
                 });
  io.run();
  if (!*answer) {
    std::cerr << "error: " << core::describe(answer->error()) << '\n';
    return code_of(answer->error());
  }
  const auto& live = **answer;
  auto made = plan::import_project(live.project, live.jobs);
  if (live.namesakes) made.project.id = live.project.id;

  config::writing_options o;
  o.watch_only = true;
  o.about = made.about;
  o.head = {"The project '" + live.project.name + "' as it was in CML at " +
                core::format_timestamp(clock->wall()) + ".",
            "CML does not say where the repository is: for a new workspace, add git_url to the project."};
  for (const auto& sentence : made.left_out) o.head.push_back("Left out: " + sentence + ".");
  auto file = config::write_project(made.project, o);
  if (!file.variables.empty()) {
    o.head.emplace_back("Values that look secret are not here; each ${NAME} is a variable to set.");
    file = config::write_project(made.project, o);
  }
  std::cout << file.text << std::flush;

  for (const auto& sentence : made.left_out) std::cerr << "warning: left out: " << sentence << '\n';
  for (const auto& name : file.variables)
    std::cerr << "note: set the variable " << name << " where the file is read: its value looks secret\n";
  const auto errors = findings_of(file);
  for (const auto& e : errors) std::cerr << "error: " << config::to_string(e) << '\n';
  if (!errors.empty()) std::cerr << "CML holds what a file cannot say; mend these places by hand\n";
  return errors.empty() ? done : failed;
}

}  // namespace cmlrec::daemon
