// A string that must not be shown. It has no stream operator and no conversion: whoever needs the
// text says so with reveal(), which is easy to find in a review.
#pragma once

#include <string>
#include <utility>

namespace cmlrec::core {

inline constexpr const char* secret_mask = "********";

class secret {
 public:
  secret() = default;
  explicit secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  friend bool operator==(const secret&, const secret&) = default;

 private:
  std::string value_;
};

}  // namespace cmlrec::core
