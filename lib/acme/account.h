// The account at an ACME server: made where there is none, and what may be done with it.
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

// Why there can't be an account.
Error needs_external_account();

// A client that has been opened, in the name of the store's account; one that is made is kept. Where the options have another mail address than
// the server was last told of, it is told. `key` is where the account's key goes, which outlives the client, as do `fetcher` and `store`.
net::Task<Outcome<std::unique_ptr<Client>>> open_account(net::Loop& loop, upstream::Fetcher& fetcher,
                                                         const Store& store, const Options& options,
                                                         std::optional<jose::SigningKey>& key);

// From now on the store's account, which there is, has another key of that type (RFC 8555 7.3.5). Where an earlier attempt has been cut short, it
// is brought to its end.
net::Task<Outcome<void>> roll_over(net::Loop& loop, upstream::Fetcher& fetcher, const Store& store, Options options,
                                   x509::KeyType type);

}  // namespace rproxy::acme
