// What is stored, in the words of cache/.
#pragma once

#include "cache/content.h"
#include "cache/digest.h"
#include "cache/entry.h"
#include "cache/key.h"
#include "cache/purge.h"

namespace rproxy::storage {

using cache::Content;
using cache::Digest;
using cache::DigestHash;
using cache::Entry;
using cache::EntryPtr;
using cache::Key;
using cache::Meta;
using cache::Purge;

}  // namespace rproxy::storage
