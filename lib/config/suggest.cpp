#include "config/suggest.hpp"

#include <algorithm>
#include <vector>

namespace cmlrec::config {
namespace {

std::string normal(std::string_view word) {
  std::string out;
  for (const char c : word) {
    if (c == '-' || c == '_' || c == ' ') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  constexpr std::size_t longest = 64;
  if (word.size() > longest) return std::nullopt;
  const std::string wanted = normal(word);
  std::optional<std::string_view> best;
  std::size_t best_distance = 0;
  for (const auto candidate : candidates) {
    if (candidate.size() > longest) continue;
    const std::string known = normal(candidate);
    const std::size_t d = distance(wanted, known);
    const std::size_t allowed = std::max<std::size_t>(1, std::max(wanted.size(), known.size()) / 3);
    if (d > allowed || d >= known.size()) continue;
    if (!best || d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  if (const auto found = nearest(word, candidates))
    return "did you mean '" + std::string(*found) + "'?";
  constexpr std::size_t most = 8;
  std::string out = "known are ";
  for (std::size_t i = 0; i < candidates.size() && i < most; ++i)
    out += (i == 0 ? "" : ", ") + std::string(candidates[i]);
  if (candidates.size() > most) out += ", ...";
  return candidates.empty() ? "there are none" : out;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  return suggestion(word, std::vector<std::string_view>(candidates.begin(), candidates.end()));
}

}  // namespace cmlrec::config
