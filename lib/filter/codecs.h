// What a worker codes and decodes with.
#pragma once

#include "codec/decoders.h"
#include "codec/encoders.h"
#include "filter/compression_options.h"
#include "filter/dictionaries.h"

namespace rproxy::filter {

// Of one thread. Contents that pass hold it.
struct Codecs {
  codec::Encoders encoders;
  codec::Decoders decoders;
  // Of all threads:
  std::shared_ptr<Dictionaries> dictionaries;
  std::shared_ptr<codec::Tally> forms;  // memory that makes coded forms of what is cached

  std::size_t memory() const {
    return encoders.usage().leased_bytes + decoders.usage().leased_bytes + (forms != nullptr ? forms->bytes() : 0);
  }
};

}  // namespace rproxy::filter
