// `run`: the daemon. Everything that it consists of is made and tied together here.
#include <csignal>
#include <exception>
#include <iostream>
#include <random>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "cml/asio_clock.hpp"
#include "daemon/commands.hpp"
#include "daemon/config_watch.hpp"
#include "daemon/door.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/live_view.hpp"
#include "daemon/prober.hpp"
#include "daemon/setup.hpp"
#include "daemon/status_line.hpp"
#include "daemon/systemd.hpp"
#include "http/server.hpp"
#include "notify/notifier.hpp"
#include "telemetry/telemetry.hpp"

namespace cmlrec::daemon {
namespace {

namespace asio = boost::asio;
using reconcile::severity;

constexpr core::duration stop_grace = std::chrono::seconds{9};
constexpr core::duration watch_every = std::chrono::seconds{1};
constexpr const char* is_stopping = "the daemon is stopping; ask the next one";

notify::rules news_rules_of(const config::settings& s) {
  return {s.notify_after, s.notify_unreachable_after, s.notify_repeat};
}

class application {
 public:
  application(const command_line& line, config::settings settings, std::string version)
      : line_(line), settings_(std::move(settings)), started_with_(settings_), version_(std::move(version)), io_(1) {}

  int run(config::desired_state desired) {
    make_parts();
    if (settings_.watch_config) reread(desired);
    taken_ = desired.version;
    loop_->set_desired(std::move(desired));
    taken_at_ = clock_->wall();
    watch_signals();
    asio::co_spawn(io_, server_->run(), rethrow());
    asio::co_spawn(io_, beat(), rethrow());
    asio::co_spawn(io_, view_->run(), rethrow());
    asio::co_spawn(io_, watch_files(), rethrow());
    asio::co_spawn(io_, notifier_->run(), rethrow());
    asio::co_spawn(io_, loop_->run(), [this](std::exception_ptr e, reconcile::outcome) {
      if (e) std::rethrow_exception(e);
      finished();
    });
    telemetry_->log(severity::info, "started", "cml-reconciler is running",
                    {{"version", version_},
                     {"config", settings_.config_path},
                     {"file", taken_},
                     {"listen", listen_host_ + ":" + std::to_string(server_->port())}});
    told_ = status_line(telemetry_->reports(), refused_, standing_.restart_needed);
    systemd::ready(told_);
    io_.run();
    return done;
  }

 private:
  void make_parts() {
    telemetry::options t;
    t.format = settings_.log_format == "json" ? telemetry::log_format::json
                                              : telemetry::log_format::logfmt;
    t.level = settings_.log_level;
    t.to_journal = systemd::logs_to_journal();
    t.version = version_;
    telemetry_ = telemetry::make_telemetry(t);
    telemetry_->set_audit_file(settings_.audit_file);
    auto setup = http_options_of(settings_, version_);
    if (!setup.options) throw fatal{setup.code, setup.message};
    // A key that is missing may come: it is looked for again at each slow probe.
    if (setup.code != 0) telemetry_->log(severity::error, "key.missing", setup.message, {});
    http::server_options h;
    const auto at = parse_listen(settings_.listen);
    h.host = at.host;
    h.port = at.port;
    listen_host_ = h.host.find(':') == std::string::npos ? h.host : "[" + h.host + "]";
    token_ = read_token(settings_.token_file);
    h.token = token_;
    h.control = {settings_.control_socket, settings_.control_group};
    h.on_refusal = [this](const std::string& peer, const std::string& path, int status) {
      door_->refused(peer, path, status);
    };
    h.on_handler_error = [this](const http::request& q, const std::string& what) {
      telemetry_->log(severity::error, "http.handler_failed", what, {{"path", q.path}});
    };
    clock_ = cml::make_asio_clock(io_.get_executor());
    view_ = std::make_unique<live_view>(*telemetry_, *clock_, version_);
    door_ = std::make_unique<door>(parts_of_door());
    server_ = http::make_server(io_.get_executor(), *clock_, h, door_->routes());
    if (!settings_.state_dir.empty())
      store_ = reconcile::open_state_directory(settings_.state_dir);
    api_ = cml::make_http_api(io_.get_executor(), *clock_, *setup.options, telemetry_.get());
    checks_ = make_prober(io_.get_executor(), *clock_, *setup.options);
    webhooks_ = cml::make_poster(io_.get_executor(), *clock_, probe_options_of(*setup.options));
    notify::options n;
    n.targets = config::notify_targets(settings_);
    n.when = news_rules_of(settings_);
    n.workspace = setup.options->base_url;
    n.state_dir = settings_.state_dir;
    n.random = [this] { return std::uniform_real_distribution<double>(0.0, 1.0)(generator_); };
    notifier_ = std::make_unique<notify::notifier>(io_.get_executor(), *clock_, *webhooks_,
                                                   *telemetry_, std::move(n));
    reconcile::options o;
    o.rules = policy_of(settings_);
    o.call_timeout = settings_.call_timeout;
    o.most_at_once = static_cast<std::size_t>(settings_.max_in_flight);
    o.force = settings_.force_rebuild;
    o.random = [this] { return std::uniform_real_distribution<double>(0.0, 1.0)(generator_); };
    loop_ = std::make_unique<reconcile::reconciler>(io_.get_executor(), *clock_, *api_, *checks_,
                                                    *view_, store_.get(), std::move(o));
    beat_ = clock_->make_alarm();
    watch_alarm_ = clock_->make_alarm();
    stop_alarm_ = clock_->make_alarm();
  }

  door_parts parts_of_door() {
    return {*telemetry_,
            *view_,
            *clock_,
            version_,
            [this] { return loop_.get(); },
            [this] { return api_->server_time(); },
            [this]() -> const file_standing& { return standing_; },
            [this] { return stopping_; },
            [this](const std::string& by) { return reload(by); },
            [this](const std::string& by) { reconcile_now(by); }};
  }

  // Empty, or why the new file was refused; the old state stays then.
  std::string reload(const std::string& by) {
    if (stopping_) {
      note("config.not_read", severity::warning, "nothing is reread, " + by + ": " + is_stopping);
      return is_stopping;
    }
    systemd::reloading();
    // Whatever becomes of the rest: log rotation has taken the old file away.
    telemetry_->set_audit_file(settings_.audit_file);
    const auto read_settings = [this] {
      return config::load_settings(line_.flags, line_.settings_file, process_environment());
    };
    auto settings = read_settings();
    // Before the reading that counts: what is written after this moment is seen as a change. The
    // settings may name another file than before.
    files_.set_paths(config_paths(settings.errors.empty() ? settings.values : settings_));
    watch_.taken(files_.now());
    settings = read_settings();
    std::string why;
    for (const auto& e : settings.errors)
      why += (why.empty() ? "" : "; ") + config::to_string(e);
    auto loaded = read_file(line_, settings.errors.empty() ? settings.values : settings_);
    for (const auto& e : loaded.errors) why += (why.empty() ? "" : "; ") + config::to_string(e);
    for (const auto& w : loaded.warnings)
      telemetry_->log(severity::warning, "config.warning", config::to_string(w), {});
    if (why.empty()) {
      standing_.refused_because.clear();
      refused_.reset();
      taken_at_ = clock_->wall();
      take(std::move(settings.values));
      taken_ = loaded.state->version;
      loop_->set_desired(std::move(*loaded.state));
      server_->set_token(read_token_or_keep());
      view_->set_config_error("");
      telemetry_->on_reload(true, by);
      note("config.reloaded", severity::info,
           settings_.config_path + " was reread, " + by + " (version " + taken_ + ")");
      told_ = status_line(telemetry_->reports(), refused_, standing_.restart_needed);
      systemd::ready(told_);
      return {};
    }
    standing_.refused_because = why;
    refused_ = refused_reload{why, taken_at_};
    view_->set_config_error(why);
    telemetry_->on_reload(false, why);
    notifier_->reload_refused(why);
    note("config.refused", severity::error,
         "the new file is refused whole and the old state kept: " + why);
    told_ = status_line(telemetry_->reports(), refused_, standing_.restart_needed);
    systemd::ready(told_);
    return why;
  }

  // What can be changed while running is; the rest is told.
  void take(config::settings s) {
    standing_.restart_needed.clear();
    const auto fixed = [&](const auto& now, const auto& before, const char* name) {
      if (now == before) return;
      standing_.restart_needed.emplace_back(name);
      note("config.restart_needed", severity::warning,
           std::string(name) + " was changed; it acts at the next start");
    };
    const auto& in_effect = started_with_;
    fixed(s.listen, in_effect.listen, "listen");
    fixed(s.control_socket, in_effect.control_socket, "control_socket");
    fixed(s.control_group, in_effect.control_group, "control_group");
    fixed(s.host, in_effect.host, "CML_HOST");
    fixed(s.state_dir, in_effect.state_dir, "state_dir");
    fixed(s.ca_file, in_effect.ca_file, "ca_file");
    fixed(s.proxy, in_effect.proxy, "proxy");
    fixed(s.max_in_flight, in_effect.max_in_flight, "max_in_flight");
    fixed(s.requests_per_second, in_effect.requests_per_second, "requests_per_second");
    fixed(s.log_format, in_effect.log_format, "log_format");
    loop_->set_rules(policy_of(s), s.call_timeout);
    notifier_->set(config::notify_targets(s), news_rules_of(s));
    std::string unused;  // it was checked when it was read
    if (const auto levels = config::parse_log_levels(s.log_level, unused))
      telemetry_->set_log_levels(*levels);
    const bool moved = s.audit_file != settings_.audit_file;
    settings_ = std::move(s);
    if (moved) telemetry_->set_audit_file(settings_.audit_file);
  }

  core::secret read_token_or_keep() {
    try {
      token_ = read_token(settings_.token_file);
    } catch (const std::exception& e) {
      note("token.unreadable", severity::error, e.what());
    }
    return token_;
  }

  void reconcile_now(const std::string& by) {
    note("reconcile.requested", severity::info, "a pass now, " + by);
    loop_->reconcile_now();
  }

  void note(const std::string& name, severity level, const std::string& message) {
    view_->on_event({clock_->wall(), level, name, "", "", message});
  }

  void watch_signals() {
    signals_ = std::make_unique<asio::signal_set>(io_, SIGHUP, SIGUSR1);
    signals_->add(SIGTERM);
    signals_->add(SIGINT);
    next_signal();
  }

  void next_signal() {
    signals_->async_wait([this](const boost::system::error_code& ec, int number) {
      if (ec) return;
      if (number == SIGHUP) {
        reload("by SIGHUP");
      } else if (number == SIGUSR1) {
        reconcile_now("by SIGUSR1");
      } else if (!stopping_) {
        stop(number == SIGTERM ? "SIGTERM" : "SIGINT");
      } else {
        std::_Exit(failed);  // asked twice: at once
      }
      next_signal();
    });
  }

  void stop(const std::string& why) {
    stopping_ = true;
    systemd::stopping("stopping after the requests in flight");
    note("stopping", severity::info, "by " + why + ", after the requests in flight");
    view_->end();
    server_->stop(std::chrono::seconds{1});
    loop_->stop();
    asio::co_spawn(io_, give_up(), rethrow());
  }

  // A request that does not end is abandoned: whether it was done is looked up after the next start.
  asio::awaitable<void> give_up() {
    const auto until = clock_->now() + stop_grace;
    if (!co_await stop_alarm_->wait_until(until)) co_return;
    telemetry_->log(severity::warning, "stop.abandoned",
                    "a request to CML has not ended; it is abandoned", {});
    std::_Exit(done);
  }

  void finished() {
    telemetry_->log(severity::info, "stopped", "all is stopped", {});
    signals_->cancel();
    ended_ = true;
    notifier_->stop();
    beat_->ring();
    watch_alarm_->ring();
    stop_alarm_->ring();
    server_->stop(std::chrono::seconds{1});
  }

  // The pulse: how late the event loop is, the watchdog's ping, and the status for systemd.
  asio::awaitable<void> beat() {
    auto every = std::chrono::duration_cast<core::duration>(std::chrono::seconds{1});
    const auto watchdog = systemd::watchdog_interval();
    if (watchdog) every = std::min(every, *watchdog / 3);
    while (!ended_) {
      const auto due = clock_->now() + every;
      co_await beat_->wait_until(due);
      telemetry_->on_loop_lag(std::max(core::duration{0}, clock_->now() - due));
      if (watchdog) systemd::watchdog_ping();
      if (stopping_) continue;
      auto text = status_line(telemetry_->reports(), refused_, standing_.restart_needed);
      if (text == told_) continue;
      told_ = std::move(text);
      systemd::status(told_);
    }
  }

  // What was read before the watch began may have changed since. A file that is bad by now is left to
  // the watch, which refuses it as one that came later.
  void reread(config::desired_state& desired) {
    files_.set_paths(config_paths(settings_));
    const auto content = files_.now();
    auto loaded = read_file(line_, settings_);
    if (!loaded.state) return;
    desired = std::move(*loaded.state);
    watch_.taken(content);
  }

  // A poll, and not inotify: it sees changes on every file system and behind every kind of link, and
  // costs a stat() per file and second.
  asio::awaitable<void> watch_files() {
    while (!ended_) {
      co_await watch_alarm_->wait_until(clock_->now() + watch_every);
      if (ended_ || stopping_ || !settings_.watch_config) continue;
      files_.set_paths(config_paths(settings_));
      if (watch_.seen(files_.now(), clock_->now())) reload("because its content has changed");
    }
  }

  std::vector<std::string> config_paths(const config::settings& s) const {
    std::vector<std::string> out{s.config_path};
    if (!line_.settings_file.empty()) out.push_back(line_.settings_file);
    return out;
  }

  std::function<void(std::exception_ptr)> rethrow() {
    return [](std::exception_ptr e) {
      if (e) std::rethrow_exception(e);
    };
  }

 public:
  struct fatal {
    int code;
    std::string message;
  };

 private:
  const command_line& line_;
  config::settings settings_;
  const config::settings started_with_;  // what acts at a start alone is still as it is here
  std::string version_;
  std::optional<refused_reload> refused_;
  file_standing standing_;
  core::timestamp taken_at_{};  // when the file that is in force was read
  std::string taken_;           // its version
  std::string told_;            // to systemd
  config_watch watch_{watch_every};
  config_digest files_;
  std::string listen_host_;
  core::secret token_;
  std::mt19937_64 generator_{std::random_device{}()};
  asio::io_context io_;
  std::unique_ptr<telemetry::telemetry> telemetry_;
  std::unique_ptr<core::clock> clock_;
  std::unique_ptr<reconcile::state_store> store_;
  std::unique_ptr<cml::api> api_;
  std::unique_ptr<reconcile::prober> checks_;
  std::unique_ptr<live_view> view_;
  std::unique_ptr<cml::poster> webhooks_;
  std::unique_ptr<notify::notifier> notifier_;
  std::unique_ptr<door> door_;
  std::unique_ptr<http::server> server_;
  std::unique_ptr<reconcile::reconciler> loop_;
  std::unique_ptr<asio::signal_set> signals_;
  std::unique_ptr<core::alarm> beat_;
  std::unique_ptr<core::alarm> stop_alarm_;
  std::unique_ptr<core::alarm> watch_alarm_;
  bool stopping_ = false;
  bool ended_ = false;
};

}  // namespace

int run_daemon(const command_line& line, config::settings settings, config::desired_state desired,
               const std::string& version) {
  if (settings.force_rebuild && settings.state_dir.empty()) {
    std::cerr << "error: FORCE_REBUILD with `run` would rebuild again at every restart; give a "
                 "--state-dir, or use `apply`\n";
    return bad_input;
  }
  try {
    application app(line, std::move(settings), version);
    return app.run(std::move(desired));
  } catch (const application::fatal& f) {
    std::cerr << "error: " << f.message << '\n';
    return f.code;
  }
}

}  // namespace cmlrec::daemon
