#include "server/connection.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "pgwire/utf8.h"

namespace omendb::server {
namespace {

Status ProtocolError(std::string message) {
  return Status(sqlstate::kProtocolViolation, std::move(message)).WithRadius(Radius::kConnection);
}

// Memory of an output buffer that an unusually large row has left is given back.
constexpr size_t kIdleOutputBytesMax = 1 << 20;
// COPY messages are joined up to this size, so that rows sent one by one cost no more than others.
constexpr size_t kCopyBatchBytes = 64 * 1024;

// The client is gone: nothing can be said to it.
bool IsSilent(const Status& error) { return error.Is(sqlstate::kConnectionFailure); }

pgwire::TransactionStatus TransactionStatusOf(char status) {
  return static_cast<pgwire::TransactionStatus>(status);
}

}  // namespace

Connection::Connection(ConnectionContext& context, boost::asio::io_context& loop, Socket socket,
                       Yield yield)
    : context_(context),
      stream_(loop, std::move(socket)),
      yield_(yield),
      host_(context.pool, loop, yield),
      sink_(*this) {
  context_.counters.connections_open.fetch_add(1, std::memory_order_relaxed);
}

Connection::~Connection() {
  context_.counters.connections_open.fetch_sub(1, std::memory_order_relaxed);
}

Status Connection::RunGuarded() {
  // Our code throws nothing; libraries may. It must not end the process, only this session.
  try {
    OMEN_ASSIGN(const bool started, Start());
    return started ? Serve() : Status::Ok();
  } catch (const std::exception& error) {
    spdlog::error("session {}: {}", pid_, error.what());
    return Status(sqlstate::kInternalError, std::string("internal error: ") + error.what())
        .WithRadius(Radius::kConnection);
  }
}

void Connection::Run() {
  const Status end = RunGuarded();
  if (!end.ok() && !IsSilent(end)) {
    ErrorInfo fatal = end.error();
    fatal.radius = Radius::kConnection;
    pgwire::WriteError(output_, fatal);
  }
  if (end.ok() || !IsSilent(end)) {
    const Status flushed = Flush();
    (void)flushed.ok();  // The client may be gone; there is nobody left to tell.
  }
  session_.reset();
  stream_.Close();
}

Status Connection::ReadMore(SteadyTime deadline) {
  // What a length word claims is believed only as far as bytes have come: the buffer doubles.
  const size_t room =
      std::clamp<size_t>(input_.missing(), 8192, std::max<size_t>(input_.buffered(), 128 * 1024));
  const Stream::ReadResult got = stream_.Read(input_.Room(room), deadline, yield_);
  switch (got.state) {
    case Stream::ReadState::kData:
      context_.counters.bytes_received.fetch_add(got.bytes, std::memory_order_relaxed);
      input_.Commit(got.bytes);
      return Status::Ok();
    case Stream::ReadState::kClosed:
      return Status(sqlstate::kConnectionFailure, "client closed the connection")
          .WithRadius(Radius::kConnection);
    case Stream::ReadState::kInterrupted:
      return Status(sqlstate::kAdminShutdown, "terminating connection due to administrator command")
          .WithRadius(Radius::kConnection);
    case Stream::ReadState::kTimedOut:
      return session_ == nullptr
                 ? Status(sqlstate::kConnectionFailure, "authentication timed out")
                 : Status(SqlState("25P03"),
                          "terminating connection due to idle-in-transaction timeout")
                       .WithRadius(Radius::kConnection);
  }
  return Status::Ok();
}

Status Connection::NextFrame(pgwire::Frame& frame, SteadyTime deadline, size_t bytes_max) {
  while (true) {
    switch (input_.NextFrame(frame, bytes_max)) {
      case pgwire::FrameState::kFrame:
        return Status::Ok();
      case pgwire::FrameState::kBroken:
        return input_.error();
      case pgwire::FrameState::kNeedMore:
        break;
    }
    // Everything that was asked so far is answered before we wait: one write for a whole pipeline.
    OMEN_TRY(Flush());
    OMEN_TRY(ReadMore(deadline));
  }
}

SteadyTime Connection::IdleDeadline() const {
  const uint64_t timeout_ms = session_->idle_in_transaction_timeout_ms();
  if (timeout_ms == 0 || session_->transaction_status() == 'I') return kNoDeadline;
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
}

Status Connection::Serve() {
  while (true) {
    pgwire::Frame frame;
    OMEN_TRY(NextFrame(frame, IdleDeadline(), pgwire::InputBuffer::kMessageBytesMax));
    OMEN_ASSIGN(const bool goes_on, Handle(frame));
    if (!goes_on) return Status::Ok();
    input_.ShrinkIfIdle();
  }
}

Result<bool> Connection::Handle(const pgwire::Frame& frame) {
  namespace frontend = pgwire::frontend;
  switch (frame.type) {
    case frontend::kTerminate:
      return false;
    case frontend::kQuery:
      if (!skip_to_sync_) OMEN_TRY(HandleQuery(frame.body));
      return true;
    case frontend::kSync:
      skip_to_sync_ = false;
      HandleSync();
      return true;
    case frontend::kFlush:
      OMEN_TRY(Flush());
      return true;
    // Left over from a COPY that ended with an error: ignored, as the protocol says.
    case frontend::kCopyData:
    case frontend::kCopyDone:
    case frontend::kCopyFail:
      return true;
    case frontend::kParse:
    case frontend::kBind:
    case frontend::kDescribe:
    case frontend::kExecute:
    case frontend::kClose:
    case frontend::kFunctionCall: {
      if (skip_to_sync_) return true;
      const Status handled = HandleExtended(frame);
      if (handled.ok()) return true;
      if (handled.error().radius == Radius::kConnection) return handled;
      skip_to_sync_ = true;
      session_->FailTransaction();
      ReportError(handled);
      return true;
    }
    default:
      return ProtocolError(std::string("invalid frontend message type ") +
                           std::to_string(static_cast<unsigned char>(frame.type)));
  }
}

Status Connection::HandleExtended(const pgwire::Frame& frame) {
  switch (frame.type) {
    case pgwire::frontend::kParse:
      return HandleParse(frame.body);
    case pgwire::frontend::kBind:
      return HandleBind(frame.body);
    case pgwire::frontend::kDescribe:
      return HandleDescribe(frame.body);
    case pgwire::frontend::kExecute:
      return HandleExecute(frame.body);
    case pgwire::frontend::kClose:
      return HandleClose(frame.body);
    default:
      return NotSupported("the function call protocol");
  }
}

Status Connection::HandleQuery(std::string_view body) {
  std::string_view text;
  Status done = pgwire::DecodeString(body, text);
  if (done.ok()) {
    // COPY reads further messages into the buffer that the text lies in.
    const std::string query(text);
    done = pgwire::CheckUtf8(query);
    if (done.ok()) {
      sink_.Begin({}, {}, session_->io_settings());
      done = session_->ExecuteSimple(query, sink_);
    } else {
      session_->FailTransaction();
    }
  }
  if (!done.ok()) {
    if (done.error().radius == Radius::kConnection) return done;
    ReportError(done);
  }
  WriteReady();
  return Status::Ok();
}

Status Connection::HandleParse(std::string_view body) {
  OMEN_TRY(pgwire::DecodeParse(body, parse_));
  OMEN_TRY(pgwire::CheckUtf8(parse_.statement));
  OMEN_TRY(pgwire::CheckUtf8(parse_.query));
  OMEN_TRY(session_->Parse(parse_.statement, parse_.query, parse_.parameter_oids));
  pgwire::WriteParseComplete(output_);
  return Status::Ok();
}

Status Connection::HandleBind(std::string_view body) {
  OMEN_TRY(pgwire::DecodeBind(body, bind_));
  parameters_.clear();
  for (const pgwire::ParameterView& p : bind_.parameters) {
    if (!p.is_null && !p.is_binary) OMEN_TRY(pgwire::CheckUtf8(p.bytes));
    parameters_.push_back({.is_null = p.is_null, .is_binary = p.is_binary, .bytes = p.bytes});
  }
  OMEN_TRY(pgwire::CheckUtf8(bind_.portal));
  OMEN_TRY(session_->Bind(bind_.portal, bind_.statement, parameters_));
  PortalInfo& info = InfoOf(bind_.portal);
  info.formats.assign(bind_.result_formats.begin(), bind_.result_formats.end());
  info.described = false;
  pgwire::WriteBindComplete(output_);
  return Status::Ok();
}

Connection::PortalInfo& Connection::InfoOf(std::string_view portal) {
  const auto found = portals_.find(portal);
  return found != portals_.end()
             ? found->second
             : portals_.emplace(std::string(portal), PortalInfo()).first->second;
}

Result<sql::Session::PortalDescription> Connection::DescribePortal(std::string_view name,
                                                                   PortalInfo& info) {
  OMEN_ASSIGN(const sql::Session::PortalDescription portal, session_->DescribePortal(name));
  if (info.formats.size() > 1 && info.formats.size() != portal.columns.size()) {
    return Status(sqlstate::kProtocolViolation,
                  "bind message has " + std::to_string(info.formats.size()) +
                      " result formats but query has " + std::to_string(portal.columns.size()) +
                      " columns");
  }
  info.types.clear();
  for (const types::ResultColumn& column : portal.columns) info.types.push_back(column.type);
  info.described = true;
  return portal;
}

Status Connection::HandleDescribe(std::string_view body) {
  pgwire::TargetMessage target;
  OMEN_TRY(pgwire::DecodeTarget(body, target));
  if (target.kind == 'P') {
    PortalInfo& info = InfoOf(target.name);
    OMEN_ASSIGN(const sql::Session::PortalDescription portal, DescribePortal(target.name, info));
    if (portal.has_rows) {
      WriteColumns(output_, portal.columns, info.formats);
    } else {
      pgwire::WriteNoData(output_);
    }
    return Status::Ok();
  }
  OMEN_ASSIGN(const sql::Session::Description description,
              session_->DescribeStatement(target.name));
  pgwire::WriteParameterDescription(output_, description.param_oids);
  if (description.has_rows) {
    WriteColumns(output_, description.columns, {});
  } else {
    pgwire::WriteNoData(output_);
  }
  return Status::Ok();
}

Status Connection::HandleExecute(std::string_view body) {
  pgwire::ExecuteMessage execute;
  OMEN_TRY(pgwire::DecodeExecute(body, execute));
  // COPY reads further messages into the buffer that the name lies in.
  const std::string portal(execute.portal);
  PortalInfo& info = InfoOf(portal);
  if (!info.described) OMEN_TRY(DescribePortal(portal, info).status());
  sink_.Begin(info.formats, info.types, session_->io_settings());
  return session_->Execute(
      portal, execute.rows_max > 0 ? static_cast<uint64_t>(execute.rows_max) : 0, sink_);
}

Status Connection::HandleClose(std::string_view body) {
  pgwire::TargetMessage target;
  OMEN_TRY(pgwire::DecodeTarget(body, target));
  if (target.kind == 'S') {
    OMEN_TRY(session_->CloseStatement(target.name));
  } else {
    OMEN_TRY(session_->ClosePortal(target.name));
    const auto found = portals_.find(target.name);
    if (found != portals_.end()) portals_.erase(found);
  }
  pgwire::WriteCloseComplete(output_);
  return Status::Ok();
}

void Connection::HandleSync() {
  const Status synced = session_->Sync(sink_);
  if (!synced.ok()) ReportError(synced);
  WriteReady();
}

void Connection::ReportError(const Status& error) { pgwire::WriteError(output_, error.error()); }

void Connection::WriteReady() {
  // Portals end with their transaction. A few stale entries are cheaper than making them anew.
  if (session_->transaction_status() == 'I' && portals_.size() > 16) portals_.clear();
  pgwire::WriteReadyForQuery(output_, TransactionStatusOf(session_->transaction_status()));
  ready_in_output_ = true;
}

Status Connection::Flush() {
  if (output_.empty()) return Status::Ok();
  const Status written = stream_.Write(output_, yield_);
  context_.counters.bytes_sent.fetch_add(output_.size(), std::memory_order_relaxed);
  output_.clear();
  if (output_.capacity() > kIdleOutputBytesMax) output_.shrink_to_fit();
  ready_in_output_ = false;
  return written;
}

Result<std::optional<std::string_view>> Connection::ReadCopyMessage() {
  copy_batch_.clear();
  while (true) {
    pgwire::Frame frame;
    // With something in hand, only what has already come is added to it.
    if (!copy_batch_.empty()) {
      if (copy_batch_.size() >= kCopyBatchBytes ||
          input_.NextType() != pgwire::frontend::kCopyData ||
          input_.NextFrame(frame) != pgwire::FrameState::kFrame) {
        return std::optional<std::string_view>(copy_batch_);
      }
      copy_batch_.append(frame.body);
      continue;
    }
    OMEN_TRY(NextFrame(frame, kNoDeadline, pgwire::InputBuffer::kMessageBytesMax));
    switch (frame.type) {
      case pgwire::frontend::kCopyData:
        if (frame.body.size() >= kCopyBatchBytes / 4) {
          return std::optional<std::string_view>(frame.body);
        }
        copy_batch_.append(frame.body);
        break;
      case pgwire::frontend::kCopyDone:
        return std::optional<std::string_view>();
      case pgwire::frontend::kCopyFail: {
        std::string_view reason;
        OMEN_TRY(pgwire::DecodeString(frame.body, reason));
        return Status(sqlstate::kQueryCanceled, "COPY from stdin failed: " + std::string(reason));
      }
      case pgwire::frontend::kFlush:
      case pgwire::frontend::kSync:
        break;  // Clients of the extended protocol may send them; they mean nothing here.
      default: {
        char message[64];
        std::snprintf(message, sizeof message,
                      "unexpected message type 0x%02X during COPY from stdin",
                      static_cast<unsigned>(static_cast<unsigned char>(frame.type)));
        return ProtocolError(message);
      }
    }
  }
}

Status Connection::RunAnalytical(const std::function<void(Waiter&)>& work, CancelFlag& cancel,
                                 sql::Ticker* ticker) {
  // Answers to earlier requests of the pipeline do not wait for a long one.
  if (ready_in_output_) OMEN_TRY(Flush());
  return host_.RunAnalytical(work, cancel, ticker);
}

}  // namespace omendb::server
