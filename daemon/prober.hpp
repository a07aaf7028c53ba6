// The HTTP checks of `verify:`, over the same transport as the API.
#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "cml/http_api.hpp"
#include "core/clock.hpp"
#include "reconcile/reconciler.hpp"

namespace cmlrec::daemon {

std::unique_ptr<reconcile::prober> make_prober(boost::asio::any_io_executor executor,
                                               core::clock& clock, cml::http_options options);

}  // namespace cmlrec::daemon
