#include "cml/asio_clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;

class asio_alarm final : public core::alarm {
 public:
  explicit asio_alarm(const asio::any_io_executor& executor) : timer_(executor) {}

  asio::awaitable<bool> wait_until(core::instant until) override {
    if (!rung_) {
      timer_.expires_at(std::chrono::steady_clock::time_point{until.time_since_epoch()});
      // A cancelled coroutine (we are stopping) ends the wait as ring() does: callers look at why.
      const auto [ec] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
      if (!ec && !rung_) co_return true;
    }
    rung_ = false;
    co_return false;
  }

  void ring() override {
    rung_ = true;
    timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  bool rung_ = false;
};

class asio_clock final : public core::clock {
 public:
  explicit asio_clock(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  core::instant now() const override {
    return core::instant{std::chrono::duration_cast<core::duration>(
        std::chrono::steady_clock::now().time_since_epoch())};
  }
  core::timestamp wall() const override {
    return std::chrono::time_point_cast<core::duration>(std::chrono::system_clock::now());
  }
  std::unique_ptr<core::alarm> make_alarm() override {
    return std::make_unique<asio_alarm>(executor_);
  }

 private:
  asio::any_io_executor executor_;
};

}  // namespace

std::unique_ptr<core::clock> make_asio_clock(asio::any_io_executor executor) {
  return std::make_unique<asio_clock>(std::move(executor));
}

}  // namespace cmlrec::cml
