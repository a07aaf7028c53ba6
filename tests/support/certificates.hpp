// Certificates made on the fly, for servers of tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ssl/context.hpp>

namespace cmlrec::test {

struct validity {
  long from_seconds = -3600;  // relative to now
  long to_seconds = 3600;
};

// An authority with a key of its own; everything that it issues is signed with that.
class authority {
 public:
  explicit authority(const std::string& name);
  // One below another.
  authority(const authority& parent, const std::string& name);
  ~authority();
  authority(const authority&) = delete;
  authority& operator=(const authority&) = delete;

  std::string certificate() const;  // PEM
  // A TLS server's context with a certificate for these host names and addresses.
  std::shared_ptr<boost::asio::ssl::context> server_for(const std::vector<std::string>& names,
                                                        validity v = {}) const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

// Writes `text` into a fresh file below the tests' temporary directory; removed when the process ends.
std::string temporary_file(const std::string& name, const std::string& text);

}  // namespace cmlrec::test
