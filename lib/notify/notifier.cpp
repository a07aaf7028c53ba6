#include "notify/notifier.hpp"

#include "notify/outgoing.hpp"
#include "notify/text.hpp"
#include "notify/told_file.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

namespace cmlrec::notify {
namespace {

namespace asio = boost::asio;
using reconcile::severity;

constexpr core::duration look_every = std::chrono::seconds{1};
constexpr core::duration one_attempt = std::chrono::seconds{15};
constexpr std::size_t longest_url = 8192;

// One webhook.
struct outlet {
  explicit outlet(config::notify_target t) : target(std::move(t)) {}
  config::notify_target target;
  std::string name;  // for the log: "webhook 2 (https://hooks.example.com)", nothing of its path
  outgoing queue;
  std::unique_ptr<core::alarm> wake;
  asio::cancellation_signal cancel;
  bool ended = false;
  bool in_trouble = false;  // the newest attempt failed: it was told
};

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// Where it goes, or what is wrong, without showing any of it.
core::secret url_of(const config::notify_target& target, std::string& why) {
  if (!target.url.empty()) return target.url;
  std::ifstream in(target.url_file, std::ios::binary);
  std::string text(longest_url, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
  text = trimmed(text);
  if (text.empty()) {
    why = "the file '" + target.url_file + "' cannot be read or is empty; put the URL into it";
    return {};
  }
  if (const auto wrong = config::check_webhook_url(text)) {
    why = "in the file '" + target.url_file + "': " + *wrong;
    return {};
  }
  return core::secret(text);
}

}  // namespace

class notifier::impl : public std::enable_shared_from_this<impl> {
 public:
  impl(asio::any_io_executor executor, core::clock& clock, cml::poster& over,
       telemetry::telemetry& telemetry, options o)
      : executor_(std::move(executor)),
        clock_(clock),
        over_(over),
        telemetry_(telemetry),
        options_(std::move(o)),
        file_(options_.state_dir),
        news_(options_.when, file_.load()),
        look_(clock.make_alarm()) {
    set(options_.targets, options_.when);
  }

  void set(std::vector<config::notify_target> targets, rules when) {
    news_.set_rules(when);
    std::vector<std::shared_ptr<outlet>> kept;
    int number = 0;
    for (auto& target : targets) {
      ++number;
      const auto found = std::find_if(outlets_.begin(), outlets_.end(),
                                      [&](const auto& o) { return o->target == target; });
      std::shared_ptr<outlet> one;
      if (found != outlets_.end()) {
        one = *found;
        outlets_.erase(found);
      } else {
        one = std::make_shared<outlet>(std::move(target));
        one->wake = clock_.make_alarm();
        if (running_) start(one);
      }
      one->name = "webhook " + std::to_string(number);
      kept.push_back(std::move(one));
    }
    const auto gone = std::exchange(outlets_, std::move(kept));
    for (const auto& one : gone) end(*one);
    tell_length();
  }

  void refused(const std::string& why) {
    if (outlets_.empty()) return;
    news_.refused(why, now());
    look_->ring();
  }

  asio::awaitable<void> run() {
    running_ = true;
    for (const auto& one : outlets_) start(one);
    while (!stopped_) {
      look();
      const auto until = clock_.now() + look_every;
      co_await look_->wait_until(until);
    }
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    look_->ring();
    for (const auto& one : outlets_) end(*one);
  }

 private:
  moment now() const { return {clock_.now(), clock_.wall()}; }

  void look() {
    // Who has nobody to tell keeps no account of what was told.
    if (outlets_.empty()) return;
    const auto at = now();
    const auto& reports = telemetry_.reports();
    for (const auto& [name, report] : reports) news_.see(name, report.state, report.reasons, at);
    for (const auto& name : seen_)
      if (!reports.contains(name)) news_.forget(name);
    seen_.clear();
    for (const auto& [name, report] : reports) seen_.insert(name);
    for (const auto& n : news_.take(at)) put(n);
  }

  void put(const notice& n) {
    int takers = 0;
    for (const auto& one : outlets_) takers += one->target.events.contains(n.event) ? 1 : 0;
    left_[n.number] = takers;
    if (takers == 0) settle(n.number, 0);
    for (const auto& one : outlets_) {
      if (!one->target.events.contains(n.event)) continue;
      message m;
      m.number = n.number;
      m.event = n.event;
      m.body = body_of(n, one->target, options_.workspace);
      m.since = clock_.now();
      if (const auto lost = one->queue.put(std::move(m))) {
        drop(*one, *lost, "its queue is full: the oldest message is dropped");
      }
      one->wake->ring();
    }
    tell_length();
  }

  void drop(outlet& from, std::uint64_t number, const std::string& why) {
    telemetry_.on_notification("dropped");
    tell(severity::warning, "notify.dropped", from.name + ": " + why);
    settle(number, 1);
  }

  void settle(std::uint64_t number, int by) {
    const auto found = left_.find(number);
    if (found == left_.end()) return;
    found->second -= by;
    if (found->second > 0) return;
    left_.erase(found);
    news_.settle(number);
    std::string why;
    if (file_.save(news_.settled(), why) || why == file_trouble_) return;
    file_trouble_ = why;
    tell(severity::warning, "notify.not_saved",
         why + "; what was told may be told again after a restart");
  }

  void start(const std::shared_ptr<outlet>& one) {
    auto task = work(shared_from_this(), one);
    asio::co_spawn(executor_, std::move(task),
                   asio::bind_cancellation_slot(one->cancel.slot(),
                                                [executor = executor_, one](std::exception_ptr e) {
                                                  // The signal hands its emission on through the
                                                  // loop: it must outlive what is queued there.
                                                  asio::post(executor, [one] {});
                                                  if (e) std::rethrow_exception(e);
                                                }));
  }

  void end(outlet& one) {
    one.ended = true;
    one.cancel.emit(asio::cancellation_type::terminal);
    one.wake->ring();
    // What was not delivered when the process ends is no loss: the next one finds it untold.
    if (stopped_) return;
    while (!one.queue.empty()) {
      const auto number = one.queue.begin().number;
      reply given_up;
      given_up.status = 410;
      one.queue.judge(given_up, clock_.now(), 0);
      drop(one, number, "it was taken out of the settings: its message is dropped");
    }
  }

  // `self` keeps what the frame uses alive.
  static asio::awaitable<void> work(std::shared_ptr<impl> self, std::shared_ptr<outlet> one) {
    while (!one->ended) {
      const auto at = self->clock_.now();
      if (one->queue.empty()) {
        co_await one->wake->wait_until(at + std::chrono::hours{1});
        continue;
      }
      // A new message must not shorten the wait of the one that failed.
      if (one->queue.next_try() > at) {
        co_await one->wake->wait_until(one->queue.next_try());
        continue;
      }
      const message m = one->queue.begin();
      std::string why;
      const auto url = url_of(one->target, why);
      reply came;
      if (why.empty()) {
        auto body = m.body;
        const auto deadline = at + one_attempt;
        auto answer = co_await self->over_.post(url, std::move(body), deadline);
        if (one->ended) co_return;
        if (answer) {
          came.status = answer->status;
          came.retry_after = answer->retry_after;
          why = "it answers " + std::to_string(answer->status);
          if (answer->status >= 300 && answer->status < 400)
            why += "; redirects are not followed: give the URL that it leads to";
        } else {
          why = answer.error().message;
        }
      }
      self->judge(*one, m, came, why);
    }
  }

  void judge(outlet& one, const message& m, const reply& came, const std::string& why) {
    const auto at = clock_.now();
    const auto v = one.queue.judge(came, at, options_.random());
    if (v == verdict::again) {
      // The first failure is told, and the end; those between are for whoever looks closely.
      tell(one.in_trouble ? severity::debug : severity::warning, "notify.retry",
           one.name + " did not take '" + m.event + "': " + why + "; again in " +
               core::format_duration(one.queue.next_try() - at));
      one.in_trouble = true;
      return;
    }
    one.in_trouble = v == verdict::failed;
    telemetry_.on_notification(v == verdict::delivered ? "delivered" : "failed");
    if (v == verdict::delivered)
      tell(severity::info, "notify.delivered", one.name + " has taken '" + m.event + "'");
    else
      tell(severity::error, "notify.failed",
           one.name + " has not taken '" + m.event + "', which is given up: " + why);
    settle(m.number, 1);
    tell_length();
  }

  void tell_length() {
    std::size_t all = 0;
    for (const auto& one : outlets_) all += one->queue.size();
    telemetry_.on_notify_queue(all);
  }

  void tell(severity level, const std::string& name, const std::string& text) {
    telemetry_.on_event({clock_.wall(), level, name, "", "", text});
  }

  asio::any_io_executor executor_;
  core::clock& clock_;
  cml::poster& over_;
  telemetry::telemetry& telemetry_;
  options options_;
  told_file file_;
  std::string file_trouble_;
  news news_;
  std::unique_ptr<core::alarm> look_;
  std::vector<std::shared_ptr<outlet>> outlets_;
  std::set<std::string> seen_;
  std::map<std::uint64_t, int> left_;  // webhooks that a notice still waits for
  bool running_ = false;
  bool stopped_ = false;
};

notifier::notifier(asio::any_io_executor executor, core::clock& clock, cml::poster& over,
                   telemetry::telemetry& told, options o)
    : impl_(std::make_shared<impl>(std::move(executor), clock, over, told, std::move(o))) {}
notifier::~notifier() { impl_->stop(); }
void notifier::set(std::vector<config::notify_target> targets, rules when) {
  impl_->set(std::move(targets), when);
}
void notifier::reload_refused(const std::string& why) { impl_->refused(why); }
asio::awaitable<void> notifier::run() { return impl_->run(); }
void notifier::stop() { impl_->stop(); }

}  // namespace cmlrec::notify
