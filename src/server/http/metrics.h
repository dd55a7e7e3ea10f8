// metrics.h - what /metrics answers: the server's and the engine's counters in Prometheus text.
//
// See            Prometheus text-based exposition format 0.0.4.
#pragma once

#include <string>

#include "server/connection_context.h"

namespace omendb::server {

std::string MetricsText(ConnectionContext& context);

}  // namespace omendb::server
