// crc32c.h - CRC-32C (Castagnoli), hardware where the CPU has it, a table otherwise.
#pragma once

#include <cstdint>
#include <string_view>

namespace omendb {

// The checksum of `data` continued from `crc` (0 to start). Crc32c("123456789") == 0xe3069283.
uint32_t Crc32c(std::string_view data, uint32_t crc = 0);

}  // namespace omendb
