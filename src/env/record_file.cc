#include "env/record_file.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/newer_format.h"
#include "base/sqlstate.h"

namespace omendb::env {
namespace {

constexpr std::string_view kHeaderMagic = "OMENRECF";
constexpr std::string_view kFooterMagic = "OMENRECE";
constexpr uint32_t kVersion = 1;
constexpr uint64_t kHeaderBytes = 64;
constexpr uint64_t kBlockHeaderBytes = 24;
constexpr uint64_t kFooterBytes = 48;
// Large enough that the disk is kept busy, small enough that the final sync has little left.
constexpr uint64_t kWriteBehindBytes = 8 << 20;

struct Footer {
  uint64_t block_count = 0;
  uint64_t record_count = 0;
  uint64_t offset = 0;
  uint64_t file_id = 0;
  uint32_t crc_of_crcs = 0;
};

std::string EncodeHeader(const RecordFileOptions& options, uint64_t file_id) {
  std::string out;
  ByteWriter writer(out);
  writer.PutRaw(kHeaderMagic);
  writer.Put<uint32_t>(kVersion);
  writer.Put<uint16_t>(static_cast<uint16_t>(options.kind));
  writer.Put<uint16_t>(0);
  writer.Put<uint64_t>(options.system_id);
  writer.Put<uint64_t>(file_id);
  out.resize(kHeaderBytes - sizeof(uint32_t), '\0');
  writer.Put<uint32_t>(Crc32c(out));
  return out;
}

std::string EncodeFooter(const Footer& footer) {
  std::string out;
  ByteWriter writer(out);
  writer.PutRaw(kFooterMagic);
  writer.Put<uint64_t>(footer.block_count);
  writer.Put<uint64_t>(footer.record_count);
  writer.Put<uint64_t>(footer.offset);
  writer.Put<uint64_t>(footer.file_id);
  writer.Put<uint32_t>(footer.crc_of_crcs);
  writer.Put<uint32_t>(Crc32c(out));
  return out;
}

uint32_t ExtendCrcOfCrcs(uint32_t so_far, uint32_t block_crc) {
  char bytes[sizeof(block_crc)];
  StoreLe(bytes, block_crc);
  return Crc32c({bytes, sizeof(bytes)}, so_far);
}

// `block` with its header; the first four bytes do not count.
uint32_t BlockCrc(std::string_view block, uint64_t file_id, uint64_t offset) {
  char place[16];
  StoreLe(place, file_id);
  StoreLe(place + 8, offset);
  return Crc32c(block.substr(sizeof(uint32_t)), Crc32c({place, sizeof(place)}));
}

}  // namespace

class RecordFileWriter::Impl {
 public:
  Impl(Env& env, std::string path, const RecordFileOptions& options)
      : env_(env), path_(std::move(path)), options_(options) {}

  Status Create() {
    OMEN_ASSIGN(file_, env_.NewWritableFile(path_, {.mode = OpenMode::kTruncate,
                                                    .write_behind_bytes = kWriteBehindBytes}));
    // Not a secret, only different: an older file of this name was made at another time.
    footer_.file_id = static_cast<uint64_t>(env_.NowMicros()) * 0x9e3779b97f4a7c15 ^
                      static_cast<uint64_t>(env_.SteadyNow().time_since_epoch().count());
    StartBlock();
    return file_->Append(EncodeHeader(options_, footer_.file_id));
  }

  Status Append(std::string_view record) {
    if (record.size() > kRecordBytesMax) {
      return Status(sqlstate::kProgramLimitExceeded, "record of " + std::to_string(record.size()) +
                                                         " bytes is too long for \"" + path_ +
                                                         "\"");
    }
    char length[sizeof(uint32_t)];
    StoreLe(length, static_cast<uint32_t>(record.size()));
    block_.append(length, sizeof(length)).append(record);
    ++block_records_;
    ++footer_.record_count;
    return block_.size() >= options_.block_bytes ? FlushBlock() : Status::Ok();
  }

  Status Finish() {
    if (block_records_ > 0) {
      OMEN_TRY(FlushBlock());
    }
    footer_.offset = file_->position();
    OMEN_TRY(file_->Append(EncodeFooter(footer_)));
    OMEN_TRY(file_->Sync());
    OMEN_TRY(file_->Close());
    return env_.SyncDir(DirName(path_));
  }

  uint64_t record_count() const { return footer_.record_count; }
  uint64_t bytes_written() const { return file_->position(); }

 private:
  void StartBlock() {
    block_.assign(kBlockHeaderBytes, '\0');
    block_records_ = 0;
  }

  Status FlushBlock() {
    char* header = block_.data();
    StoreLe(header + 4, static_cast<uint32_t>(block_.size() - kBlockHeaderBytes));
    StoreLe(header + 8, block_records_);
    StoreLe(header + 12, uint32_t{0});
    StoreLe(header + 16, footer_.block_count);
    const uint32_t crc = BlockCrc(block_, footer_.file_id, file_->position());
    StoreLe(header, crc);
    OMEN_TRY(file_->Append(block_));
    ++footer_.block_count;
    footer_.crc_of_crcs = ExtendCrcOfCrcs(footer_.crc_of_crcs, crc);
    StartBlock();
    return Status::Ok();
  }

  Env& env_;  // borrowed
  const std::string path_;
  const RecordFileOptions options_;
  std::unique_ptr<WritableFile> file_;
  std::string block_;  // Header and records of the block being filled.
  uint32_t block_records_ = 0;
  Footer footer_;
};

RecordFileWriter::RecordFileWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RecordFileWriter::~RecordFileWriter() = default;

Result<std::unique_ptr<RecordFileWriter>> RecordFileWriter::Create(
    Env& env, const std::string& path, const RecordFileOptions& options) {
  auto impl = std::make_unique<Impl>(env, path, options);
  OMEN_TRY(impl->Create());
  return std::unique_ptr<RecordFileWriter>(new RecordFileWriter(std::move(impl)));
}

Status RecordFileWriter::Append(std::string_view record) { return impl_->Append(record); }
Status RecordFileWriter::Finish() { return impl_->Finish(); }
uint64_t RecordFileWriter::record_count() const { return impl_->record_count(); }
uint64_t RecordFileWriter::bytes_written() const { return impl_->bytes_written(); }

class RecordFileReader::Impl {
 public:
  Impl(std::string path, const RecordFileOptions& options)
      : path_(std::move(path)), options_(options) {}

  Status Open(Env& env) {
    OMEN_ASSIGN(const uint64_t size, env.FileSize(path_));
    OMEN_ASSIGN(file_, env.NewRandomAccessFile(path_));
    if (size < kHeaderBytes + kFooterBytes) {
      return DamagedFile(path_, size, "the file ends too early");
    }
    OMEN_TRY(ReadHeader());
    return ReadFooter(size - kFooterBytes);
  }

  Result<bool> Next(std::string_view* record) {
    if (position_ == block_.size()) {
      if (block_records_left_ != 0) return Damaged("fewer records in a block than it says");
      if (offset_ == footer_.offset) return AtEnd();
      OMEN_TRY(ReadBlock());
    }
    ByteReader reader(std::string_view(block_).substr(position_));
    const std::string_view bytes = reader.GetRaw(reader.Get<uint32_t>());
    if (reader.failed() || block_records_left_ == 0) return Damaged("a record exceeds its block");
    position_ += reader.position();
    --block_records_left_;
    ++records_read_;
    *record = bytes;
    return true;
  }

  uint64_t record_count() const { return footer_.record_count; }

 private:
  Status Damaged(std::string_view what) const { return DamagedFile(path_, block_offset_, what); }

  Status ReadHeader() {
    std::string bytes(kHeaderBytes, '\0');
    OMEN_ASSIGN(const size_t got, file_->Read(0, bytes));
    const std::string_view checked = std::string_view(bytes).substr(0, kHeaderBytes - 4);
    if (got != bytes.size() || !checked.starts_with(kHeaderMagic) ||
        LoadLe<uint32_t>(bytes.data() + checked.size()) != Crc32c(checked)) {
      return DamagedFile(path_, 0, "invalid header");
    }
    const auto version = LoadLe<uint32_t>(bytes.data() + 8);
    if (version > kVersion) {
      return WrittenByNewer("\"" + path_ + "\"", "format version", version);
    }
    if (version != kVersion) return DamagedFile(path_, 8, "unknown format version");
    if (LoadLe<uint16_t>(bytes.data() + 12) != static_cast<uint16_t>(options_.kind)) {
      return DamagedFile(path_, 12, "the file is of another kind");
    }
    if (options_.system_id != 0 && LoadLe<uint64_t>(bytes.data() + 16) != options_.system_id) {
      return DamagedFile(path_, 16, "the file belongs to another data folder");
    }
    footer_.file_id = LoadLe<uint64_t>(bytes.data() + 24);
    offset_ = kHeaderBytes;
    return Status::Ok();
  }

  Status ReadFooter(uint64_t at) {
    std::string bytes(kFooterBytes, '\0');
    OMEN_ASSIGN(const size_t got, file_->Read(at, bytes));
    const std::string_view checked = std::string_view(bytes).substr(0, kFooterBytes - 4);
    if (got != bytes.size() || !checked.starts_with(kFooterMagic) ||
        LoadLe<uint32_t>(bytes.data() + checked.size()) != Crc32c(checked)) {
      return DamagedFile(path_, at, "invalid footer (the file may have been cut short)");
    }
    footer_.block_count = LoadLe<uint64_t>(bytes.data() + 8);
    footer_.record_count = LoadLe<uint64_t>(bytes.data() + 16);
    footer_.offset = LoadLe<uint64_t>(bytes.data() + 24);
    footer_.crc_of_crcs = LoadLe<uint32_t>(bytes.data() + 40);
    if (footer_.offset != at || LoadLe<uint64_t>(bytes.data() + 32) != footer_.file_id) {
      return DamagedFile(path_, at, "the footer is another file's");
    }
    return Status::Ok();
  }

  Status ReadBlock() {
    block_offset_ = offset_;
    const uint64_t left = footer_.offset - offset_;
    if (left < kBlockHeaderBytes) return Damaged("incomplete block header");
    raw_.resize(kBlockHeaderBytes);
    OMEN_TRY(ReadAll(0));
    const auto bytes = LoadLe<uint32_t>(raw_.data() + 4);
    if (bytes > left - kBlockHeaderBytes) return Damaged("a block exceeds the file");
    raw_.resize(kBlockHeaderBytes + bytes);
    OMEN_TRY(ReadAll(kBlockHeaderBytes));
    const auto crc = LoadLe<uint32_t>(raw_.data());
    if (crc != BlockCrc(raw_, footer_.file_id, offset_)) return Damaged("checksum mismatch");
    if (LoadLe<uint64_t>(raw_.data() + 16) != blocks_read_) return Damaged("block out of order");
    if (LoadLe<uint32_t>(raw_.data() + 12) != 0) return Damaged("unknown block encoding");
    block_records_left_ = LoadLe<uint32_t>(raw_.data() + 8);
    block_ = std::string_view(raw_).substr(kBlockHeaderBytes);
    position_ = 0;
    offset_ += raw_.size();
    ++blocks_read_;
    crc_of_crcs_ = ExtendCrcOfCrcs(crc_of_crcs_, crc);
    return Status::Ok();
  }

  // Fills raw_ from `from` on.
  Status ReadAll(size_t from) {
    const std::span<char> rest = std::span(raw_).subspan(from);
    OMEN_ASSIGN(const size_t got, file_->Read(offset_ + from, rest));
    return got == rest.size() ? Status::Ok() : Damaged("the file ends too early");
  }

  Result<bool> AtEnd() const {
    if (blocks_read_ != footer_.block_count || records_read_ != footer_.record_count ||
        crc_of_crcs_ != footer_.crc_of_crcs) {
      return DamagedFile(path_, footer_.offset, "blocks are missing");
    }
    return false;
  }

  const std::string path_;
  const RecordFileOptions options_;
  std::unique_ptr<RandomAccessFile> file_;
  Footer footer_;
  std::string raw_;         // The current block with its header.
  std::string_view block_;  // Its records.
  size_t position_ = 0;     // In block_.
  uint64_t block_offset_ = 0;
  uint64_t offset_ = 0;  // In the file, of the next block.
  uint32_t block_records_left_ = 0;
  uint64_t blocks_read_ = 0;
  uint64_t records_read_ = 0;
  uint32_t crc_of_crcs_ = 0;
};

RecordFileReader::RecordFileReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RecordFileReader::~RecordFileReader() = default;

Result<std::unique_ptr<RecordFileReader>> RecordFileReader::Open(Env& env, const std::string& path,
                                                                 const RecordFileOptions& options) {
  auto impl = std::make_unique<Impl>(path, options);
  OMEN_TRY(impl->Open(env));
  return std::unique_ptr<RecordFileReader>(new RecordFileReader(std::move(impl)));
}

Result<bool> RecordFileReader::Next(std::string_view* record) { return impl_->Next(record); }
uint64_t RecordFileReader::record_count() const { return impl_->record_count(); }

}  // namespace omendb::env
