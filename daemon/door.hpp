// The daemon's own HTTP: what each path answers, and what is told of those who are turned away.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "daemon/live_view.hpp"
#include "http/server.hpp"
#include "reconcile/reconciler.hpp"
#include "telemetry/telemetry.hpp"

namespace cmlrec::daemon {

// Why the file that is on the disk is not, or not wholly, the one in force.
struct file_standing {
  std::string refused_because;              // empty: the last file was taken
  std::vector<std::string> restart_needed;  // settings that differ from those of the start
};

// What the door needs of the rest. The references outlive it.
struct door_parts {
  telemetry::telemetry& telemetry;
  live_view& view;
  core::clock& clock;
  std::string version;
  std::function<reconcile::reconciler*()> loop;  // null until it is made
  std::function<core::timestamp()> server_time;  // CML's
  std::function<const file_standing&()> standing;
  std::function<bool()> is_stopping;
  std::function<std::string(const std::string& by)> reload;  // empty, or why it was refused
  std::function<void(const std::string& by)> reconcile_now;
};

class door {
 public:
  explicit door(door_parts parts);
  // Their handlers refer to this object.
  std::vector<http::route> routes();
  // Somebody who guesses tokens must not fill the log: told at most every 10 s.
  void refused(const std::string& peer, const std::string& path, int status);

 private:
  http::response readiness(const http::request& q) const;
  http::response control(const http::request& q, const std::string& what);
  http::response reload(const http::request& q);
  http::response reconcile(const http::request& q);
  std::function<http::response(const http::request&)> told(
      std::function<http::response(const http::request&)> handle);

  door_parts with_;
  int refusals_ = 0;  // since the last line about them
  std::optional<core::instant> refusal_told_;
};

}  // namespace cmlrec::daemon
