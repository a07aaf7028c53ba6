// The word that was probably meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cmlrec::config {

// The candidate that is nearest to `word` by insertions, deletions, replacements and swaps of
// neighbours, without regard to case and to - or _. Nothing where none is near enough.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

// "did you mean 'memory'?", or "known are a, b, c, ..." where nothing is near.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace cmlrec::config
