// One connection: requests are read, answered one after the other, and the connection closed so
// that the last answer arrives.
#pragma once

#include "core/clock.hpp"
#include "http/message.hpp"
#include "http/router.hpp"
#include "http/server.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace cmlrec::http {

// What all sessions of a server share; outlives them.
struct session_context {
  session_context(core::clock& c, server_options o, std::vector<route> routes)
      : clock(c), options(std::move(o)), paths(std::move(routes), options.token) {}

  core::clock& clock;
  server_options options;
  router paths;
  bool stopping = false;
};

class session {
 public:
  virtual ~session() = default;
  // Ends when the connection does. Exceptions do not leave it.
  virtual boost::asio::awaitable<void> serve() = 0;
  // Answers 503 whatever is asked, and closes.
  virtual boost::asio::awaitable<void> turn_away() = 0;
  // Nothing of a request has arrived, and nothing is being answered.
  virtual bool idle() const = 0;
  // Since when nothing would be lost but patience: the client has not yet sent one whole request, or
  // has sent none for longer than a request may take. Nothing: it is to be kept.
  virtual std::optional<core::instant> dispensable_since() const = 0;
  // Ends serve() at once.
  virtual void abort() = 0;
};

using stream_socket = boost::asio::generic::stream_protocol::socket;

// `peer`: for people. `trusted`: needs no token.
std::shared_ptr<session> make_session(stream_socket socket, std::string peer, bool trusted,
                                      std::shared_ptr<session_context> context);

// "127.0.0.1:50312", "[::1]:50312"
std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace cmlrec::http
