// At most so many at a time, first come first served.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace cmlrec::cml {

class places : public std::enable_shared_from_this<places> {
 public:
  // Given back when it goes out of scope.
  class place {
   public:
    explicit place(std::shared_ptr<places> of) : of_(std::move(of)) {}
    place(place&&) = default;
    place& operator=(place&&) = delete;
    ~place() {
      if (of_) of_->give_back();
    }

   private:
    std::shared_ptr<places> of_;
  };

  places(boost::asio::any_io_executor executor, int most)
      : executor_(std::move(executor)), free_(most) {}

  // Nothing where none came free until then, or the wait was cancelled.
  boost::asio::awaitable<std::optional<place>> take(std::chrono::steady_clock::time_point until);

 private:
  struct waiter {
    explicit waiter(const boost::asio::any_io_executor& executor) : timer(executor) {}
    boost::asio::steady_timer timer;
    bool in_line = true;
    bool granted = false;
  };
  class queued;

  void give_back();

  boost::asio::any_io_executor executor_;
  int free_;
  std::list<waiter*> queue_;
};

}  // namespace cmlrec::cml
