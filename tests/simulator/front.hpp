// The HTTP/1.1 front of the service: one coroutine per connection, on one io_context.
#pragma once

#include "core/time.hpp"
#include "simulator/service.hpp"

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace cmlrec::simulator {

struct front_options {
  core::duration latency{0};  // real time before a request of the API is looked at
  bool verbose = false;       // one line per request on stderr
};

class front {
 public:
  front(boost::asio::io_context& io, service& s, front_options options);
  ~front();
  front(const front&) = delete;
  front& operator=(const front&) = delete;

  // Binds, and accepts from then on; port 0 takes any. Throws boost::system::system_error.
  boost::asio::ip::tcp::endpoint listen(const boost::asio::ip::tcp::endpoint& at);
  // No new connections. Those that are open end with the io_context.
  void close();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace cmlrec::simulator
