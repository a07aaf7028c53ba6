// The injected clock: one of the two seams (with cml::api) that let the whole of reconcile/ run on
// virtual time. An alarm is a wait with a deadline that can be ended early from the same thread.
#pragma once

#include <memory>

#include <boost/asio/awaitable.hpp>

#include "core/time.hpp"

namespace cmlrec::core {

class alarm {
 public:
  virtual ~alarm() = default;
  // Waits until `until`; true when that has come, false when ring() ended it. A ring() that came
  // while nobody waited ends the next wait at once. One waiter at a time.
  virtual boost::asio::awaitable<bool> wait_until(instant until) = 0;
  virtual void ring() = 0;
};

class clock {
 public:
  virtual ~clock() = default;
  virtual instant now() const = 0;     // steady
  virtual timestamp wall() const = 0;  // this machine's calendar; CML's own is api::server_time()
  virtual std::unique_ptr<alarm> make_alarm() = 0;
};

}  // namespace cmlrec::core
