// What the status page is told while it is open: GET /v1/stream, server-sent events. Stands between
// the loop and telemetry, and passes everything on.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/clock.hpp"
#include "http/server.hpp"
#include "reconcile/observer.hpp"
#include "telemetry/telemetry.hpp"

namespace cmlrec::daemon {

class live_view final : public reconcile::observer {
 public:
  // All references must outlive it.
  live_view(telemetry::telemetry& next, core::clock& clock, std::string version);

  // A new stream: how everything stands, the newest events (or, by Last-Event-ID, those that the
  // client has missed), and from then on what changes. 503 where there are too many.
  http::response open(const http::request& q);
  // Why the newest file was refused; empty: it is in force.
  void set_config_error(const std::string& why);
  // Sends what has changed, until end().
  boost::asio::awaitable<void> run();
  void end();

  void on_event(const reconcile::event& e) override;
  void on_pass(const std::string& project, reconcile::pass_result result,
               core::duration took) override;
  void on_write(const reconcile::write_record& w) override;
  void on_report(const plan::project_report& report) override;
  void on_removed(const std::string& project) override;
  void on_reload(bool ok, const std::string& message) override;

 private:
  std::vector<std::shared_ptr<http::live_body>> viewers();
  std::string hello() const;
  std::string events_after(const std::string& last_id) const;
  std::string events_between(std::uint64_t after, std::uint64_t last) const;
  void send();

  telemetry::telemetry& next_;
  core::clock& clock_;
  std::string version_;
  std::string config_error_;
  std::string life_;  // tells the ids of this process's events from those of another
  std::unique_ptr<core::alarm> news_;
  std::vector<std::weak_ptr<http::live_body>> streams_;
  std::uint64_t sent_to_ = 0;       // every stream has the events up to this number
  std::set<std::string> changed_;   // projects
  bool hello_changed_ = false;
  bool ended_ = false;
};

}  // namespace cmlrec::daemon
