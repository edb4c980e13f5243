// The small languages inside a request: addresses, authorities, Accept, cookies, queries, Forwarded, and what an operator writes.
#include "base/address.h"
#include "base/units.h"
#include "fuzz.h"
#include "http/authority.h"
#include "http/cookie.h"
#include "http/negotiation.h"
#include "http/query.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  const auto text = text_of(data, size);
  if (const auto ip = IpAddress::parse(text)) FUZZ_CHECK(IpAddress::parse(ip->to_string()) == ip);
  if (const auto where = HostPort::parse(text)) FUZZ_CHECK(HostPort::parse(where->to_string()) == where);
  if (const auto network = IpNetwork::parse(text)) FUZZ_CHECK(network->contains(network->address));
  if (const auto time = parse_duration(text)) FUZZ_CHECK(parse_duration(to_string(*time)) == time);
  if (const auto bytes = parse_byte_size(text)) FUZZ_CHECK(parse_byte_size(to_string(*bytes)) == bytes);
  if (const auto rate = parse_rate(text)) FUZZ_CHECK(parse_rate(to_string(*rate)) == rate);
  http::Authority authority;
  if (http::parse_authority(text, authority)) FUZZ_CHECK(text.starts_with(authority.host));
  http::Fields fields;
  fields.add(http::FieldId::kAccept, text);
  fields.add(http::FieldId::kCookie, text);
  (void)http::preferred_page(fields);
  (void)http::find_cookie(fields, "a");
  if (const auto value = http::find_query(text, "a")) FUZZ_CHECK(http::decodes_to(*value, http::decode_query(*value)));
  return 0;
}
