#include "env/env.h"

#include <cerrno>
#include <cstring>

#include "base/sqlstate.h"

namespace omendb::env {
namespace {

SqlState StateOf(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return sqlstate::kDiskFull;
    case ENOENT:
    case ENOTDIR:
      return sqlstate::kUndefinedFile;
    case EEXIST:
      return sqlstate::kDuplicateFile;
    case EACCES:
    case EPERM:
    case EROFS:
      return sqlstate::kInsufficientPrivilege;
    default:
      return sqlstate::kIoError;
  }
}

}  // namespace

Status ErrnoToStatus(int error, std::string_view action, std::string_view path) {
  std::string message = "could not ";
  message.append(action).append(" \"").append(path).append("\": ").append(std::strerror(error));
  return Status(StateOf(error), std::move(message));
}

Status DamagedFile(std::string_view path, uint64_t offset, std::string_view what) {
  std::string message = "file \"";
  message.append(path).append("\" is damaged at offset ").append(std::to_string(offset));
  message.append(": ").append(what);
  return Status(sqlstate::kDataCorrupted, std::move(message));
}

std::string JoinPath(std::string_view dir, std::string_view name) {
  std::string path(dir);
  if (!path.empty() && path.back() != '/') path.push_back('/');
  return path.append(name);
}

std::string DirName(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(slash == 0 ? "/" : path.substr(0, slash));
}

Result<std::string> ReadFileToString(Env& env, const std::string& path, uint64_t bytes_max) {
  OMEN_ASSIGN(const uint64_t size, env.FileSize(path));
  if (size > bytes_max) {
    return Status(sqlstate::kProgramLimitExceeded,
                  "file \"" + path + "\" is larger than " + std::to_string(bytes_max) + " bytes");
  }
  OMEN_ASSIGN(auto file, env.NewRandomAccessFile(path));
  std::string contents(size, '\0');
  OMEN_ASSIGN(const size_t got, file->Read(0, contents));
  contents.resize(got);
  return contents;
}

namespace {

Status WriteWhole(Env& env, const std::string& path, std::string_view contents) {
  OMEN_ASSIGN(auto file, env.NewWritableFile(path, {.mode = OpenMode::kTruncate}));
  OMEN_TRY(file->Append(contents));
  OMEN_TRY(file->Sync());
  return file->Close();
}

}  // namespace

Status ReplaceFile(Env& env, const std::string& path, std::string_view contents) {
  const std::string draft = path + ".tmp";
  Status written = WriteWhole(env, draft, contents);
  if (written.ok()) written = env.Rename(draft, path);
  if (!written.ok()) {
    (void)env.Remove(draft);
    return written;
  }
  return env.SyncDir(DirName(path));
}

}  // namespace omendb::env
