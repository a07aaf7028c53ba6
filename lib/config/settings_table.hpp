// The rows of the settings: how each is called, checked and stored.
#pragma once

#include "config/settings.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cmlrec::config {

struct setting_row {
  setting shown;
  std::string_view other_variable;  // asked where the first is not set; empty: none
  // What is wrong with the text and what was expected; nothing where it has been stored.
  std::function<std::optional<std::string>(settings&, const std::string&)> store;
};

const std::vector<setting_row>& setting_rows();

}  // namespace cmlrec::config
