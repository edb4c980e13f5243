// The account at an ACME server, made where there is none.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "acme/client.h"
#include "acme/options.h"
#include "acme/store.h"
#include "jose/signing_key.h"
#include "net/task.h"
#include "upstream/fetcher.h"

namespace rproxy::acme {

// "mailto:ops@shop.com" for each.
std::vector<std::string> contacts_of(const std::vector<std::string>& email);

// A client that has been opened, in the name of the store's account; one that is made is kept. `key` is where the account's key goes, which
// outlives the client, as do `fetcher` and `store`.
net::Task<Outcome<std::unique_ptr<Client>>> open_account(net::Loop& loop, upstream::Fetcher& fetcher,
                                                         const Store& store, const Options& options,
                                                         std::optional<jose::SigningKey>& key);

}  // namespace rproxy::acme
