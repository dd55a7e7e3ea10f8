// connection.h - one client of the wire protocol, from its first packet to its end.
//
// States         startup -> authenticated -> ready <-> busy -> closed
// Thread safety  Runs as one coroutine on one event loop; Interrupt on that loop's thread.
// Errors         An error in a statement goes to the client and the connection goes on; an error
//                with radius connection ends it. After an error in the extended protocol messages
//                are skipped up to Sync, as PostgreSQL does.
// See            PostgreSQL 15, sections 55.2.2 to 55.2.7.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "pgwire/input_buffer.h"
#include "pgwire/messages.h"
#include "server/connection_context.h"
#include "server/session_host.h"
#include "server/stream.h"
#include "server/wire_sink.h"

namespace omendb::server {

class Connection : private WireChannel, private sql::Host {
 public:
  Connection(ConnectionContext& context, boost::asio::io_context& loop, Socket socket, Yield yield);
  ~Connection() override;

  // Serves the client until either side ends. Closes the socket.
  void Run();
  // Ends it with 57P01 as soon as it waits for the client. On the loop's thread.
  void Interrupt() { stream_.Interrupt(); }
  int32_t pid() const { return pid_; }

 private:
  // ---- Start (connection_startup.cc) -----------------------------------------------------------
  // False when the connection ends here (cancel request, refusal already sent).
  Result<bool> Start();
  Status ReadStartupPacket(pgwire::StartupPacket& packet);
  Status AnswerTlsRequest();
  Status Authenticate(const std::string& user);
  Result<std::string_view> ReadPassword();
  Status OpenSession(const pgwire::StartupPacket& packet);

  // ---- Messages --------------------------------------------------------------------------------
  // Reads until a frame is whole.
  Status NextFrame(pgwire::Frame& frame, SteadyTime deadline, size_t bytes_max);
  Status ReadMore(SteadyTime deadline);
  SteadyTime IdleDeadline() const;
  Status Serve();
  // False at Terminate.
  Result<bool> Handle(const pgwire::Frame& frame);
  Status HandleExtended(const pgwire::Frame& frame);
  // Start and Serve, with what they throw turned into XX000.
  Status RunGuarded();
  Status HandleQuery(std::string_view body);
  Status HandleParse(std::string_view body);
  Status HandleBind(std::string_view body);
  Status HandleDescribe(std::string_view body);
  Status HandleExecute(std::string_view body);
  Status HandleClose(std::string_view body);
  void HandleSync();
  void ReportError(const Status& error);
  void WriteReady();

  // ---- WireChannel -----------------------------------------------------------------------------
  std::string& output() override { return output_; }
  Status Flush() override;
  Result<std::optional<std::string_view>> ReadCopyMessage() override;
  // ---- sql::Host -------------------------------------------------------------------------------
  Waiter& waiter() override { return host_.waiter(); }
  Status RunAnalytical(const std::function<void(Waiter&)>& work, CancelFlag& cancel,
                       sql::Ticker* ticker) override;

  ConnectionContext& context_;
  Stream stream_;
  Yield yield_;
  SessionHost host_;
  pgwire::InputBuffer input_;
  std::string output_;
  WireSink sink_;
  int32_t pid_ = 0;
  int32_t cancel_key_ = 0;
  std::unique_ptr<sql::Session> session_;
  bool skip_to_sync_ = false;
  bool ready_in_output_ = false;  // An answer is whole, only not sent yet.

  // What Execute needs to know of an open portal.
  struct PortalInfo {
    std::vector<int16_t> formats;       // As Bind gave them.
    std::vector<types::SqlType> types;  // Of its columns, once described.
    bool described = false;
  };
  Result<sql::Session::PortalDescription> DescribePortal(std::string_view name, PortalInfo& info);
  PortalInfo& InfoOf(std::string_view portal);
  std::map<std::string, PortalInfo, std::less<>> portals_;
  std::string copy_batch_;      // Small CopyData messages, joined.
  pgwire::ParseMessage parse_;  // reused
  pgwire::BindMessage bind_;    // reused
  std::vector<sql::BoundParameter> parameters_;
};

}  // namespace omendb::server
