#include "config/settings_table.hpp"

#include "config/log_levels.hpp"
#include "config/scalars.hpp"

#include <algorithm>
#include <deque>

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

namespace cmlrec::config {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using problem = std::optional<std::string>;

problem refuse(const std::string& found, const std::string& expected) {
  return "'" + found + "' is wrong; expected " + expected;
}

// As the settings file would have it: "60s" becomes "1m", and nothing is rounded.
std::string short_duration(core::duration d) {
  const auto ms = d.count();
  if (ms == 0) return "0";
  if (ms % 3'600'000 == 0) return std::to_string(ms / 3'600'000) + "h";
  if (ms % 60'000 == 0) return std::to_string(ms / 60'000) + "m";
  if (ms % 1000 == 0) return std::to_string(ms / 1000) + "s";
  return std::to_string(ms) + "ms";
}

// Builds the rows; the defaults are those of a settings object that nobody has touched.
class table_builder {
 public:
  std::vector<setting_row> take() { return std::move(rows_); }

  setting_row& text(std::string settings::*member, std::string_view name, std::string_view value,
                    std::string_view help) {
    return add(name, value, help, defaults_.*member, [member](settings& s, const std::string& t) {
      s.*member = t;
      return problem();
    });
  }

  setting_row& choice(std::string settings::*member, std::string_view name,
                      std::vector<std::string> values, std::string_view help) {
    std::string list;
    for (std::size_t i = 0; i < values.size(); ++i)
      list += (i == 0 ? "" : i + 1 == values.size() ? " or " : ", ") + values[i];
    auto& row = add(name, "WORD", help, defaults_.*member,
                    [member, values, list](settings& s, const std::string& t) {
                      if (std::find(values.begin(), values.end(), t) == values.end())
                        return refuse(t, list);
                      s.*member = t;
                      return problem();
                    });
    row.shown.choices = std::move(values);
    return row;
  }

  setting_row& length(core::duration settings::*member, std::string_view name, core::duration low,
                      core::duration high, std::string_view help) {
    return add(name, "DURATION", help, short_duration(defaults_.*member),
               [=](settings& s, const std::string& t) {
                 const auto d = core::parse_duration(t);
                 if (!d || *d < low || *d > high)
                   return refuse(t, "a duration such as 30s or 5m from " + short_duration(low) +
                                        " to " + short_duration(high));
                 s.*member = *d;
                 return problem();
               });
  }

  setting_row& whole(int settings::*member, std::string_view name, int low, int high,
                     std::string_view help) {
    return add(name, "NUMBER", help, std::to_string(defaults_.*member),
               [=](settings& s, const std::string& t) {
                 const auto i = parse_integer(t);
                 if (!i || *i < low || *i > high)
                   return refuse(t, "a whole number from " + std::to_string(low) + " to " +
                                        std::to_string(high));
                 s.*member = static_cast<int>(*i);
                 return problem();
               });
  }

  setting_row& number(double settings::*member, std::string_view name, double low, double high,
                      std::string_view help) {
    return add(name, "NUMBER", help, format_number(defaults_.*member),
               [=](settings& s, const std::string& t) {
                 const auto d = parse_number(t);
                 if (!d || *d < low || *d > high)
                   return refuse(
                       t, "a number from " + format_number(low) + " to " + format_number(high));
                 s.*member = *d;
                 return problem();
               });
  }

  setting_row& flag(bool settings::*member, std::string_view name, std::string_view help) {
    return add(name, "", help, defaults_.*member ? "true" : "false",
               [member](settings& s, const std::string& t) {
                 const auto b = t.empty() ? false : parse_boolean(t);
                 if (!b) return refuse(t, "true, yes, on, 1, or false, no, off, 0");
                 s.*member = *b;
                 return problem();
               });
  }

 private:
  setting_row& add(std::string_view name, std::string_view value, std::string_view help,
                   std::string default_text,
                   std::function<problem(settings&, const std::string&)> store) {
    // The table lives as long as the program, and with it the names of the variables.
    static std::deque<std::string> variables;
    std::string& variable = variables.emplace_back("CML_RECONCILER_");
    for (const char c : name)
      variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return rows_.emplace_back(
        setting_row{
        {name, variable, value, help, std::move(default_text), {}}, {}, std::move(store)});
  }

  const settings defaults_{};
  std::vector<setting_row> rows_;
};

bool is_port(std::string_view text) {
  const auto port = parse_integer(text);
  return port && *port >= 0 && *port <= 65535;
}

problem store_listen(settings& s, const std::string& t) {
  const auto colon = t.rfind(':');
  const std::string_view host =
      colon == std::string::npos ? "" : std::string_view(t).substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const bool good = !host.empty() && (bracketed || host.find_first_of("[]:/ ") == host.npos);
  if (!good || !is_port(std::string_view(t).substr(colon + 1)))
    return refuse(t, "ADDRESS:PORT, such as 127.0.0.1:9464 or [::1]:9464");
  s.listen = t;
  return {};
}

problem store_host(settings& s, const std::string& t) {
  std::string why;
  if (!normalise_host(t, why)) return why;
  s.host = t;
  return {};
}

problem store_log_level(settings& s, const std::string& t) {
  std::string why;
  if (!parse_log_levels(t, why)) return why;
  s.log_level = t;
  return {};
}

// The text is never repeated: it may hold a password.
problem store_proxy(settings& s, const std::string& t) {
  const std::string whole = t.find("://") == std::string::npos ? "http://" + t : t;
  const auto parsed = boost::urls::parse_uri(whole);
  if (!parsed || parsed->scheme() != "http" || parsed->host().empty() ||
      (!parsed->encoded_path().empty() && parsed->encoded_path() != "/") || parsed->has_query() ||
      (parsed->has_port() && (!is_port(std::string(parsed->port())) || parsed->port() == "0")))
    return "this is no proxy that can be used; expected http://[USER:PASSWORD@]HOST:PORT";
  s.proxy = "http://" +
            std::string(parsed->encoded_authority().data(), parsed->encoded_authority().size());
  if (!parsed->has_port()) s.proxy += ":80";
  return {};
}

std::vector<setting_row> make_rows() {
  table_builder t;
  using s = settings;
  const auto variable = [](setting_row& row, std::string_view name, std::string_view other = {}) {
    row.shown.variable = name;
    row.other_variable = other;
  };
  t.text(&s::config_path, "config", "PATH",
         "The file of projects and jobs, or a directory of such.");
  variable(t.text(&s::project, "project", "NAME",
                  "The project: the name where the file gives none, else the one to take."),
           "CML_PROJECT_NAME");
  {
    auto& row = t.text(&s::host, "host", "HOST",
                       "The workspace; https unless it says http (for loopback alone).");
    variable(row, "CML_HOST");
    row.store = store_host;
  }
  variable(t.text(&s::api_key_file, "api_key_file", "PATH",
                  "File that holds the API key. It is read again when CML refuses the key."),
           "CML_API_KEY_FILE");
  t.text(&s::ca_file, "ca_file", "PATH",
         "PEM file of certificates that are trusted beside the system's.");
  {
    auto& row = t.text(&s::proxy, "proxy", "URL", "Proxy for the way to the workspace.");
    variable(row, "HTTPS_PROXY", "https_proxy");
    row.store = store_proxy;
  }
  variable(t.text(&s::no_proxy, "no_proxy", "LIST",
                  "Hosts that are reached without the proxy, with commas between them."),
           "NO_PROXY", "no_proxy");
  t.text(&s::listen, "listen", "ADDR:PORT", "Where health, metrics and status are served.").store =
      store_listen;
  t.text(&s::token_file, "token_file", "PATH",
         "File that holds the token of the control endpoints; without it they are closed.");
  t.text(&s::control_socket, "control_socket", "PATH",
         "Unix socket of the control endpoints: whoever may open it needs no token.");
  t.text(&s::control_group, "control_group", "NAME",
         "Group whose members may open the control socket, beside root and the daemon's user.");
  t.text(&s::state_dir, "state_dir", "PATH",
         "Directory for what force, retry and suspend leave behind; without it they end with the "
         "process.");
  t.flag(&s::watch_config, "watch_config",
         "Reread the file when its content changes, without a SIGHUP.");
  t.length(&s::interval, "interval", core::duration{100}, days{1},
           "Time between two passes of a converged project.");
  t.length(&s::runs_refresh, "runs_refresh", seconds{0}, days{7},
           "Each job's runs are looked at once in this time; 0: never.");
  t.whole(&s::max_in_flight, "max_in_flight", 1, 256, "Most requests to CML at one time.");
  t.number(&s::requests_per_second, "requests_per_second", 0, 10'000,
           "Most requests to CML in a second; 0: no limit.");
  t.length(&s::call_timeout, "call_timeout", core::duration{100}, hours{1},
           "Deadline of one call to CML with all its attempts.");
  t.length(&s::write_settle, "write_settle", seconds{0}, hours{1},
           "How long a write that had no answer may still take effect.");
  t.length(&s::clone_settle, "clone_settle", seconds{0}, hours{6},
           "How long scripts may be missing after a clone has ended.");
  t.length(&s::child_start_grace, "child_start_grace", seconds{0}, hours{6},
           "How long CML may take to start a job after its parent has succeeded.");
  t.length(&s::scheduling_deadline, "scheduling_deadline", seconds{0}, days{7},
           "A run that is being scheduled for longer than this is shown as queued.");
  t.length(&s::overdue_margin, "overdue_margin", seconds{0}, days{1},
           "A run that exceeds its timeout by more than this is overdue.");
  t.flag(&s::stop_overdue, "stop_overdue", "Stop runs that are overdue.");
  t.whole(&s::max_runs_per_hour, "max_runs_per_hour", 1, 1000,
          "Most runs of one job that the daemon starts in an hour.");
  t.length(&s::verify_deadline, "verify_deadline", seconds{1}, days{1},
           "How long the checks of 'verify:' may take.");
  t.length(&s::apply_timeout, "apply_timeout", seconds{1}, days{30},
           "How long the command apply may take as a whole.");
  variable(t.flag(&s::force_rebuild, "force_rebuild",
                  "Every job is stale from now on and runs once more."),
           "FORCE_REBUILD");
  t.text(&s::log_level, "log_level", "LEVELS",
         "The least severe messages that are logged; for parts of the daemon too: info,http=debug.")
      .store = store_log_level;
  t.choice(&s::log_format, "log_format", {"logfmt", "json"}, "The form of the log's lines.");
  t.text(&s::audit_file, "audit_file", "PATH",
         "File to which a line of JSON is added for each write to CML; reopened by SIGHUP.");
  t.text(&s::notify_url_file, "notify_url_file", "PATH",
         "File that holds the URL of a webhook which is told of news; more of them by 'notify:' of "
         "the settings file.");
  t.choice(&s::notify_format, "notify_format", {"json", "slack"},
           "The form of the messages to the webhook of notify_url_file.");
  t.length(&s::notify_after, "notify_after", seconds{0}, days{1},
           "A state must have lasted this long to be news.");
  t.length(&s::notify_unreachable_after, "notify_unreachable_after", seconds{0}, days{1},
           "So long must CML have been unreachable to be news.");
  t.length(&s::notify_repeat, "notify_repeat", seconds{0}, days{30},
           "Trouble of the same kind is not told twice within this time.");
  return t.take();
}

}  // namespace

const std::vector<setting_row>& setting_rows() {
  static const std::vector<setting_row> rows = make_rows();
  return rows;
}

std::span<const setting> setting_table() {
  static const std::vector<setting> table = [] {
    std::vector<setting> out;
    for (const auto& row : setting_rows()) out.push_back(row.shown);
    return out;
  }();
  return table;
}

}  // namespace cmlrec::config
