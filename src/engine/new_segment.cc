#include "engine/new_segment.h"

#include <algorithm>

#include "base/check.h"

namespace omendb::engine {

Result<std::unique_ptr<colstore::SegmentWriter>> NewSegment(const SegmentFiles& files,
                                                            const catalog::TableDef& table,
                                                            uint64_t file_id) {
  colstore::SegmentOptions options;
  options.system_id = files.system_id();
  options.file_id = file_id;
  options.storage = table.storage;
  const std::vector<ColumnId> columns = table.live_columns();
  for (const ColumnId id : columns) options.columns.push_back({id, table.column(id).type});
  options.columns.push_back({ColumnId(0), types::SqlType{types::TypeKind::kInt8}});
  if (const catalog::IndexDef* primary = table.primary_key()) {
    for (const catalog::IndexKey& key : primary->keys) {
      const auto at = std::find(columns.begin(), columns.end(), key.column);
      OMEN_CHECK(at != columns.end());
      options.key.push_back(
          {static_cast<uint32_t>(at - columns.begin()), {key.descending, key.nulls_first}});
    }
  } else {
    options.key.push_back({static_cast<uint32_t>(columns.size()), {}});
  }
  return colstore::SegmentWriter::Create(files.env(), files.PathOf(file_id), std::move(options));
}

}  // namespace omendb::engine
