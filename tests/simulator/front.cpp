#include "simulator/front.hpp"

#include <cstdio>
#include <exception>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace cmlrec::simulator {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::uint64_t largest_body = 16 * 1024 * 1024;
constexpr auto idle_limit = std::chrono::minutes{10};

// Counts a request as in flight for as long as it lives.
class in_flight {
 public:
  in_flight(ledger& books, bool counts) : books_(books), counts_(counts) {
    if (counts_) books_.enter();
  }
  ~in_flight() {
    if (counts_) books_.leave();
  }
  in_flight(const in_flight&) = delete;
  in_flight& operator=(const in_flight&) = delete;

 private:
  ledger& books_;
  bool counts_;
};

request to_request(const http::request<http::string_body>& received) {
  request r;
  r.method = std::string(received.method_string());
  r.target = std::string(received.target());
  if (const auto at = received.find(http::field::authorization); at != received.end())
    r.authorization = std::string(at->value());
  r.body = received.body();
  return r;
}

http::response<http::string_body> to_response(reply& r, bool keep_alive, timestamp now) {
  http::response<http::string_body> out;
  out.version(11);
  out.result(static_cast<unsigned>(r.status));
  out.set(http::field::date, core::format_http_date(now));
  out.set(http::field::server, "cml-simulator");
  out.set(http::field::content_type, r.content_type);
  for (const auto& [name, value] : r.headers) out.set(name, value);
  out.keep_alive(keep_alive);
  const auto whole = r.body.size();
  if (r.how == delivery::truncate) r.body.resize(whole / 2);
  out.body() = std::move(r.body);
  out.content_length(whole);
  return out;
}

}  // namespace

struct front::state : std::enable_shared_from_this<front::state> {
  state(asio::io_context& context, service& s, front_options o)
      : io(context), acceptor(context), served(s), options(o) {}

  asio::io_context& io;
  tcp::acceptor acceptor;
  service& served;
  front_options options;

  asio::awaitable<void> accept_all();
  asio::awaitable<void> serve(tcp::socket socket);
  reply answer_to(const request& r);
};

front::front(asio::io_context& io, service& s, front_options options)
    : state_(std::make_shared<state>(io, s, options)) {}

front::~front() { close(); }

tcp::endpoint front::listen(const tcp::endpoint& at) {
  auto& a = state_->acceptor;
  a.open(at.protocol());
  a.set_option(asio::socket_base::reuse_address(true));
  a.bind(at);
  a.listen(asio::socket_base::max_listen_connections);
  const auto bound = a.local_endpoint();
  auto accepting = [s = state_]() { return s->accept_all(); };
  asio::co_spawn(state_->io, accepting(), asio::detached);
  return bound;
}

void front::close() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
}

asio::awaitable<void> front::state::accept_all() {
  const auto self = shared_from_this();
  while (acceptor.is_open()) {
    auto [ec, socket] = co_await acceptor.async_accept(as_result);
    if (ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor) co_return;
    if (ec) {
      // Out of descriptors, say: others may close theirs in a moment.
      asio::steady_timer pause(io, std::chrono::milliseconds{50});
      co_await pause.async_wait(as_result);
      continue;
    }
    asio::co_spawn(io, serve(std::move(socket)), asio::detached);
  }
}

reply front::state::answer_to(const request& r) {
  try {
    return served.handle(r);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "cml-simulator: %s %s: %s\n", r.method.c_str(), r.target.c_str(),
                 e.what());
    return error_reply(internal_error("the simulator has a defect; see its stderr"));
  }
}

asio::awaitable<void> front::state::serve(tcp::socket socket) {
  const auto self = shared_from_this();
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  beast::tcp_stream stream(std::move(socket));
  // Holds what came after a request as well: pipelined requests are answered in their order.
  beast::flat_buffer buffer;
  while (true) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(largest_body);
    stream.expires_after(idle_limit);
    const auto [read_error, read] = co_await http::async_read(stream, buffer, parser, as_result);
    if (read_error) break;
    const auto received = to_request(parser.get());
    const bool keep_alive = parser.get().keep_alive();
    const in_flight counted(served.books(), service::is_api(received.target));
    if (options.latency > core::duration{0} && service::is_api(received.target)) {
      asio::steady_timer wait(io, options.latency);
      co_await wait.async_wait(as_result);
    }
    auto r = answer_to(received);
    if (options.verbose)
      std::fprintf(stderr, "%s %s %s -> %s\n", core::format_timestamp(served.now()).c_str(),
                   received.method.c_str(), received.target.c_str(),
                   r.how == delivery::send ? std::to_string(r.status).c_str() : "no answer");
    if (r.how == delivery::close) break;
    if (r.how == delivery::reset) {
      stream.socket().set_option(asio::socket_base::linger(true, 0), ignored);
      stream.socket().close(ignored);
      co_return;
    }
    if (r.how == delivery::hang) {
      char sink[256];
      boost::system::error_code gone;
      while (!gone) {
        const auto [ec, n] = co_await stream.async_read_some(asio::buffer(sink), as_result);
        gone = ec;
      }
      break;
    }
    const bool last = !keep_alive || r.how == delivery::truncate;
    const auto response = to_response(r, !last, served.now());
    const auto [write_error, written] = co_await http::async_write(stream, response, as_result);
    if (write_error || last) break;
  }
  stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
  stream.socket().close(ignored);
}

}  // namespace cmlrec::simulator
