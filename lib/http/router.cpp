#include "http/router.hpp"

#include <array>

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace cmlrec::http {
namespace {

constexpr std::string_view scheme = "bearer ";

bool serves(const route& r, std::string_view method) {
  return r.method == method || (r.method == "GET" && method == "HEAD");
}

// Digests have one length, so that not even the length of the token can be timed.
bool same_token(std::string_view given, std::string_view expected) {
  const auto digest = [](std::string_view text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> out{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data());
    return out;
  };
  const auto a = digest(given);
  const auto b = digest(expected);
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::optional<std::string_view> bearer_token(std::string_view authorization) {
  if (authorization.size() <= scheme.size()) return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = authorization[i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower != scheme[i]) return std::nullopt;
  }
  authorization.remove_prefix(scheme.size());
  const auto begin = authorization.find_first_not_of(' ');
  if (begin == std::string_view::npos) return std::nullopt;
  const auto end = authorization.find_last_not_of(' ');
  return authorization.substr(begin, end - begin + 1);
}

}  // namespace

router::router(std::vector<route> routes, core::secret token)
    : routes_(std::move(routes)), token_(std::move(token)) {}

std::optional<reply> router::refusal(std::optional<std::string_view> authorization) const {
  if (token_.empty())
    return reply(problem(403,
                         "this endpoint is closed because the daemon has no token; start it with "
                         "--token-file FILE, and send what the file holds as "
                         "'Authorization: Bearer TOKEN', or with --control-socket PATH"));
  const auto given = authorization ? bearer_token(*authorization) : std::nullopt;
  if (given && same_token(*given, token_.reveal())) return std::nullopt;
  reply out(problem(401, given ? "the token is not the daemon's; send what its --token-file holds"
                               : "this endpoint needs a token; send what the daemon's "
                                 "--token-file holds as 'Authorization: Bearer TOKEN'"));
  std::string challenge = "Bearer realm=\"cml-reconciler\"";
  if (given) challenge += ", error=\"invalid_token\"";
  out.headers.emplace_back("WWW-Authenticate", challenge);
  return out;
}

std::variant<const route*, reply> router::find(
    std::string_view method, std::string_view path,
    std::optional<std::string_view> authorization, bool trusted) const {
  std::string allow;
  for (const auto& r : routes_) {
    if (r.path != path) continue;
    if (serves(r, method)) {
      if (r.needs_token && !trusted)
        if (auto refused = refusal(authorization)) return std::move(*refused);
      return &r;
    }
    if (!allow.empty()) allow += ", ";
    allow += r.method == "GET" ? "GET, HEAD" : r.method;
  }
  if (allow.empty()) return reply(problem(404, "there is nothing at this path"));
  reply out(problem(405, "this path takes " + allow));
  out.headers.emplace_back("Allow", allow);
  return out;
}

}  // namespace cmlrec::http
