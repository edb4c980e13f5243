// What the disk has of what is asked for, brought back where requests find it.
#pragma once

#include "exchange/exchange.h"
#include "storage/cache.h"

namespace rproxy::proxy {

// Into memory, small content with it, once for all who ask meanwhile; null: it is not there. All of `wanted` lives as long as the request.
net::Task<cache::EntryPtr> look_on_disk(storage::Cache& cache, exchange::Request& request, storage::Wanted wanted);

}  // namespace rproxy::proxy
