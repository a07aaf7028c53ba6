#include "http/server.hpp"

#include "http/control_listener.hpp"
#include "http/session.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cmlrec::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr core::duration accept_pause = std::chrono::milliseconds{100};
// Past these, a connection too many is closed without a word.
constexpr std::size_t most_turned_away = 64;

[[noreturn]] void cannot_listen(const std::string& where, const std::string& why) {
  throw std::runtime_error("cannot listen on " + where + ": " + why + " with --listen");
}

tcp::endpoint endpoint_of(const server_options& options) {
  auto host = options.host;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  error_code ec;
  const auto address = asio::ip::make_address(host, ec);
  if (ec)
    cannot_listen(options.host + ":" + std::to_string(options.port),
                  "'" + options.host +
                      "' is not an IP address; give one, such as 127.0.0.1, [::1] or 0.0.0.0,");
  return {address, options.port};
}

tcp::acceptor listening(const asio::any_io_executor& executor, const tcp::endpoint& endpoint) {
  tcp::acceptor acceptor(executor);
  error_code ec;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(tcp::acceptor::max_listen_connections, ec);
  if (!ec) return acceptor;
  const auto where = to_text(endpoint);
  if (ec == asio::error::address_in_use)
    cannot_listen(where, "the address is in use; stop the other process or choose another");
  if (ec == asio::error::access_denied)
    cannot_listen(where,
                  "that needs a privilege that the daemon has not; choose a port above 1023");
  if (ec == boost::system::errc::address_not_available)
    cannot_listen(where, "the address is not one of this machine; choose one that is");
  if (ec == asio::error::address_family_not_supported)
    cannot_listen(where, "this machine has no addresses of that kind; choose another");
  cannot_listen(where, ec.message() + "; choose another address");
}

// Shared with the sessions' completion handlers, which may be destroyed after the server where the
// event loop is torn down without having been stopped.
struct shared_state {
  shared_state(tcp::acceptor a, std::unique_ptr<control_listener> by_file,
               std::shared_ptr<session_context> c)
      : acceptor(std::move(a)),
        control(std::move(by_file)),
        context(std::move(c)),
        drain_alarm(context->clock.make_alarm()) {}

  tcp::acceptor acceptor;
  std::unique_ptr<control_listener> control;  // null: none
  std::shared_ptr<session_context> context;
  std::unique_ptr<core::alarm> drain_alarm;
  std::set<std::shared_ptr<session>> sessions;
  std::size_t turned_away = 0;
  std::set<std::shared_ptr<session>> dismissed;  // closed, and about to leave `sessions`
  std::optional<core::instant> drain_until;  // set: we are stopping
};

void stop_accepting(shared_state& s, core::duration grace) {
  const auto until = s.context->clock.now() + grace;
  s.drain_until = s.drain_until ? std::min(*s.drain_until, until) : until;
  s.context->stopping = true;
  error_code ignored;
  s.acceptor.close(ignored);
  if (s.control) s.control->close();
  for (const auto& one : s.sessions)
    if (one->idle()) one->abort();
  s.drain_alarm->ring();
}

bool is_full(const shared_state& s) {
  const auto leaving = s.turned_away + s.dismissed.size();
  return s.sessions.size() - leaving >= s.context->options.max_connections;
}

// A crowd that connects and says nothing must not keep those out who have a question: whoever has
// kept the server waiting for longest makes room.
void make_room(shared_state& s) {
  std::shared_ptr<session> longest;
  std::optional<core::instant> since;
  for (const auto& one : s.sessions) {
    if (s.dismissed.contains(one)) continue;
    const auto waiting = one->dispensable_since();
    if (!waiting || (since && *since <= *waiting)) continue;
    longest = one;
    since = waiting;
  }
  if (!longest) return;
  s.dismissed.insert(longest);
  longest->abort();
}

void admit(const std::shared_ptr<shared_state>& s, stream_socket socket, std::string peer,
           bool trusted) {
  if (is_full(*s)) make_room(*s);
  const bool full = is_full(*s);
  if (full && s->turned_away >= most_turned_away) return;
  auto one = make_session(std::move(socket), std::move(peer), trusted, s->context);
  s->sessions.insert(one);
  if (full) ++s->turned_away;
  auto task = full ? one->turn_away() : one->serve();
  asio::co_spawn(s->acceptor.get_executor(), std::move(task), [s, one, full](std::exception_ptr) {
    s->sessions.erase(one);
    s->dismissed.erase(one);
    if (full) --s->turned_away;
    if (s->drain_until) s->drain_alarm->ring();
  });
}

void admit(const std::shared_ptr<shared_state>& s, tcp::socket socket) {
  error_code ec;
  const auto from = socket.remote_endpoint(ec);
  auto peer = ec ? std::string() : to_text(from);
  socket.set_option(tcp::no_delay(true), ec);
  admit(s, stream_socket(std::move(socket)), std::move(peer), false);
}

// Strangers are shown out without an answer: the mode of the socket's file keeps them away anyway.
void admit(const std::shared_ptr<shared_state>& s, asio::local::stream_protocol::socket socket) {
  auto peer = s->control->identify(socket);
  if (peer) {
    admit(s, stream_socket(std::move(socket)), std::move(*peer), true);
  } else if (s->context->options.on_refusal) {
    s->context->options.on_refusal("a stranger at the control socket", "", 403);
  }
}

template <class Acceptor>
asio::awaitable<void> accept_all(std::shared_ptr<shared_state> s, Acceptor& acceptor) {
  // One for each acceptor: an alarm has one waiter.
  const auto pause = s->context->clock.make_alarm();
  while (!s->drain_until) {
    auto [ec, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (s->drain_until) break;
    if (!ec) {
      admit(s, std::move(socket));
    } else if (ec == asio::error::operation_aborted) {
      stop_accepting(*s, core::duration{0});
    } else {
      // Out of descriptors, say. To ask again at once would only spin.
      const auto until = s->context->clock.now() + accept_pause;
      co_await pause->wait_until(until);
    }
  }
}

class asio_server final : public server {
 public:
  explicit asio_server(std::shared_ptr<shared_state> state)
      : state_(std::move(state)), port_(state_->acceptor.local_endpoint().port()) {}

  std::uint16_t port() const override { return port_; }

  void set_token(core::secret token) override {
    state_->context->paths.set_token(std::move(token));
  }

  void stop(core::duration grace) override { stop_accepting(*state_, grace); }

  asio::awaitable<void> run() override {
    const auto s = state_;
    // Being cancelled is a way to be stopped: the sessions are joined all the same.
    co_await asio::this_coro::throw_if_cancelled(false);
    if (s->control)
      asio::co_spawn(s->acceptor.get_executor(), accept_all(s, s->control->acceptor()),
                     [](std::exception_ptr) {});
    auto by_address = accept_all(s, s->acceptor);
    co_await std::move(by_address);
    bool forced = false;
    while (!s->sessions.empty()) {
      const auto now = s->context->clock.now();
      if (!forced && now >= *s->drain_until) {
        forced = true;
        for (const auto& one : s->sessions) one->abort();
      }
      const auto until = forced ? now + std::chrono::hours{1} : *s->drain_until;
      co_await s->drain_alarm->wait_until(until);
    }
  }

 private:
  std::shared_ptr<shared_state> state_;
  std::uint16_t port_;
};

}  // namespace

std::unique_ptr<server> make_server(asio::any_io_executor executor, core::clock& clock,
                                    server_options options, std::vector<route> routes) {
  auto acceptor = listening(executor, endpoint_of(options));
  std::unique_ptr<control_listener> control;
  if (!options.control.path.empty())
    control = std::make_unique<control_listener>(executor, options.control);
  auto context = std::make_shared<session_context>(clock, std::move(options), std::move(routes));
  return std::make_unique<asio_server>(
      std::make_shared<shared_state>(std::move(acceptor), std::move(control), std::move(context)));
}

}  // namespace cmlrec::http
