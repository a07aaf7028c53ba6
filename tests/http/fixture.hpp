// A server on an event loop of its own, as in the daemon; the test's thread is the world outside.
#pragma once

#include "cml/asio_clock.hpp"
#include "http/client.hpp"
#include "http/server.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace cmlrec::http::testing {

inline std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

inline std::string post(const std::string& path, const std::string& headers,
                        const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline route make_route(std::string method, std::string path,
                        std::function<response(const request&)> handler) {
  route r;
  r.method = std::move(method);
  r.path = std::move(path);
  r.handler = std::move(handler);
  return r;
}

inline response text(std::string body) {
  response r;
  r.body = std::move(body);
  return r;
}

class running_server {
 public:
  explicit running_server(std::vector<route> routes = standard_routes(),
                          server_options options = {})
      : io_(1), clock_(cml::make_asio_clock(io_.get_executor())) {
    options.port = 0;
    server_ = make_server(io_.get_executor(), *clock_, std::move(options), std::move(routes));
    boost::asio::co_spawn(io_, server_->run(), [this](std::exception_ptr e) {
      if (e) {
        ended_.set_exception(e);
      } else {
        ended_.set_value();
      }
    });
    thread_ = std::thread([this] { io_.run(); });
  }

  ~running_server() {
    stop(std::chrono::milliseconds{0});
    thread_.join();
  }

  running_server(const running_server&) = delete;
  running_server& operator=(const running_server&) = delete;

  std::uint16_t port() const { return server_->port(); }
  client connect() const { return client(port()); }

  void stop(core::duration grace) {
    on_loop([this, grace] { server_->stop(grace); });
  }
  void set_token(const std::string& token) {
    on_loop([this, token] { server_->set_token(core::secret{token}); });
  }
  // Whether run() has returned, and with it every session.
  bool ends_within(std::chrono::milliseconds limit) {
    return over_.wait_for(limit) == std::future_status::ready;
  }

  static std::vector<route> standard_routes() {
    std::vector<route> out;
    out.push_back(make_route("GET", "/hello", [](const request&) { return text("hello\n"); }));
    out.push_back(make_route("POST", "/echo", [](const request& q) { return text(q.body); }));
    out.push_back(
        make_route("GET", "/query", [](const request& q) { return text(q.path + " " + q.query); }));
    return out;
  }

 private:
  template <class F>
  void on_loop(F f) {
    std::promise<void> done;
    auto waiting = done.get_future();
    boost::asio::post(io_, [&] {
      f();
      done.set_value();
    });
    // Once the loop has run out of work nobody takes the task: there is nothing left to stop.
    while (waiting.wait_for(std::chrono::milliseconds{5}) != std::future_status::ready)
      if (io_.stopped()) return;
  }

  boost::asio::io_context io_;
  std::unique_ptr<core::clock> clock_;
  std::unique_ptr<server> server_;
  std::promise<void> ended_;
  std::shared_future<void> over_ = ended_.get_future().share();
  std::thread thread_;
};

}  // namespace cmlrec::http::testing
