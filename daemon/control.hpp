// What operators ask of a running daemon over HTTP: force, retry, suspend and resume. Everything is
// checked against the file that is in force before the loop hears of it, and every use is an event.
#pragma once

#include <functional>
#include <string>

#include "core/time.hpp"
#include "http/server.hpp"
#include "reconcile/reconciler.hpp"
#include "telemetry/telemetry.hpp"

namespace cmlrec::daemon {

struct control_parts {
  reconcile::reconciler& loop;
  reconcile::observer& watcher;
  telemetry::telemetry& told;  // how things stand
  std::function<core::timestamp()> cml_now;  // CML's calendar
  std::function<core::timestamp()> wall;     // of events
};

// Who asks, for people: "127.0.0.1:50312, with the token".
std::string who(const http::request& q);

// The answer to POST /v1/`what`: force, retry, suspend or resume. The body is
// {"project": NAME, "job": KEY, "for": "2h"}; without a project the file's only one is meant, without
// a job all of them, and without "for" (of suspend alone) it lasts until it is resumed. Answers 200,
// or a problem with 400, 404, 409 or 422.
http::response control(control_parts& parts, const std::string& what, const http::request& q);

}  // namespace cmlrec::daemon
