#include "daemon/setup.hpp"

#include <cctype>
#include <cstdlib>
#include <iterator>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "daemon/exit_code.hpp"

namespace cmlrec::daemon {

config::environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

std::optional<config::settings> read_settings(const command_line& line) {
  auto loaded = config::load_settings(line.flags, line.settings_file, process_environment());
  for (const auto& w : loaded.warnings) std::cerr << "warning: " << config::to_string(w) << '\n';
  for (const auto& e : loaded.errors) std::cerr << "error: " << config::to_string(e) << '\n';
  if (!loaded.errors.empty()) return std::nullopt;
  return std::move(loaded.values);
}

config::loaded read_file(const command_line& line, const config::settings& s) {
  config::load_context context;
  context.env = process_environment();
  // CML_PROJECT_NAME only stands in where the file names no project; --project chooses among them.
  const bool chosen = line.flags.contains("project") || !context.env("CML_PROJECT_NAME");
  if (!s.project.empty() && chosen) context.project_name = s.project;
  return config::load(s.config_path, context);
}

bool report_findings(const config::loaded& loaded) {
  for (const auto& w : loaded.warnings) std::cerr << "warning: " << config::to_string(w) << '\n';
  for (const auto& e : loaded.errors) std::cerr << "error: " << config::to_string(e) << '\n';
  if (loaded.errors.size() > 1) std::cerr << loaded.errors.size() << " errors\n";
  return loaded.errors.empty();
}

listen_address parse_listen(const std::string& listen) {
  listen_address out{"127.0.0.1", 0};
  const auto colon = listen.rfind(':');
  const auto bad = [&] {
    return std::runtime_error("--listen '" + listen +
                              "' is not an address; expected ADDRESS:PORT, such as 127.0.0.1:9464");
  };
  if (colon == std::string::npos) throw bad();
  auto host = listen.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (!host.empty()) out.host = host;
  try {
    std::size_t used = 0;
    const auto port = std::stoul(listen.substr(colon + 1), &used);
    if (used != listen.size() - colon - 1 || port > 65535) throw bad();
    out.port = static_cast<std::uint16_t>(port);
  } catch (const std::logic_error&) {
    throw bad();
  }
  return out;
}

plan::policy policy_of(const config::settings& s) {
  plan::policy p;
  p.interval = s.interval;
  p.runs_refresh = s.runs_refresh;
  p.write_settle = s.write_settle;
  p.clone_settle = s.clone_settle;
  p.child_start_grace = s.child_start_grace;
  p.scheduling_deadline = s.scheduling_deadline;
  p.overdue_margin = s.overdue_margin;
  p.verify_deadline = s.verify_deadline;
  p.stop_overdue = s.stop_overdue;
  p.max_runs_per_hour = s.max_runs_per_hour;
  return p;
}

api_setup http_options_of(const config::settings& s, const std::string& version) {
  api_setup out;
  if (s.host.empty()) {
    out.code = bad_input;
    out.message = "no workspace is named; set CML_HOST, for example "
                  "CML_HOST=https://ml-1234.example.cloudera.site";
    return out;
  }
  std::string why;
  const auto url = config::normalise_host(s.host, why);
  if (!url) {
    out.code = bad_input;
    out.message = "CML_HOST is not usable: " + why;
    return out;
  }
  cml::http_options o;
  o.base_url = *url;
  o.api_key = s.api_key;
  o.reread_key = [path = s.api_key_file] {
    const auto process = process_environment();
    const config::environment where = [&](std::string_view name) -> std::optional<std::string> {
      if (path.empty()) return process(name);
      return name == "CML_API_KEY_FILE" ? std::optional<std::string>{path} : std::nullopt;
    };
    std::string file;
    std::string reason;
    return config::read_api_key(where, file, reason);
  };
  o.ca_file = s.ca_file;
  o.proxy = s.proxy;
  o.no_proxy = s.no_proxy;
  o.max_in_flight = s.max_in_flight;
  o.requests_per_second = s.requests_per_second;
  o.user_agent = "cml-reconciler/" + version;
  out.options = std::move(o);
  if (s.api_key.empty()) {
    out.code = refused;
    out.message = s.api_key_problem;
  }
  return out;
}

core::secret read_token(const std::string& path) {
  if (path.empty()) return core::secret{};
  std::ifstream in(path);
  if (!in)
    throw std::runtime_error("the token file '" + path +
                             "' cannot be read; mend it or leave --token-file out");
  std::string token((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back()))) token.pop_back();
  if (token.empty()) throw std::runtime_error("the token file '" + path + "' is empty");
  return core::secret{token};
}

}  // namespace cmlrec::daemon
