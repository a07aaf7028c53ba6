#include "cml/connection.hpp"

#include "cml/server_words.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t max_header = 64U * 1024;

exchange_failure failed(core::error_kind kind, std::string message) {
  exchange_failure out;
  out.kind = kind;
  out.message = std::move(message);
  return out;
}

// A failure before anything of the request was sent.
exchange_failure not_connected(const std::string& peer, const char* doing, const error_code& ec) {
  if (ec == asio::error::operation_aborted) return failed(core::error_kind::cancelled, "stopped");
  std::string why = ec.message();
  if (ec == beast::error::timeout) {
    why = "no answer in time";
  } else if (ec == asio::error::eof || ec == asio::ssl::error::stream_truncated) {
    why = "the other side closed the connection";
  }
  return failed(core::error_kind::unreachable,
                std::string(doing) + " " + peer + ": " + one_line(why, longest_message));
}

bool is_closed(const error_code& ec) {
  return ec == http::error::end_of_stream || ec == asio::error::eof ||
         ec == asio::error::connection_reset || ec == asio::error::broken_pipe ||
         ec == asio::error::connection_aborted || ec == asio::ssl::error::stream_truncated;
}

exchange_failure no_answer(const std::string& peer, const error_code& ec, bool began,
                           std::size_t max_body) {
  exchange_failure out;
  out.sent = true;
  if (ec == asio::error::operation_aborted) {
    out.kind = core::error_kind::cancelled;
    out.message = "stopped";
  } else if (ec == beast::error::timeout) {
    out.kind = core::error_kind::timed_out;
    out.message = began ? "the answer of " + peer + " did not end in time"
                        : "no answer from " + peer + " in time";
  } else if (ec == http::error::body_limit) {
    out.kind = core::error_kind::not_json;
    out.permanent = true;
    out.message = "the answer is longer than " + std::to_string(max_body) + " bytes";
  } else if (is_closed(ec) || ec == http::error::partial_message) {
    out.message = began ? peer + " closed the connection in the middle of the answer"
                        : peer + " closed the connection before it answered";
  } else if (ec.category() == http::make_error_code(http::error::bad_version).category()) {
    out.kind = core::error_kind::not_json;
    out.message = "what " + peer + " answers is not HTTP (" + ec.message() + ")";
  } else {
    out.message = peer + ": " + one_line(ec.message(), longest_message);
  }
  return out;
}

template <class Fields>
std::string header(const Fields& fields, http::field name) {
  const auto value = fields[name];
  return {value.data(), value.size()};
}

}  // namespace

std::string connection::peer() const { return options_.to.authority(); }

asio::awaitable<std::optional<exchange_failure>> connection::open(
    std::vector<asio::ip::tcp::endpoint> endpoints, time_point until) {
  auto trouble = co_await connect(std::move(endpoints), until);
  if (!trouble && options_.to.tls && options_.proxy) trouble = co_await ask_for_tunnel();
  if (!trouble && options_.to.tls) trouble = co_await shake_hands();
  co_return trouble;
}

asio::awaitable<std::optional<exchange_failure>> connection::connect(
    std::vector<asio::ip::tcp::endpoint> endpoints, time_point until) {
  std::optional<exchange_failure> trouble;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    // A dead first address must not use up the time of the others.
    const auto left = until - steady_clock::now();
    const auto share = left / static_cast<steady_clock::rep>(endpoints.size() - i);
    tcp_->expires_after(std::max(share, steady_clock::duration::zero()));
    const auto [ec] = co_await tcp_->async_connect(endpoints[i], as_result);
    if (!ec) {
      error_code ignored;
      tcp_->socket().set_option(asio::ip::tcp::no_delay(true), ignored);
      tcp_->expires_at(until);
      co_return std::nullopt;
    }
    const auto whom =
        options_.proxy && options_.to.tls
            ? "the proxy " + options_.proxy->host + ":" + std::to_string(options_.proxy->port)
            : peer();
    trouble = not_connected(whom, "cannot connect to", ec);
    if (trouble->kind == core::error_kind::cancelled) break;
    tcp_->close();
  }
  co_return trouble;
}

asio::awaitable<std::optional<exchange_failure>> connection::ask_for_tunnel() {
  const auto where = options_.to.host.find(':') == std::string::npos ? options_.to.host
                                                                     : "[" + options_.to.host + "]";
  const auto target = where + ":" + std::to_string(options_.to.port);
  const auto proxy = options_.proxy->host + ":" + std::to_string(options_.proxy->port);
  http::request<http::empty_body> request{http::verb::connect, target, 11};
  request.set(http::field::host, target);
  if (!options_.proxy->authorization.empty())
    request.set(http::field::proxy_authorization, options_.proxy->authorization.reveal());
  const auto [write_ec, written] = co_await http::async_write(*tcp_, request, as_result);
  if (write_ec) co_return not_connected(proxy, "cannot use the proxy", write_ec);

  http::response_parser<http::empty_body> parser;
  parser.skip(true);  // what follows the header is the tunnel
  parser.header_limit(max_header);
  const auto [read_ec, got] = co_await http::async_read_header(*tcp_, buffer_, parser, as_result);
  if (read_ec) co_return not_connected(proxy, "cannot use the proxy", read_ec);
  buffer_.clear();
  const auto status = parser.get().result_int();
  if (status / 100 == 2) co_return std::nullopt;
  auto trouble =
      failed(core::error_kind::unreachable, "the proxy " + proxy + " refuses a tunnel to " +
                                                target + " (" + std::to_string(status) + ")");
  if (status == 407) {
    trouble.message += ": give its user and password in the proxy's URL";
    trouble.permanent = true;
  }
  co_return trouble;
}

asio::awaitable<std::optional<exchange_failure>> connection::shake_hands() {
  tls_ = std::make_unique<tls_stream>(std::move(*tcp_), *options_.tls);
  tcp_.reset();
  if (!expect_host(tls_->native_handle(), options_.to.host))
    co_return failed(core::error_kind::unreachable, "TLS cannot be used with " + peer());
  error_code ignored;
  tls_->set_verify_callback(
      [this](bool accepted, asio::ssl::verify_context& context) {
        if (!accepted) note_trouble(trouble_, context.native_handle());
        return accepted;
      },
      ignored);
  const auto [ec] = co_await tls_->async_handshake(asio::ssl::stream_base::client, as_result);
  if (!ec) co_return std::nullopt;
  if (trouble_.code == 0) {
    auto none = not_connected(peer(), "no TLS connection to", ec);
    const auto what_to_do = advice(ec);
    none.permanent = !what_to_do.empty();
    const bool closed = ec == asio::error::eof || ec == asio::ssl::error::stream_truncated;
    none.message += closed ? "; is TLS 1.2 or newer spoken at that port?" : what_to_do;
    co_return none;
  }
  auto trouble = failed(core::error_kind::unreachable, explain(trouble_, options_.to.host));
  trouble.permanent = true;
  co_return trouble;
}

asio::awaitable<connection::outcome> connection::exchange(const http_request& request,
                                                          time_point until) {
  socket().expires_at(until);
  if (tls_) co_return co_await exchange_on(*tls_, request);
  co_return co_await exchange_on(*tcp_, request);
}

template <class Stream>
asio::awaitable<connection::outcome> connection::exchange_on(Stream& stream,
                                                             const http_request& request) {
  outcome out;
  const auto [write_ec, written] = co_await http::async_write(stream, request, as_result);
  if (write_ec == asio::error::operation_aborted || write_ec == beast::error::timeout) {
    out.failure = no_answer(peer(), write_ec, false, options_.max_body);
    co_return out;
  }
  // After any other failure to send, an answer may still be there: a server may refuse a request
  // before it has read it whole.
  std::optional<http::response_parser<http::string_body>> parser;
  error_code read_ec;
  constexpr int most_interim_answers = 5;
  for (int i = 0; i <= most_interim_answers; ++i) {
    parser.emplace();
    parser->header_limit(max_header);
    if (options_.cut_body)
      parser->body_limit(boost::none);
    else
      parser->body_limit(options_.max_body);
    bool enough = false;
    while (!read_ec && !parser->is_done() && !enough) {
      const auto [ec, got] = co_await http::async_read_some(stream, buffer_, *parser, as_result);
      read_ec = ec;
      enough = options_.cut_body && parser->get().body().size() >= options_.max_body;
    }
    const auto status = parser->is_header_done() ? parser->get().result_int() : 0U;
    if (read_ec || status < 100 || status >= 200) break;
  }
  if (read_ec) {
    const bool began = parser->got_some();
    out.silent = !began && is_closed(read_ec);
    out.failure = no_answer(peer(), read_ec, began, options_.max_body);
    co_return out;
  }
  out.reusable = !write_ec && parser->is_done() && parser->keep_alive() && buffer_.size() == 0;
  auto& message = parser->get();
  out.answer.emplace();
  out.answer->status = static_cast<int>(message.result_int());
  out.answer->content_type = header(message, http::field::content_type);
  out.answer->location = header(message, http::field::location);
  out.answer->retry_after = header(message, http::field::retry_after);
  out.answer->date = header(message, http::field::date);
  out.answer->body = std::move(message.body());
  if (options_.cut_body && out.answer->body.size() > options_.max_body)
    out.answer->body.resize(options_.max_body);
  co_return out;
}

bool connection::is_quiet() {
  // Also where TLS has something to say: between answers that is a farewell.
  char byte = 0;
  const auto got = ::recv(socket().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void connection::rest() { socket().expires_never(); }

}  // namespace cmlrec::cml
