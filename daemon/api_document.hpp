// The daemon's own HTTP API, as a table: what the OpenAPI document and docs/api.md are made from.
#pragma once

#include <string>

namespace cmlrec::daemon {

// OpenAPI 3.1, indented by two spaces.
std::string openapi_document(const std::string& version);
// The same for people, in Markdown.
std::string api_page(const std::string& version);

}  // namespace cmlrec::daemon
