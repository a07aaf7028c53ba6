// The real clock, on the event loop.
#pragma once

#include "core/clock.hpp"

#include <memory>

#include <boost/asio/any_io_executor.hpp>

namespace cmlrec::cml {

std::unique_ptr<core::clock> make_asio_clock(boost::asio::any_io_executor executor);

}  // namespace cmlrec::cml
