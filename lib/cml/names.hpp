// Name resolution that a deadline can leave behind. The system's resolver cannot be interrupted, so
// a look-up goes on by itself and its result is kept for whoever asks next.
#pragma once

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace cmlrec::cml {

struct looked_up {
  std::vector<boost::asio::ip::tcp::endpoint> endpoints;  // empty: `failure` says why
  std::string failure;
};

class names : public std::enable_shared_from_this<names> {
 public:
  explicit names(boost::asio::any_io_executor executor);

  boost::asio::awaitable<looked_up> find(std::string host, std::uint16_t port,
                                         std::chrono::steady_clock::time_point until);
  // None of the addresses could be connected to: ask again next time.
  void forget(const std::string& host);
  // Drops look-ups that have not begun.
  void stop();

 private:
  struct entry {
    std::vector<boost::asio::ip::address> addresses;
    std::chrono::steady_clock::time_point found_at;
    bool fresh = false;
    bool under_way = false;
    std::string failure;
    std::list<boost::asio::steady_timer*> waiting;
  };

  void begin(const std::string& host, entry& e);

  boost::asio::any_io_executor executor_;
  boost::asio::ip::tcp::resolver resolver_;
  std::map<std::string, entry> entries_;
};

}  // namespace cmlrec::cml
