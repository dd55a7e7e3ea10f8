#include "engine/redo.h"

#include <algorithm>

namespace omendb::engine {
namespace {

using types::PhysicalType;

void AppendHeader(RedoOp op, Oid storage, size_t payload_bytes, std::string& redo) {
  ByteWriter writer(redo);
  writer.Put(static_cast<uint8_t>(op));
  writer.PutVarint(storage.value());
  writer.PutVarint(payload_bytes);
}

size_t VarintBytes(uint64_t v) {
  size_t bytes = 1;
  for (; v >= 0x80; v >>= 7) ++bytes;
  return bytes;
}

}  // namespace

void AppendRowImage(std::span<const PhysicalType> columns, std::span<const types::Value> row,
                    std::string& out) {
  const size_t count = std::min(columns.size(), row.size());
  ByteWriter writer(out);
  writer.PutVarint(count);
  const size_t validity_at = out.size();
  out.append((count + 7) / 8, '\0');
  for (size_t i = 0; i < count; ++i) {
    if (row[i].is_null) continue;
    out[validity_at + i / 8] = static_cast<char>(out[validity_at + i / 8] | 1 << (i % 8));
    if (columns[i] == PhysicalType::kString) {
      writer.PutString(row[i].str());
    } else {
      char cell[16];
      types::StoreCell(columns[i], cell, row[i]);
      out.append(cell, static_cast<size_t>(types::PhysicalSize(columns[i])));
    }
  }
}

bool ReadRowImage(std::span<const PhysicalType> columns, ByteReader& in, types::Row& row) {
  row.clear();
  const uint64_t count = in.GetVarint();
  if (count > columns.size()) return false;
  const std::string_view validity = in.GetRaw((count + 7) / 8);
  if (in.failed()) return false;
  for (size_t i = 0; i < count; ++i) {
    if ((validity[i / 8] >> (i % 8) & 1) == 0) {
      row.push_back(types::Value::Null());
    } else if (columns[i] == PhysicalType::kString) {
      row.push_back(types::Value::String(in.GetString()));
    } else {
      const std::string_view cell =
          in.GetRaw(static_cast<uint64_t>(types::PhysicalSize(columns[i])));
      if (in.failed()) return false;
      row.push_back(types::LoadCell(columns[i], cell.data()));
    }
  }
  return !in.failed();
}

void AppendPut(Oid storage, RowId row, std::span<const PhysicalType> columns,
               std::span<const types::Value> values, std::string& redo) {
  // The image's size comes before it: built in a buffer that keeps its capacity.
  static thread_local std::string image;
  image.clear();
  AppendRowImage(columns, values, image);
  AppendHeader(RedoOp::kPut, storage, VarintBytes(row.value()) + image.size(), redo);
  ByteWriter writer(redo);
  writer.PutVarint(row.value());
  writer.PutRaw(image);
}

void AppendDelete(Oid storage, RowId row, std::string& redo) {
  AppendHeader(RedoOp::kDelete, storage, VarintBytes(row.value()), redo);
  ByteWriter(redo).PutVarint(row.value());
}

void AppendSegment(RedoOp op, Oid storage, uint64_t file_id, std::string_view rows,
                   std::string& redo) {
  AppendHeader(op, storage, VarintBytes(file_id) + rows.size(), redo);
  ByteWriter writer(redo);
  writer.PutVarint(file_id);
  writer.PutRaw(rows);
}

void PutManyWriter::Finish(std::string& redo) {
  AppendHeader(RedoOp::kPutMany, storage_,
               VarintBytes(first_.value()) + VarintBytes(count_) + images_.size(), redo);
  ByteWriter writer(redo);
  writer.PutVarint(first_.value());
  writer.PutVarint(count_);
  writer.PutRaw(images_);
}

}  // namespace omendb::engine
