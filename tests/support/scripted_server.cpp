#include "support/scripted_server.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace cmlrec::test {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

received parse_head(const std::string& head) {
  received out;
  auto end = head.find("\r\n");
  out.line = head.substr(0, end);
  while (end + 2 < head.size()) {
    const auto begin = end + 2;
    end = head.find("\r\n", begin);
    const auto line = head.substr(begin, end - begin);
    const auto colon = line.find(": ");
    if (colon == std::string::npos) break;
    auto name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    out.headers[name] = line.substr(colon + 2);
  }
  return out;
}

template <class Stream>
asio::awaitable<std::optional<received>> read_request(Stream& stream, std::string& buffer) {
  const auto [head_ec, size] =
      co_await asio::async_read_until(stream, asio::dynamic_buffer(buffer), "\r\n\r\n", as_result);
  if (head_ec) co_return std::nullopt;
  auto out = parse_head(buffer.substr(0, size));
  buffer.erase(0, size);
  const auto length = out.headers.find("content-length");
  const auto wanted = length == out.headers.end() ? 0U : std::stoul(length->second);
  if (buffer.size() < wanted) {
    const auto [body_ec, got] =
        co_await asio::async_read(stream, asio::dynamic_buffer(buffer),
                                  asio::transfer_exactly(wanted - buffer.size()), as_result);
    if (body_ec) co_return std::nullopt;
  }
  out.body = buffer.substr(0, wanted);
  buffer.erase(0, wanted);
  co_return std::optional<received>(std::move(out));
}

asio::awaitable<void> relay(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to) {
  std::vector<char> data(16384);
  for (;;) {
    const auto [read_ec, size] = co_await from->async_read_some(asio::buffer(data), as_result);
    if (read_ec) break;
    const auto [write_ec, sent] =
        co_await asio::async_write(*to, asio::buffer(data.data(), size), as_result);
    if (write_ec) break;
  }
  boost::system::error_code ignored;
  from->close(ignored);
  to->close(ignored);
}

}  // namespace

step answer(int status, const std::string& body, const std::string& headers,
            const std::string& type) {
  step out;
  out.bytes = "HTTP/1.1 " + std::to_string(status) + " Words\r\nContent-Type: " + type + "\r\n" +
              headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  return out;
}

step json(const std::string& body) { return answer(200, body); }

step raw(std::string bytes, step::then after) {
  step out;
  out.bytes = std::move(bytes);
  out.after = after;
  return out;
}

struct scripted_server::state : std::enable_shared_from_this<state> {
  state(asio::io_context& io, std::shared_ptr<asio::ssl::context> context)
      : loop(io), tls(std::move(context)), acceptor(io, {asio::ip::address_v4::loopback(), 0}) {}

  asio::io_context& loop;
  std::shared_ptr<asio::ssl::context> tls;
  tcp::acceptor acceptor;
  std::deque<step> script;
  std::optional<step> otherwise;
  std::vector<received> requests;
  std::vector<std::weak_ptr<tcp::socket>> open;
  int connections = 0;
  int to_drop = 0;
  int at_once = 0;
  int most_at_once = 0;

  step next() {
    if (!script.empty()) {
      auto out = std::move(script.front());
      script.pop_front();
      return out;
    }
    if (otherwise) return *otherwise;
    return answer(500, R"({"message":"the test has not said what to answer"})");
  }

  static asio::awaitable<void> accept(std::shared_ptr<state> self) {
    for (;;) {
      auto socket = std::make_shared<tcp::socket>(self->loop);
      const auto [ec] = co_await self->acceptor.async_accept(*socket, as_result);
      if (ec) co_return;
      const int number = ++self->connections;
      if (self->to_drop > 0) {
        --self->to_drop;
        continue;
      }
      self->open.push_back(socket);
      asio::co_spawn(self->loop, session(self, socket, number), asio::detached);
    }
  }

  static asio::awaitable<void> session(std::shared_ptr<state> self,
                                       std::shared_ptr<tcp::socket> socket, int number) {
    if (!self->tls) {
      co_await talk(self, socket, *socket, number);
      co_return;
    }
    asio::ssl::stream<tcp::socket&> stream(*socket, *self->tls);
    const auto [ec] = co_await stream.async_handshake(asio::ssl::stream_base::server, as_result);
    if (!ec) co_await talk(self, socket, stream, number);
  }

  template <class Stream>
  static asio::awaitable<void> talk(std::shared_ptr<state> self,
                                    std::shared_ptr<tcp::socket> socket, Stream& stream,
                                    int number) {
    std::string buffer;
    for (;;) {
      auto request = co_await read_request(stream, buffer);
      if (!request) break;
      request->connection = number;
      self->requests.push_back(std::move(*request));
      self->most_at_once = std::max(self->most_at_once, ++self->at_once);
      const auto todo = self->next();
      if (todo.delay.count() > 0) {
        asio::steady_timer timer(self->loop, todo.delay);
        co_await timer.async_wait(as_result);
      }
      --self->at_once;
      const auto [ec, sent] =
          co_await asio::async_write(stream, asio::buffer(todo.bytes), as_result);
      if (ec) break;
      if (todo.after == step::then::keep) continue;
      co_await finish(self, socket, stream, todo);
      break;
    }
    boost::system::error_code ignored;
    socket->close(ignored);
  }

  template <class Stream>
  static asio::awaitable<void> finish(std::shared_ptr<state> self,
                                      std::shared_ptr<tcp::socket> socket, Stream& stream,
                                      const step& todo) {
    boost::system::error_code ec;
    switch (todo.after) {
      case step::then::reset:
        socket->set_option(asio::socket_base::linger(true, 0), ec);
        break;
      case step::then::hang: {
        // Until the other side gives up.
        char byte = 0;
        co_await stream.async_read_some(asio::buffer(&byte, 1), as_result);
        break;
      }
      case step::then::endless:
        for (;;) {
          const auto [write_ec, sent] =
              co_await asio::async_write(stream, asio::buffer(todo.bytes), as_result);
          if (write_ec) break;
        }
        break;
      case step::then::tunnel: {
        auto far = std::make_shared<tcp::socket>(self->loop);
        self->open.push_back(far);
        const tcp::endpoint there(asio::ip::address_v4::loopback(), todo.tunnel_port);
        const auto [connect_ec] = co_await far->async_connect(there, as_result);
        if (connect_ec) break;
        asio::co_spawn(self->loop, relay(socket, far), asio::detached);
        co_await relay(far, socket);
        break;
      }
      default:
        break;
    }
  }
};

scripted_server::scripted_server(asio::io_context& loop, std::shared_ptr<asio::ssl::context> tls)
    : state_(std::make_shared<state>(loop, std::move(tls))) {
  asio::co_spawn(loop, state::accept(state_), asio::detached);
}

scripted_server::~scripted_server() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  for (const auto& weak : state_->open)
    if (const auto socket = weak.lock()) socket->close(ignored);
}

std::uint16_t scripted_server::port() const { return state_->acceptor.local_endpoint().port(); }
std::string scripted_server::url() const {
  return std::string(state_->tls ? "https" : "http") + "://127.0.0.1:" + std::to_string(port());
}
void scripted_server::then(step next) { state_->script.push_back(std::move(next)); }
void scripted_server::always(step each) { state_->otherwise = std::move(each); }
void scripted_server::drop_connections(int count) { state_->to_drop = count; }
const std::vector<received>& scripted_server::requests() const { return state_->requests; }
int scripted_server::connections() const { return state_->connections; }
int scripted_server::most_at_once() const { return state_->most_at_once; }

}  // namespace cmlrec::test
