// new_segment.h - a writer for the next segment of a table.
//
// Its columns are the table's live ones in their order, then the row id; its key is the primary
// key, or the row id of a table without one.
//
// Thread safety  Any thread.
// Errors         Those of SegmentWriter::Create.
#pragma once

#include <memory>

#include "catalog/definitions.h"
#include "colstore/segment_writer.h"
#include "engine/segment_files.h"

namespace omendb::engine {

Result<std::unique_ptr<colstore::SegmentWriter>> NewSegment(const SegmentFiles& files,
                                                            const catalog::TableDef& table,
                                                            uint64_t file_id);

}  // namespace omendb::engine
