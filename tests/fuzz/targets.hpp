// The fuzz targets by name. Each takes any bytes; see support.hpp for how it fails.
#pragma once

#include <array>
#include <string_view>

namespace cmlrec::fuzz {

void answers(std::string_view bytes);    // CML's JSON: byte 0 chooses which
void errors(std::string_view bytes);     // CML's refusals: status, headers, body
void expansion(std::string_view bytes);  // ${}
void headers(std::string_view bytes);    // Date and Retry-After
void loader(std::string_view bytes);     // the file of jobs
void scalars(std::string_view bytes);    // cron, durations, timestamps, numbers
void server(std::string_view bytes);     // a connection to the daemon's own HTTP server
void settings(std::string_view bytes);   // the daemon's settings file
void urls(std::string_view bytes);       // URLs, hosts, proxies, targets of requests

struct target {
  std::string_view name;
  void (*run)(std::string_view bytes);
};

inline constexpr std::array<target, 9> targets = {{{"answers", answers},
                                                   {"errors", errors},
                                                   {"expansion", expansion},
                                                   {"headers", headers},
                                                   {"loader", loader},
                                                   {"scalars", scalars},
                                                   {"server", server},
                                                   {"settings", settings},
                                                   {"urls", urls}}};

}  // namespace cmlrec::fuzz
