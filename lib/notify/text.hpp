// A notice in words: the body of the message.
#pragma once

#include "config/notify.hpp"
#include "notify/news.hpp"

#include <string>

namespace cmlrec::notify {

// "ray-cluster is degraded: git_sync has failed"
std::string sentence(const notice& n);

// The body of the request, JSON in either format. `workspace`: "https://ml.example.com".
std::string body_of(const notice& n, const config::notify_target& to, const std::string& workspace);

}  // namespace cmlrec::notify
