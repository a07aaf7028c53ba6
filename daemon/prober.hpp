// The HTTP checks of `verify:`, over the same transport as the API.
#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "cml/http_api.hpp"
#include "cml/http_probe.hpp"
#include "core/clock.hpp"
#include "reconcile/reconciler.hpp"

namespace cmlrec::daemon {

// The same certificates and proxy for every other URL.
cml::probe_options probe_options_of(const cml::http_options& options);

std::unique_ptr<reconcile::prober> make_prober(boost::asio::any_io_executor executor,
                                               core::clock& clock, cml::http_options options);

}  // namespace cmlrec::daemon
