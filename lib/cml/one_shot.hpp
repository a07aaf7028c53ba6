// One request to any URL, over a connection of its own: what probes and webhooks have in common. No
// key is sent, nothing is repeated, no redirect is followed.
#pragma once

#include "cml/http_probe.hpp"
#include "cml/transport.hpp"

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace cmlrec::cml {

class one_shot {
 public:
  // Throws std::runtime_error with a message for people where the CA file or the proxy is unusable.
  one_shot(boost::asio::any_io_executor executor, core::clock& clock, probe_options options);

  // Nothing, with what is wrong in `trouble`, where there was no answer. Host and framing are added
  // to the headers of `request`, and its target is that of the URL. No message shows the URL.
  boost::asio::awaitable<std::optional<http_answer>> send(std::string url, http_exchange request,
                                                          core::instant deadline,
                                                          core::error& trouble);

 private:
  boost::asio::awaitable<std::optional<http_answer>> exchange(std::string url,
                                                              http_exchange request,
                                                              core::instant deadline,
                                                              core::error& trouble);

  boost::asio::any_io_executor executor_;
  core::clock& clock_;
  probe_options options_;
  std::shared_ptr<boost::asio::ssl::context> tls_;
  std::optional<proxy_address> proxy_;
};

}  // namespace cmlrec::cml
