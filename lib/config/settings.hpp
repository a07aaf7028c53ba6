// The daemon's own settings. Each is a row in one table: a flag, an environment variable and a key
// of the settings file, with that precedence, then the default.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "config/notify.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"

namespace cmlrec::config {

struct settings {
  std::string config_path = "jobs_config.yaml";
  std::string project;  // empty: the file's, CML_PROJECT_NAME, "ray-cluster"

  std::string host;          // as given; empty: missing
  core::secret api_key;      // as found at start; empty: missing
  std::string api_key_file;  // where it can be read again; empty: it came from a variable
  std::string api_key_problem;  // why api_key is empty; a key that is missing may still come
  std::string ca_file;       // PEM bundle beside the system's
  std::string proxy;         // HTTPS_PROXY / https_proxy: "http://[user:password@]host:port"
  std::string no_proxy;      // NO_PROXY / no_proxy, comma-separated

  std::string listen = "127.0.0.1:9464";
  std::string control_socket;  // empty: none
  std::string control_group;   // empty: root and the daemon's own user alone
  std::string token_file;  // empty: control endpoints answer 403 with how to enable them
  std::string state_dir;   // empty: none
  bool watch_config = false;  // a changed file is taken without SIGHUP
  core::duration interval = std::chrono::seconds{60};
  core::duration runs_refresh = std::chrono::minutes{10};  // 0: never
  int max_in_flight = 8;
  double requests_per_second = 20;  // to CML; 0: no limit
  core::duration call_timeout = std::chrono::seconds{60};  // of one call, all its attempts included
  core::duration write_settle = std::chrono::seconds{35};
  core::duration clone_settle = std::chrono::minutes{2};
  core::duration child_start_grace = std::chrono::seconds{60};
  core::duration scheduling_deadline = std::chrono::minutes{10};
  core::duration overdue_margin = std::chrono::minutes{5};
  bool stop_overdue = false;
  int max_runs_per_hour = 6;
  core::duration verify_deadline = std::chrono::minutes{15};
  core::duration apply_timeout = std::chrono::hours{3};  // of `apply` as a whole
  bool force_rebuild = false;  // FORCE_REBUILD: true, 1, yes
  std::string log_level = "info";     // of log_levels.hpp
  std::string log_format = "logfmt";  // logfmt, json
  std::string audit_file;             // empty: none
  std::vector<notify_target> notify;  // of the settings file; notify_targets() has all
  std::string notify_url_file;        // one webhook more, in the simplest form; empty: none
  std::string notify_format = "json";
  core::duration notify_after = std::chrono::seconds{30};
  core::duration notify_unreachable_after = std::chrono::minutes{5};
  core::duration notify_repeat = std::chrono::hours{1};
};

std::vector<notify_target> notify_targets(const settings& s);

// One row of the table, for the command line, the help text and the documents.
struct setting {
  std::string_view name;      // key of the settings file, and "--name" with dashes
  std::string_view variable;  // environment variable; empty: none
  std::string_view value;     // what is expected: "DURATION", "PATH", "NUMBER", "" for a flag
  std::string_view help;
  std::string default_text;
  std::vector<std::string> choices;  // the only values; empty: others decide
};
std::span<const setting> setting_table();

struct loaded_settings {
  settings values;
  std::vector<finding> errors;  // a finding's file is "--flag", "$VARIABLE" or the settings file
  std::vector<finding> warnings;
};

// `flags`: name of the setting -> text of the command line ("" or "true" for a bare flag).
// `settings_file`: path, or empty.
loaded_settings load_settings(const std::map<std::string, std::string>& flags,
                              const std::string& settings_file, const environment& env);

// CML_HOST with or without scheme and trailing slash -> "https://host[:port]"; http is taken only
// where it says so, and then for loopback alone. Nothing, with the reason in `why`, where refused.
std::optional<std::string> normalise_host(std::string_view host, std::string& why);

// The key, in this order: CML_API_KEY, CML_API_KEY_FILE, the systemd credential cml_api_key
// ($CREDENTIALS_DIRECTORY/cml_api_key). White space around it is dropped.
core::secret read_api_key(const environment& env, std::string& file, std::string& why);

}  // namespace cmlrec::config
