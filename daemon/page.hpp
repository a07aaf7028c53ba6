// The status page: files of web/ that are built into the program, and how they are served.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "http/server.hpp"

namespace cmlrec::daemon {

struct page_asset {
  std::string_view path;  // "/", "/assets/page.js"
  std::string_view content_type;
  std::string_view tag;  // of its content
  std::string_view plain;
  std::string_view packed;  // gzip
};

// Made from web/ by web/embed.py.
std::vector<page_asset> page_assets();

// One route for each. Nothing of the page may come from, or be sent to, anywhere else.
std::vector<http::route> page_routes();

}  // namespace cmlrec::daemon
