#include "simulator/service.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace cmlrec::simulator {
namespace {

constexpr const char* login_page =
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form method=\"post\" "
    "action=\"/login\"><input name=\"username\"><input name=\"password\" type=\"password\">"
    "</form></body></html>";

reply html_reply(int status) {
  reply r;
  r.status = status;
  r.body = login_page;
  r.content_type = "text/html; charset=utf-8";
  if (status == 302) r.headers.emplace_back("Location", "/login");
  return r;
}

reply dropped(delivery how) {
  reply r;
  r.how = how;
  return r;
}

}  // namespace

service::service(rules r, std::string key, virtual_clock& clock, fault_source faults)
    : clock_(clock),
      workspace_(std::move(r), clock.now(), &ledger_),
      api_(workspace_, ledger_, std::move(key)),
      faults_(std::move(faults)),
      started_(clock.now()) {}

std::optional<std::string> service::add_initial(const json::object& state) {
  return workspace_.add_initial(state);
}

void service::schedule(std::vector<timed_action> actions) {
  for (auto& a : actions) actions_.emplace_back(started_ + a.after, std::move(a));
  std::stable_sort(actions_.begin(), actions_.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
}

void service::advance() {
  const auto now = clock_.now();
  while (true) {
    const auto late = std::min_element(
        late_.begin(), late_.end(),
        [](const late_operation& a, const late_operation& b) { return a.at < b.at; });
    const bool late_due = late != late_.end() && late->at <= now;
    const bool action_due = !actions_.empty() && actions_.front().first <= now;
    if (!late_due && !action_due) break;
    if (late_due && (!action_due || late->at <= actions_.front().first)) {
      const auto operation = std::move(*late);
      late_.erase(late);
      workspace_.advance_to(operation.at);
      api_.answer_to(operation.where, operation.what);
      unsaved_ = true;
    } else {
      const auto [at, action] = std::move(actions_.front());
      actions_.erase(actions_.begin());
      workspace_.advance_to(at);
      unsaved_ = true;
      if (const auto done = act(action.what, action.arguments); !done)
        std::fprintf(stderr, "cml-simulator: scripted action %s: %s\n", action.what.c_str(),
                     done.error().message.c_str());
    }
  }
  workspace_.advance_to(now);
}

reply service::handle(const request& r) {
  advance();
  if (r.method != "GET" && r.method != "HEAD") unsaved_ = true;
  auto out = is_api(r.target) ? handle_api(r) : control(r);
  if (unsaved_)
    if (const auto problem = save_state())
      std::fprintf(stderr, "cml-simulator: %s\n", problem->c_str());
  return out;
}

reply service::handle_api(const request& r) {
  const auto at = find_route(r.method, r.target);
  if (at.operation.empty()) {
    ledger_.count_call("unknown", false);
    ledger_.count_rejected();
    if (!at.known_path) return error_reply(not_found("Not Found"));
    return error_reply({405, 12, "Method Not Allowed"});
  }
  ledger_.count_call(at.operation, at.is_write);
  auto out = [&]() -> reply {
    if (auto problem = api_.check_key(r)) return error_reply(*problem);
    if (!at.project_id.empty() && workspace_.loses_call(at.project_id))
      return dropped(delivery::close);
    if (const auto f = faults_.next(at.operation, at.is_write)) {
      ledger_.count_fault(to_string(f->kind));
      return with_fault(at, r, *f);
    }
    return api_.answer_to(at, r);
  }();
  if (out.status >= 400 && out.status < 500) ledger_.count_rejected();
  return out;
}

reply service::with_fault(const route& at, const request& r, const fault& f) {
  reply done;
  if (is_done_first(f.kind)) done = api_.answer_to(at, r);
  const auto gave_up = internal_error("failed to forward request: context deadline exceeded");
  switch (f.kind) {
    case fault_kind::lost_before:
    case fault_kind::lost_after:
      return dropped(delivery::close);
    case fault_kind::reset:
      return dropped(delivery::reset);
    case fault_kind::late_commit:
      if (at.is_write) late_.push_back({clock_.now() + f.delay, at, r});
      return error_reply(gave_up);
    case fault_kind::error_after:
      return error_reply(gave_up);
    case fault_kind::server_error:
      return error_reply(internal_error("internal server error"));
    case fault_kind::bad_gateway:
      return error_reply({502, 14, "bad gateway"});
    case fault_kind::unavailable:
      return error_reply({503, 14, "service unavailable"});
    case fault_kind::gateway_timeout:
      return error_reply({504, 4, "upstream request timeout"});
    case fault_kind::throttled: {
      auto out = error_reply({429, 8, "too many requests"});
      out.headers.emplace_back("Retry-After", std::to_string(f.retry_after));
      return out;
    }
    case fault_kind::throttled_bare:
      return error_reply({429, 8, "too many requests"});
    case fault_kind::out_of_quota:
      return error_reply({409, 6, "out of quota: CPU request limit reached"});
    case fault_kind::unauthorized:
      return error_reply(unauthenticated("invalid apikey"));
    case fault_kind::malformed_key:
      return error_reply(internal_error("malformed apikey"));
    case fault_kind::html:
      return html_reply(200);
    case fault_kind::html_redirect:
      return html_reply(302);
    case fault_kind::garbage: {
      reply out;
      out.body = "{\"jobs\":[{\"id\":\"";
      return out;
    }
    case fault_kind::truncated:
      done.how = delivery::truncate;
      return done;
    case fault_kind::hang:
    case fault_kind::hang_after:
      return dropped(delivery::hang);
  }
  return done;
}

std::optional<std::string> service::use_state_file(const std::string& path, bool& fresh) {
  state_path_ = path;
  fresh = true;
  std::ifstream in(path, std::ios::binary);
  if (in) {
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    boost::system::error_code ec;
    const auto parsed = json::parse(text, ec);
    if (ec || !parsed.is_object())
      return "state file " + path + " is not JSON; remove it to start with an empty workspace";
    if (const auto problem = workspace_.load(parsed.get_object()))
      return "state file " + path + ": " + *problem +
             "; remove it to start with an empty workspace";
    // A fast clock may have left the real time behind; stamps must not lie in the future.
    if (workspace_.now() > clock_.now()) clock_.start_at(workspace_.now());
    started_ = clock_.now();
    fresh = false;
  }
  return save_state();
}

std::optional<std::string> service::save_state() {
  if (state_path_.empty()) return std::nullopt;
  const auto temporary = state_path_ + ".new";
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out << json::serialize(workspace_.save());
    out.flush();
    if (!out) return "cannot write " + temporary + "; give --state a writable place";
  }
  if (std::rename(temporary.c_str(), state_path_.c_str()) != 0)
    return "cannot rename " + temporary + " to " + state_path_;
  unsaved_ = false;
  return std::nullopt;
}

}  // namespace cmlrec::simulator
