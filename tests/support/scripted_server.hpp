// A server on 127.0.0.1 that does exactly what a test says, however wrong: each request takes the
// next step of its script. It shares the event loop of what it is asked by.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>

namespace cmlrec::test {

struct received {
  std::string line;                            // "GET /api/v2/projects HTTP/1.1"
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  int connection = 0;  // counted from 1
};

struct step {
  enum class then {
    keep,  // ready for the next request on this connection
    close,
    reset,    // RST instead of FIN
    hang,     // says nothing more
    endless,  // `bytes` again and again
    tunnel,   // relays to 127.0.0.1:tunnel_port
  };
  std::string bytes;  // sent as they are
  then after = then::keep;
  std::chrono::milliseconds delay{0};  // before the bytes
  std::uint16_t tunnel_port = 0;
};

// A whole answer with a Content-Length. `headers` as "Name: value\r\n" each.
step answer(int status, const std::string& body, const std::string& headers = "",
            const std::string& type = "application/json");
step json(const std::string& body);
step raw(std::string bytes, step::then after);

class scripted_server {
 public:
  explicit scripted_server(boost::asio::io_context& loop,
                           std::shared_ptr<boost::asio::ssl::context> tls = nullptr);
  ~scripted_server();
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  std::uint16_t port() const;
  std::string url() const;  // http(s)://127.0.0.1:PORT

  void then(step next);    // appended to the script
  void always(step each);  // for every request after the script's end; else it is a 500
  // The next connections are closed as soon as they are there.
  void drop_connections(int count);

  const std::vector<received>& requests() const;
  int connections() const;
  int most_at_once() const;  // requests without their answer

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace cmlrec::test
