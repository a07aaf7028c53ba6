#include "daemon/door.hpp"

#include <utility>

#include "daemon/control.hpp"
#include "daemon/page.hpp"

namespace cmlrec::daemon {
namespace {

using reconcile::severity;

constexpr core::duration refusals_told_every = std::chrono::seconds{10};
constexpr const char* stops = "the daemon is stopping; ask the next one";

http::response answer(std::string body, const char* type = "application/json") {
  http::response r;
  r.content_type = type;
  r.body = std::move(body);
  return r;
}

}  // namespace

door::door(door_parts parts) : with_(std::move(parts)) {}

std::vector<http::route> door::routes() {
  std::vector<http::route> out;
  const auto open = [&](const char* path, auto handle) {
    out.push_back({"GET", path, false, std::move(handle)});
  };
  const auto guarded = [&](const std::string& path, auto handle) {
    out.push_back({"POST", path, true, std::move(handle)});
  };
  open("/healthz", [](const http::request&) { return answer("ok\n", "text/plain; charset=utf-8"); });
  open("/readyz", [this](const http::request& q) { return readiness(q); });
  open("/metrics", [this](const http::request&) {
    return answer(with_.telemetry.metrics_text(), "text/plain; version=0.0.4; charset=utf-8");
  });
  open("/v1/status", [this](const http::request&) {
    const auto& file = with_.standing();
    return answer(telemetry::status_json(with_.telemetry.reports(), with_.version,
                                         file.refused_because, file.restart_needed));
  });
  open("/v1/events", [this](const http::request&) {
    return answer(telemetry::events_json(with_.telemetry.events()));
  });
  open("/v1/stream", [this](const http::request& q) { return with_.view.open(q); });
  for (auto& r : page_routes()) out.push_back(std::move(r));
  for (const char* what : {"force", "retry", "suspend", "resume"})
    guarded(std::string("/v1/") + what, [this, what = std::string(what)](const http::request& q) {
      return control(q, what);
    });
  guarded("/-/reload", [this](const http::request& q) { return reload(q); });
  guarded("/-/reconcile", [this](const http::request& q) { return reconcile(q); });
  for (auto& route : out) route.handler = told(std::move(route.handler));
  return out;
}

// Who asks the daemon for what, where the log is to say so: --log-level info,http=debug.
std::function<http::response(const http::request&)> door::told(
    std::function<http::response(const http::request&)> handle) {
  return [this, handle = std::move(handle)](const http::request& q) {
    auto response = handle(q);
    if (with_.telemetry.logs(severity::debug, "http.request"))
      with_.telemetry.log(severity::debug, "http.request", q.method + " " + q.path,
                          {{"peer", q.peer}, {"status", std::to_string(response.status)}});
    return response;
  };
}

http::response door::control(const http::request& q, const std::string& what) {
  auto* loop = with_.loop();
  if (with_.is_stopping() || loop == nullptr) return http::problem(503, stops);
  control_parts parts{*loop, with_.view, with_.telemetry, with_.server_time,
                      [this] { return with_.clock.wall(); }};
  return daemon::control(parts, what, q);
}

http::response door::reload(const http::request& q) {
  if (with_.is_stopping()) return http::problem(503, stops);
  const auto why = with_.reload("asked for by " + who(q));
  if (!why.empty())
    return http::problem(
        422, "the new file is refused whole and the old one stays in force: " + why);
  return answer("{\"reloaded\":true,\"message\":\"the file was reread\"}\n");
}

http::response door::reconcile(const http::request& q) {
  if (with_.is_stopping()) return http::problem(503, stops);
  with_.reconcile_now("asked for by " + who(q));
  auto r = answer("{\"accepted\":true,\"message\":\"a pass begins now\"}\n");
  r.status = 202;
  return r;
}

http::response door::readiness(const http::request& q) const {
  const auto* loop = with_.loop();
  const bool passed = loop != nullptr && loop->first_pass_done();
  const bool reached = loop != nullptr && loop->reachable();
  const bool stays = !with_.is_stopping();
  const bool ready = passed && reached && stays;
  http::response r;
  r.status = ready ? 200 : 503;
  const auto line = [](const char* name, bool ok) {
    return std::string(ok ? "[+] " : "[-] ") + name + (ok ? " ok\n" : " not ok\n");
  };
  if (q.query.rfind("verbose", 0) == 0 || !ready)
    r.body = line("first-pass", passed) + line("cml-reachable", reached) +
             line("not-stopping", stays);
  r.body += ready ? "ready\n" : "not ready\n";
  return r;
}

void door::refused(const std::string& peer, const std::string& path, int status) {
  ++refusals_;
  const auto now = with_.clock.now();
  if (refusal_told_ && now - *refusal_told_ < refusals_told_every) return;
  refusal_told_ = now;
  with_.view.on_event(
      {with_.clock.wall(), severity::warning, "control.refused", "", "",
       peer + (path.empty() ? "" : " asked for " + path) + " and was refused (" +
           std::to_string(status) + ")" +
           (refusals_ > 1 ? "; " + std::to_string(refusals_) + " refusals since the last line"
                          : "")});
  refusals_ = 0;
}

}  // namespace cmlrec::daemon
