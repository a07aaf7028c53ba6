// One connection, from resolved addresses to answers. Only the transport's own files include this:
// it carries Beast.
#pragma once

#include "cml/tls.hpp"
#include "cml/transport.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace cmlrec::cml {

using http_request = boost::beast::http::request<boost::beast::http::string_body>;

class connection {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  connection(boost::asio::any_io_executor executor, const transport_options& options)
      : options_(options), tcp_(std::in_place, std::move(executor)) {}

  // Connects, asks the proxy for a tunnel, and shakes hands: nothing where all went well.
  boost::asio::awaitable<std::optional<exchange_failure>> open(
      std::vector<boost::asio::ip::tcp::endpoint> endpoints, time_point until);

  struct outcome {
    std::optional<http_answer> answer;
    exchange_failure failure;
    bool reusable = false;
    bool silent = false;  // it was closed before one byte of an answer
  };
  boost::asio::awaitable<outcome> exchange(const http_request& request, time_point until);

  // Nothing has come and nothing was closed since the last answer.
  bool is_quiet();
  // No deadline runs while it is kept.
  void rest();

 private:
  using tls_stream = boost::asio::ssl::stream<boost::beast::tcp_stream>;

  boost::beast::tcp_stream& socket() { return tls_ ? tls_->next_layer() : *tcp_; }
  boost::asio::awaitable<std::optional<exchange_failure>> connect(
      std::vector<boost::asio::ip::tcp::endpoint> endpoints, time_point until);
  boost::asio::awaitable<std::optional<exchange_failure>> ask_for_tunnel();
  boost::asio::awaitable<std::optional<exchange_failure>> shake_hands();
  template <class Stream>
  boost::asio::awaitable<outcome> exchange_on(Stream& stream, const http_request& request);
  std::string peer() const;

  const transport_options& options_;
  std::optional<boost::beast::tcp_stream> tcp_;
  std::unique_ptr<tls_stream> tls_;
  certificate_trouble trouble_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace cmlrec::cml
