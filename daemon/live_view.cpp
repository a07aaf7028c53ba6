#include "daemon/live_view.hpp"

#include <algorithm>
#include <cstdlib>

#include <boost/json.hpp>

#include "telemetry/text.hpp"

namespace cmlrec::daemon {
namespace {

namespace json = boost::json;

constexpr std::size_t most_streams = 32;
constexpr std::size_t first_events = 100;
constexpr core::duration least_gap = std::chrono::milliseconds{250};
// Telling takes no more than a tenth of the loop's time.
constexpr int gap_per_work = 10;
// A reader that is so far behind begins anew, with how things stand then.
constexpr std::size_t most_pending = 32 * 1024 * 1024;

std::string message(const char* kind, const std::string& data) {
  return std::string("event: ") + kind + "\ndata: " + data + "\n\n";
}

}  // namespace

live_view::live_view(telemetry::telemetry& next, core::clock& clock, std::string version)
    : next_(next),
      clock_(clock),
      version_(std::move(version)),
      life_(std::to_string(clock.wall().time_since_epoch().count())),
      news_(clock.make_alarm()) {}

http::response live_view::open(const http::request& q) {
  if (viewers().size() >= most_streams)
    return http::problem(503, std::to_string(most_streams) +
                                  " are looking already; close a page, or ask /v1/status");
  auto live = std::make_shared<http::live_body>();
  live->news = clock_.make_alarm();
  live->pending = "retry: 2000\n\n" + hello();
  for (const auto& [name, report] : next_.reports())
    live->pending += message("status", telemetry::project_json(report));
  live->pending += events_after(q.last_event_id);
  streams_.push_back(live);
  http::response r;
  r.content_type = "text/event-stream";
  r.headers = {{"X-Accel-Buffering", "no"}};  // proxies on the way hold nothing back
  r.live = std::move(live);
  return r;
}

void live_view::set_config_error(const std::string& why) {
  hello_changed_ = hello_changed_ || why != config_error_;
  config_error_ = why;
  news_->ring();
}

boost::asio::awaitable<void> live_view::run() {
  while (!ended_) {
    const auto idle = clock_.now() + std::chrono::hours{1};
    co_await news_->wait_until(idle);
    if (ended_) co_return;
    const auto began = clock_.now();
    send();
    const auto took = clock_.now() - began;
    const auto pause = clock_.now() + std::max(least_gap, took * gap_per_work);
    for (bool over = false; !over && !ended_;) over = co_await news_->wait_until(pause);
    if (!changed_.empty() || hello_changed_ || sent_to_ < next_.events_told()) news_->ring();
  }
}

void live_view::end() {
  ended_ = true;
  news_->ring();
  for (const auto& live : viewers()) {
    live->over = true;
    live->news->ring();
  }
}

void live_view::on_event(const reconcile::event& e) {
  next_.on_event(e);
  news_->ring();
}

void live_view::on_pass(const std::string& project, reconcile::pass_result result,
                        core::duration took) {
  next_.on_pass(project, result, took);
}

void live_view::on_write(const reconcile::write_record& w) { next_.on_write(w); }

void live_view::on_report(const plan::project_report& report) {
  if (!next_.reports().contains(report.name)) hello_changed_ = true;
  next_.on_report(report);
  changed_.insert(report.name);
  news_->ring();
}

void live_view::on_removed(const std::string& project) {
  next_.on_removed(project);
  changed_.erase(project);
  hello_changed_ = true;
  news_->ring();
}

void live_view::on_reload(bool ok, const std::string& text) { next_.on_reload(ok, text); }

std::vector<std::shared_ptr<http::live_body>> live_view::viewers() {
  std::vector<std::shared_ptr<http::live_body>> out;
  std::erase_if(streams_, [&](const auto& weak) {
    auto live = weak.lock();
    const bool gone = !live || live->over;
    if (!gone) out.push_back(std::move(live));
    return gone;
  });
  return out;
}

std::string live_view::hello() const {
  json::object o;
  o["version"] = version_;
  o["config_error"] = config_error_.empty() ? json::value(nullptr) : json::value(telemetry::valid_utf8(config_error_));
  auto& names = o["projects"].emplace_array();
  for (const auto& [name, report] : next_.reports()) names.emplace_back(telemetry::valid_utf8(name));
  return message("hello", json::serialize(o));
}

std::string live_view::events_after(const std::string& last_id) const {
  std::uint64_t after = sent_to_ > first_events ? sent_to_ - first_events : 0;
  if (last_id.starts_with(life_ + "-"))
    after = std::strtoull(last_id.c_str() + life_.size() + 1, nullptr, 10);
  // What is still to be sent to all goes to the new one with the others.
  return events_between(after, sent_to_);
}

std::string live_view::events_between(std::uint64_t after, std::uint64_t last) const {
  const auto& kept = next_.events();
  auto id = next_.events_told() - kept.size();
  std::string out;
  for (const auto& e : kept) {
    ++id;
    if (id > after && id <= last)
      out += "id: " + life_ + "-" + std::to_string(id) + "\n" +
             message("event", telemetry::event_json(e));
  }
  return out;
}

void live_view::send() {
  const auto all = viewers();
  std::string text;
  if (!all.empty()) {
    if (hello_changed_) text += hello();
    for (const auto& name : changed_)
      if (const auto found = next_.reports().find(name); found != next_.reports().end())
        text += message("status", telemetry::project_json(found->second));
    text += events_between(sent_to_, next_.events_told());
  }
  sent_to_ = next_.events_told();
  changed_.clear();
  hello_changed_ = false;
  for (const auto& live : all) {
    live->pending += text;
    if (live->pending.size() > most_pending) live->over = true;
    live->news->ring();
  }
}

}  // namespace cmlrec::daemon
