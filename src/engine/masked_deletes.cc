#include "engine/masked_deletes.h"

namespace omendb::engine {

std::atomic<uint64_t> MaskedDeletes::thawed_max{kThawedMax};

}  // namespace omendb::engine
