// Sends the news: looks at how the projects stand once a second, and keeps one queue and one worker
// per webhook, so that one that hangs holds up nobody.
#pragma once

#include "cml/http_post.hpp"
#include "config/notify.hpp"
#include "core/clock.hpp"
#include "notify/news.hpp"
#include "telemetry/telemetry.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace cmlrec::notify {

struct options {
  std::vector<config::notify_target> targets;
  rules when;
  std::string workspace;           // "https://ml.example.com": told with each message
  std::string state_dir;           // empty: nothing outlives the process
  std::function<double()> random;  // [0, 1)
};

class notifier {
 public:
  // All references must outlive it.
  notifier(boost::asio::any_io_executor executor, core::clock& clock, cml::poster& over,
           telemetry::telemetry& told, options o);
  ~notifier();
  notifier(const notifier&) = delete;
  notifier& operator=(const notifier&) = delete;

  // After a reload. A webhook that stays keeps its queue.
  void set(std::vector<config::notify_target> targets, rules when);
  void reload_refused(const std::string& why);
  // Until stop(). What is under way then is abandoned.
  boost::asio::awaitable<void> run();
  void stop();

 private:
  class impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace cmlrec::notify
