// The control socket in the file system: who may connect is a matter of its mode and group, and who
// has connected is told by the kernel.
#pragma once

#include "http/server.hpp"

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace cmlrec::http {

// Removes the socket's file when it goes.
class control_listener {
 public:
  // Listens at once. Throws std::runtime_error with one line that says what to do.
  control_listener(const boost::asio::any_io_executor& executor, control_socket where);
  ~control_listener();
  control_listener(const control_listener&) = delete;
  control_listener& operator=(const control_listener&) = delete;

  boost::asio::local::stream_protocol::acceptor& acceptor() { return acceptor_; }
  // "uid 1000 (ada), pid 4711"; nothing: it is somebody who has no business here.
  std::optional<std::string> identify(
      boost::asio::local::stream_protocol::socket& connected) const;
  void close();

 private:
  control_socket where_;
  std::optional<unsigned> group_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
};

}  // namespace cmlrec::http
