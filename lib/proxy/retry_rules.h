// What an endpoint's failure means: for its standing, and for asking again. Decisions only; Tries acts on them.
#pragma once

#include <cstdint>

#include "balance/circuit_breaker.h"
#include "balance/endpoint.h"
#include "base/error.h"
#include "exchange/exchange.h"
#include "http/message.h"
#include "upstream/options.h"

namespace rproxy::proxy {

balance::Outcome outcome_of(const Error& error);

// An answer that ends like this was cut short by the endpoint itself, not by us, a client or the time a request may take.
bool is_cut_by_endpoint(const Error& error);

// A kept connection that the endpoint closed just as it was used says nothing about the endpoint.
bool is_stale(const Error& error);

// There was no connection to send anything on.
bool is_connect_failure(const Error& error);

// Refused at once it has burdened nobody and taken no time: every endpoint may be asked, so that one that lives is found.
bool has_cost_nothing(const Error& error);

// Whether what may have been processed is asked for again.
bool is_repeatable(const upstream::RetryOptions& options, const http::RequestHead& head);

// Whether the operator, and the request, have it tried again after that. What has been sent of the content is not looked at.
bool allows_retry(const upstream::RetryOptions& options, const http::RequestHead& head, const Error& error);
bool allows_retry(const upstream::RetryOptions& options, const http::RequestHead& head, std::uint16_t status);

// What the upstream had no part in shows nothing of it.
void tell_breaker(balance::CircuitBreaker::Admission& admission, const Result<exchange::Response>& response,
                  TimePoint now);

}  // namespace rproxy::proxy
