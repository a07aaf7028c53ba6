// The one file of this layer that knows Beast.
#include "http/session.hpp"

#include <array>
#include <exception>
#include <optional>
#include <tuple>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>

namespace cmlrec::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using asio::experimental::awaitable_operators::operator||;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
using io_result = asio::awaitable<std::tuple<error_code, std::size_t>>;
using parser_type = beast::http::request_parser<beast::http::string_body>;

// Between two requests of one connection.
constexpr core::duration idle_timeout = std::chrono::seconds{75};
// For the client to take note of the end, after the last answer.
constexpr core::duration linger_timeout = std::chrono::seconds{1};
// Shorter than the patience of proxies on the way, a minute mostly.
constexpr core::duration heartbeat = std::chrono::seconds{15};
constexpr std::size_t read_ahead = 64U * 1024;
constexpr int most_discarded = 256;  // reads of at most 4 KiB

struct incoming {
  std::string method;
  bool keep_alive = false;
  bool wants_continue = false;
  std::optional<target> where;
};

class connection final : public session {
 public:
  connection(stream_socket socket, std::string peer, bool trusted,
             std::shared_ptr<session_context> context)
      : socket_(std::move(socket)),
        peer_(std::move(peer)),
        trusted_(trusted),
        context_(std::move(context)),
        alarm_(context_->clock.make_alarm()),
        buffer_(context_->options.max_header + read_ahead),
        waiting_since_(context_->clock.now()) {}

  bool idle() const override { return idle_; }

  std::optional<core::instant> dispensable_since() const override {
    if (!waiting_since_) return std::nullopt;
    const bool rested = idle_ && now() - *waiting_since_ >= context_->options.request_timeout;
    if (has_asked_ && !rested) return std::nullopt;
    return waiting_since_;
  }

  void abort() override {
    error_code ignored;
    socket_.close(ignored);
    if (!live_) return;
    live_->over = true;
    live_->news->ring();
  }

  asio::awaitable<void> serve() override {
    try {
      auto until = now() + context_->options.request_timeout;
      auto ec = co_await request_begins(until);
      if (ec == asio::error::timed_out) co_await refuse(ec);
      while (!ec) {
        // Not in the loop's condition: g++ 12 awaits there even where && should have spared it.
        const bool more = co_await exchange(until);
        if (!more) break;
        if (buffer_.size() == 0) {
          if (context_->stopping) {
            abort();
            co_return;
          }
          ec = co_await request_begins(now() + idle_timeout);
        }
        until = now() + context_->options.request_timeout;
      }
      co_await take_leave();
    } catch (const std::exception&) {
      // Out of memory, say: this connection ends and the daemon goes on.
      abort();
    }
  }

  asio::awaitable<void> turn_away() override {
    try {
      reply full(problem(503, "too many connections; close some, or try again later"));
      full.headers.emplace_back("Retry-After", "1");
      idle_ = false;
      waiting_since_.reset();
      co_await send(full, false, true);
      co_await take_leave();
    } catch (const std::exception&) {
      abort();
    }
  }

 private:
  core::instant now() const { return context_->clock.now(); }

  // The outcome of `operation`, or timed_out where `until` came first.
  asio::awaitable<error_code> within(io_result operation, core::instant until) {
    auto wait = alarm_->wait_until(until);
    const auto first = co_await (std::move(operation) || std::move(wait));
    if (first.index() == 1) co_return error_code(asio::error::timed_out);
    co_return std::get<0>(std::get<0>(first));
  }

  // Until the first byte, the connection may be closed at any time without loss.
  asio::awaitable<error_code> request_begins(core::instant until) {
    idle_ = true;
    waiting_since_ = now();
    auto begun = wait_readable();
    const auto ec = co_await within(std::move(begun), until);
    idle_ = false;
    co_return ec;
  }

  io_result wait_readable() {
    const auto [ec] = co_await socket_.async_wait(stream_socket::wait_read, as_result);
    co_return std::tuple<error_code, std::size_t>(ec, 0);
  }

  // One request and its answer; false: the connection is to be closed.
  asio::awaitable<bool> exchange(core::instant until) {
    parser_type parser;
    parser.header_limit(static_cast<std::uint32_t>(context_->options.max_header));
    parser.body_limit(context_->options.max_body);
    auto head = beast::http::async_read_header(socket_, buffer_, parser, as_result);
    if (const auto ec = co_await within(std::move(head), until)) {
      co_await refuse(ec);
      co_return false;
    }
    const auto in = look_at(parser);
    if (auto wrong = malformed(parser, in)) {
      co_await send(*wrong, false, in.method != "HEAD");
      co_return false;
    }
    auto found = context_->paths.find(in.method, in.where->path, authorization(parser), trusted_);
    note_refusal(found, in);
    if (in.wants_continue && !parser.is_done()) {
      // The client has kept its body back: where it is not wanted, it need not be sent at all.
      if (auto* refused = std::get_if<reply>(&found)) {
        co_await send(*refused, false, in.method != "HEAD");
        co_return false;
      }
      std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      if (!co_await send_text(std::move(go_on))) co_return false;
    }
    if (!parser.is_done()) {
      auto body = beast::http::async_read(socket_, buffer_, parser, as_result);
      if (const auto ec = co_await within(std::move(body), until)) {
        co_await refuse(ec);
        co_return false;
      }
    }
    has_asked_ = true;
    waiting_since_.reset();
    auto* refused = std::get_if<reply>(&found);
    const reply answer =
        refused ? std::move(*refused) : ask(*std::get<const route*>(found), in, parser);
    // What has arrived behind this request is answered as well, even while stopping.
    if (answer.content.live && in.method != "HEAD") {
      co_await stream(answer);
      co_return false;
    }
    const bool keep = in.keep_alive && !(context_->stopping && buffer_.size() == 0);
    const bool sent = co_await send(answer, keep, in.method != "HEAD");
    co_return sent&& keep;
  }

  void note_refusal(const std::variant<const route*, reply>& found, const incoming& in) const {
    const auto* refused = std::get_if<reply>(&found);
    if (!refused || !context_->options.on_refusal) return;
    const auto status = refused->content.status;
    if (status == 401 || status == 403) context_->options.on_refusal(peer_, in.where->path, status);
  }

  // Until the client goes, whoever makes the body ends it, or the server stops.
  asio::awaitable<void> stream(const reply& answer) {
    const auto live = live_ = answer.content.live;
    auto going = co_await send(answer, false, true);
    // Nothing that the client waits for gets lost when this ends.
    idle_ = true;
    while (going && !live->over && !context_->stopping) {
      if (live->pending.empty()) {
        const auto until = now() + heartbeat;
        const bool nothing_came = co_await live->news->wait_until(until);
        if (!nothing_came) continue;
        live->pending = ":\n\n";
      }
      std::string text;
      text.swap(live->pending);
      going = co_await send_text(std::move(text));
    }
    live->over = true;
    live_.reset();
  }

  static incoming look_at(const parser_type& parser) {
    const auto& head = parser.get();
    incoming in;
    in.method = std::string(head.method_string());
    in.keep_alive = parser.keep_alive();
    in.wants_continue = beast::iequals(head[beast::http::field::expect], "100-continue");
    in.where = parse_target(std::string_view(head.target().data(), head.target().size()));
    return in;
  }

  static std::optional<reply> malformed(const parser_type& parser, const incoming& in) {
    const auto& head = parser.get();
    const auto hosts = head.count(beast::http::field::host);
    if (hosts > 1 || (hosts == 0 && head.version() >= 11))
      return reply(problem(400, "a request has exactly one Host header"));
    if (!in.where)
      return reply(problem(400, "the path of the request is not a path, or is badly escaped"));
    if (head.count(beast::http::field::expect) > 0 && !in.wants_continue)
      return reply(problem(417, "the only expectation that is met is 100-continue"));
    return std::nullopt;
  }

  static std::optional<std::string_view> authorization(const parser_type& parser) {
    const auto& head = parser.get();
    if (head.count(beast::http::field::authorization) != 1) return std::nullopt;
    const auto value = head[beast::http::field::authorization];
    return std::string_view(value.data(), value.size());
  }

  template <class Name>
  static std::string text_of(const parser_type& parser, Name name) {
    const auto value = parser.get()[name];
    return std::string(value.data(), value.size());
  }

  reply ask(const route& r, const incoming& in, parser_type& parser) {
    request q;
    q.method = in.method;
    q.path = in.where->path;
    q.query = in.where->query;
    q.body = std::move(parser.get().body());
    q.peer = peer_;
    q.trusted = trusted_;
    using beast::http::field;
    q.if_none_match = text_of(parser, field::if_none_match);
    q.accept_encoding = text_of(parser, field::accept_encoding);
    q.last_event_id = text_of(parser, "Last-Event-ID");
    std::string what = "an exception of no known type";
    try {
      return reply(r.handler(q));
    } catch (const std::exception& e) {
      what = e.what();
    } catch (...) {
    }
    try {
      if (context_->options.on_handler_error) context_->options.on_handler_error(q, what);
    } catch (...) {
      // The client is owed an answer, even where the log cannot take the reason.
    }
    return reply(problem(500, "the request could not be answered; the daemon's log says why"));
  }

  // Says what was wrong with a request that could not be read; silent where nobody listens.
  asio::awaitable<void> refuse(error_code ec) {
    using beast::http::error;
    std::optional<response> said;
    if (ec == asio::error::timed_out) {
      said = problem(408, "the request did not arrive within " +
                              core::format_duration(context_->options.request_timeout));
    } else if (ec == error::header_limit || ec == error::buffer_overflow) {
      said = problem(431, "the header is larger than " +
                              std::to_string(context_->options.max_header) + " bytes");
    } else if (ec == error::body_limit) {
      said = problem(
          413, "the body is larger than " + std::to_string(context_->options.max_body) + " bytes");
    } else if (ec == error::bad_version) {
      said = problem(505, "HTTP/1.0 and HTTP/1.1 are spoken here");
    } else if (ec != error::end_of_stream &&
               ec.category() == make_error_code(error::bad_method).category()) {
      said = problem(400, "this is not an HTTP request: " + ec.message());
    }
    if (!said) co_return;
    const reply answer(std::move(*said));
    co_await send(answer, false, true);
  }

  asio::awaitable<bool> send(const reply& answer, bool keep_alive, bool with_body) {
    const auto reason = beast::http::obsolete_reason(
        beast::http::int_to_status(static_cast<unsigned>(answer.content.status)));
    auto text = render(answer, std::string_view(reason.data(), reason.size()),
                       context_->clock.wall(), keep_alive, with_body);
    co_return co_await send_text(std::move(text));
  }

  asio::awaitable<bool> send_text(std::string text) {
    auto writing = asio::async_write(socket_, asio::buffer(text), as_result);
    const auto ec = co_await within(std::move(writing), now() + context_->options.request_timeout);
    if (ec) abort();
    co_return !ec;
  }

  // Closing with unread bytes would reset the connection, and the reset can overtake the answer.
  asio::awaitable<void> take_leave() {
    error_code ec;
    socket_.shutdown(stream_socket::shutdown_send, ec);
    const auto until = now() + linger_timeout;
    std::array<char, 4096> discarded;
    for (int reads = 0; !ec && reads < most_discarded; ++reads) {
      auto reading = socket_.async_read_some(asio::buffer(discarded), as_result);
      ec = co_await within(std::move(reading), until);
    }
    abort();
  }

  stream_socket socket_;
  std::string peer_;
  bool trusted_;
  std::shared_ptr<session_context> context_;
  std::unique_ptr<core::alarm> alarm_;
  beast::flat_buffer buffer_;
  bool idle_ = true;
  bool has_asked_ = false;
  std::shared_ptr<live_body> live_;  // while an answer goes on
  std::optional<core::instant> waiting_since_;  // for the rest of a request; nothing: it is answered
};

}  // namespace

std::shared_ptr<session> make_session(stream_socket socket, std::string peer, bool trusted,
                                      std::shared_ptr<session_context> context) {
  return std::make_shared<connection>(std::move(socket), std::move(peer), trusted,
                                      std::move(context));
}

std::string to_text(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address().to_string();
  const auto port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

}  // namespace cmlrec::http
