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
  std::shared_ptr<Dictionaries> dictionaries;  // of all threads

  std::size_t memory() const { return encoders.usage().leased_bytes + decoders.usage().leased_bytes; }
};

}  // namespace rproxy::filter
