// Which handler answers a request, and whether it may be asked at all.
#pragma once

#include "core/secret.hpp"
#include "http/message.hpp"
#include "http/server.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cmlrec::http {

class router {
 public:
  router(std::vector<route> routes, core::secret token);

  void set_token(core::secret token) { token_ = std::move(token); }

  // The route, or the answer that refuses: 404, 405, 401 or 403. `authorization` is the header's
  // value, nothing where the request has none or several; `trusted`: the kernel has said who asks,
  // and no token is needed. The pointer lives as long as the router.
  std::variant<const route*, reply> find(std::string_view method, std::string_view path,
                                         std::optional<std::string_view> authorization,
                                         bool trusted = false) const;

 private:
  std::optional<reply> refusal(std::optional<std::string_view> authorization) const;

  std::vector<route> routes_;
  core::secret token_;
};

}  // namespace cmlrec::http
