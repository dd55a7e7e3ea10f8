#include "server/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/bytes.h"
#include "pgwire/backend.h"
#include "server/fake_session.h"

namespace omendb::server {
namespace {

using std::string_literals::operator""s;

struct Message {
  char type = 0;
  std::string body;
};

// A client that speaks in bytes. Its reads give up after a while, so that a bug fails a test
// instead of hanging it.
class Client {
 public:
  explicit Client(uint16_t port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    LimitWaiting();
  }
  explicit Client(const std::string& path) {
    fd_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    LimitWaiting();
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  // Exactly `size` bytes, fewer at the end of the stream.
  std::string Receive(size_t size) {
    std::string out(size, '\0');
    size_t have = 0;
    while (have < size) {
      const ssize_t got = ::recv(fd_, out.data() + have, size - have, 0);
      if (got <= 0) break;
      have += static_cast<size_t>(got);
    }
    out.resize(have);
    return out;
  }
  // Type 0 at the end of the stream.
  Message Next() {
    const std::string head = Receive(5);
    if (head.size() < 5) return {};
    return {head[0], Receive(LoadBe<uint32_t>(head.data() + 1) - 4)};
  }
  // Type bytes up to and including ReadyForQuery, or to the end of the stream. Bodies in `bodies`.
  std::string TypesToReady(std::vector<Message>* bodies = nullptr) {
    std::string types;
    while (true) {
      Message message = Next();
      if (message.type == 0) return types + "<end>";
      types += message.type;
      const bool ready = message.type == 'Z';
      if (bodies != nullptr) bodies->push_back(std::move(message));
      if (ready) return types;
    }
  }
  void StartUp(const std::string& user) {
    const std::string body = "\0\3\0\0user\0"s + user + "\0application_name\0test\0\0"s;
    std::string packet;
    pgwire::AppendInt32(packet, static_cast<int32_t>(body.size() + 4));
    Send(packet + body);
  }

 private:
  void LimitWaiting() {
    const timeval limit{30, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  int fd_ = -1;
};

std::string Packet(char type, const std::string& body) {
  std::string out(1, type);
  pgwire::AppendInt32(out, static_cast<int32_t>(body.size() + 4));
  return out + body;
}
std::string Query(const std::string& text) { return Packet('Q', text + "\0"s); }
std::string ParseBindExecute(const std::string& text, int rows_max = 0) {
  std::string execute = "\0"s;
  pgwire::AppendInt32(execute, rows_max);
  return Packet('P', "\0"s + text + "\0\0\0"s) + Packet('B', "\0\0\0\0\0\0\0\0"s) +
         Packet('E', execute);
}
const std::string kSync = Packet('S', "");

std::string SqlStateOf(const Message& error) {
  const size_t at = error.body.find("\0C"s);
  return at == std::string::npos ? "none" : error.body.substr(at + 2, 5);
}

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("omendb-server-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Start(ServerOptions options = {}) {
    options.port = 0;
    options.http_port = 0;
    options.unix_socket_directory = folder_;
    auto server = Server::Start(options, instance_);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(server).value();
  }
  std::unique_ptr<Client> Connect(const std::string& user = "alice") {
    auto client = std::make_unique<Client>(server_->port());
    client->StartUp(user);
    EXPECT_EQ(client->TypesToReady(), "RSSKZ");
    return client;
  }

  std::filesystem::path folder_;
  FakeInstance instance_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, RunsSimpleQueries) {
  Start();
  auto client = Connect();
  std::vector<Message> bodies;
  client->Send(Query("echo hello"));
  EXPECT_EQ(client->TypesToReady(&bodies), "TDCZ");
  EXPECT_EQ(bodies[1].body, "\0\1\0\0\0\5hello"s);
  EXPECT_EQ(bodies[3].body, "I");
  client->Send(Query(""));
  EXPECT_EQ(client->TypesToReady(), "IZ");
  EXPECT_EQ(instance_.last_options().application_name, "test");
  EXPECT_EQ(instance_.last_options().database, "alice");
}

TEST_F(ServerTest, AnErrorLeavesTheConnectionUsable) {
  Start();
  auto client = Connect();
  std::vector<Message> bodies;
  client->Send(Query("fail 23505"));
  EXPECT_EQ(client->TypesToReady(&bodies), "EZ");
  EXPECT_EQ(SqlStateOf(bodies[0]), "23505");
  client->Send(Query("echo \xff"));
  bodies.clear();
  EXPECT_EQ(client->TypesToReady(&bodies), "EZ");
  EXPECT_EQ(SqlStateOf(bodies[0]), "22021");
  client->Send(Query("echo x"));
  EXPECT_EQ(client->TypesToReady(), "TDCZ");
}

TEST_F(ServerTest, AnExceptionEndsOnlyItsConnection) {
  Start();
  auto client = Connect();
  auto other = Connect();
  client->Send(Query("throw"));
  const Message error = client->Next();
  EXPECT_EQ(error.type, 'E');
  EXPECT_EQ(SqlStateOf(error), "XX000");
  EXPECT_EQ(client->Next().type, 0);
  other->Send(Query("echo x"));
  EXPECT_EQ(other->TypesToReady(), "TDCZ");
}

TEST_F(ServerTest, PipelinesAreAnsweredInOrder) {
  Start();
  auto client = Connect();
  std::string pipeline;
  for (int i = 0; i < 500; ++i) pipeline += ParseBindExecute("echo x") + kSync;
  client->Send(pipeline);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(client->TypesToReady(), "12DCZ");
}

TEST_F(ServerTest, ErrorsSkipToSync) {
  Start();
  auto client = Connect();
  client->Send(Packet('P', "\0bad\0\0\0"s) + ParseBindExecute("echo x") + Packet('D', "S\0"s) +
               kSync + ParseBindExecute("echo y") + kSync);
  EXPECT_EQ(client->TypesToReady(), "EZ");
  EXPECT_EQ(client->TypesToReady(), "12DCZ");
}

TEST_F(ServerTest, RowLimitsSuspendThePortal) {
  Start();
  auto client = Connect();
  const std::string execute = Packet('E', "\0\0\0\0\2"s);
  client->Send(ParseBindExecute("rows 5", 2) + execute + execute + kSync);
  EXPECT_EQ(client->TypesToReady(), "12DDsDDsDCZ");
}

TEST_F(ServerTest, DescribesStatementsAndPortals) {
  Start();
  auto client = Connect();
  std::vector<Message> bodies;
  client->Send(Packet('P', "s\0echo $1\0\0\0"s) + Packet('D', "Ss\0"s) +
               Packet('B', "p\0s\0\0\0\0\1\0\0\0\2hi\0\1\0\1"s) + Packet('D', "Pp\0"s) +
               Packet('E', "p\0\0\0\0\0"s) + Packet('C', "Pp\0"s) + Packet('C', "Ss\0"s) + kSync);
  EXPECT_EQ(client->TypesToReady(&bodies), "1tT2TDC33Z");
  EXPECT_EQ(bodies[1].body, "\0\1\0\0\0\x19"s);
  EXPECT_EQ(bodies[4].body.substr(bodies[4].body.size() - 2), "\0\1"s) << "binary, as Bind asked";
  EXPECT_EQ(bodies[5].body, "\0\1\0\0\0\2hi"s);
}

TEST_F(ServerTest, FlushSendsWithoutSync) {
  Start();
  auto client = Connect();
  client->Send(Packet('P', "\0echo x\0\0\0"s) + Packet('H', ""));
  EXPECT_EQ(client->Next().type, '1');
  client->Send(kSync);
  EXPECT_EQ(client->TypesToReady(), "Z");
}

TEST_F(ServerTest, CopyInTakesSmallAndLargeMessages) {
  Start();
  auto client = Connect();
  client->Send(Query("copyin"));
  EXPECT_EQ(client->Next().type, 'G');
  std::string data;
  for (int i = 0; i < 10000; ++i) data += Packet('d', "row\n");
  for (int i = 0; i < 20; ++i) data += Packet('d', std::string(50000, 'x') + "\n");
  client->Send(data + Packet('c', ""));
  std::vector<Message> bodies;
  EXPECT_EQ(client->TypesToReady(&bodies), "CZ");
  EXPECT_EQ(bodies[0].body, "COPY 10020\0"s);
}

TEST_F(ServerTest, CopyFailAndLateCopyDataAreHandled) {
  Start();
  auto client = Connect();
  std::vector<Message> bodies;
  client->Send(Query("copyin") + Packet('d', "1\n") + Packet('f', "no more\0"s));
  EXPECT_EQ(client->TypesToReady(&bodies), "GEZ");
  EXPECT_EQ(SqlStateOf(bodies[1]), "57014");
  client->Send(Packet('d', "late\n") + Packet('c', "") + Query("echo x"));
  EXPECT_EQ(client->TypesToReady(), "TDCZ");
  client->Send(Query("copyout"));
  EXPECT_EQ(client->TypesToReady(), "HddcCZ");
}

TEST_F(ServerTest, OtherMessagesDuringCopyEndTheConnection) {
  Start();
  auto client = Connect();
  client->Send(Query("copyin") + Query("echo x"));
  EXPECT_EQ(client->Next().type, 'G');
  const Message error = client->Next();
  EXPECT_EQ(SqlStateOf(error), "08P01");
  EXPECT_EQ(client->Next().type, 0);
}

TEST_F(ServerTest, WorkOnThePoolComesBack) {
  Start();
  auto client = Connect();
  client->Send(Query("pool"));
  EXPECT_EQ(client->TypesToReady(), "CZ");
}

TEST_F(ServerTest, NoticesComeWhileWorkRunsOnThePool) {
  Start();
  auto client = Connect();
  client->Send(Query("tick 3"));
  EXPECT_EQ(client->TypesToReady(), "NNNCZ");
  client->Send(ParseBindExecute("echo a") + ParseBindExecute("tick 2") + kSync);
  EXPECT_EQ(client->TypesToReady(), "12DC12NNCZ");
}

TEST_F(ServerTest, CancelRequestEndsTheStatement) {
  Start();
  Client client(server_->port());
  client.StartUp("alice");
  std::vector<Message> bodies;
  ASSERT_EQ(client.TypesToReady(&bodies), "RSSKZ");
  const std::string key = bodies[3].body;
  client.Send(Query("wait"));
  // The statement may not have begun when a cancel comes: then it is lost, as in PostgreSQL. A
  // wrong key never helps.
  Client(server_->port()).Send("\0\0\0\x10\x04\xd2\x16\x2e"s + key.substr(0, 4) + "\0\0\0\0"s);
  std::atomic<bool> cancelled{false};
  std::thread canceller([&] {
    while (!cancelled) {
      Client cancel(server_->port());
      cancel.Send("\0\0\0\x10\x04\xd2\x16\x2e"s + key);
      EXPECT_EQ(cancel.Next().type, 0);
    }
  });
  const Message error = client.Next();
  cancelled = true;
  canceller.join();
  EXPECT_EQ(SqlStateOf(error), "57014");
  EXPECT_EQ(client.TypesToReady(), "Z");
}

TEST_F(ServerTest, TlsIsRefusedWithN) {
  Start();
  Client client(server_->port());
  client.Send("\0\0\0\x08\x04\xd2\x16\x2f"s);
  EXPECT_EQ(client.Receive(1), "N");
  client.Send("\0\0\0\x08\x04\xd2\x16\x30"s);
  EXPECT_EQ(client.Receive(1), "N");
  client.StartUp("alice");
  EXPECT_EQ(client.TypesToReady(), "RSSKZ");
}

TEST_F(ServerTest, BrokenStartsAreAnsweredAndClosed) {
  Start();
  for (const std::string& bytes : {"\0\0\0\4"s, "\x7f\xff\xff\xff"s, "GET / HTTP/1.1\r\n\r\n"s,
                                   "\0\0\0\x09\0\3\0\0x"s, "\0\0\0\x08\0\2\0\0"s}) {
    Client client(server_->port());
    client.Send(bytes);
    EXPECT_EQ(client.Next().type, 'E');
    EXPECT_EQ(client.Next().type, 0);
  }
  Connect();
}

TEST_F(ServerTest, BrokenFramesEndTheConnection) {
  Start();
  for (const std::string& bytes : {"Q\0\0\0\1"s, "Q\xff\xff\xff\xff"s, Packet('y', "")}) {
    auto client = Connect();
    client->Send(bytes);
    const Message error = client->Next();
    EXPECT_EQ(SqlStateOf(error), "08P01");
    EXPECT_NE(error.body.find("FATAL"), std::string::npos);
    EXPECT_EQ(client->Next().type, 0);
  }
  auto client = Connect();
  client->Send(Packet('B', "x") + kSync + Query("echo x"));
  EXPECT_EQ(client->TypesToReady(), "EZ") << "a sound frame with a broken body";
  EXPECT_EQ(client->TypesToReady(), "TDCZ");
}

TEST_F(ServerTest, TooManyConnectionsAreRefused) {
  ServerOptions options;
  options.max_connections = 2;
  Start(options);
  auto one = Connect();
  auto two = Connect();
  Client three(server_->port());
  three.StartUp("alice");
  EXPECT_EQ(SqlStateOf(three.Next()), "53300");
  one->Send(Query("echo x"));
  EXPECT_EQ(one->TypesToReady(), "TDCZ");
}

TEST_F(ServerTest, ScramRefusesWithoutProof) {
  ServerOptions options;
  options.auth = AuthMethod::kScram;
  Start(options);
  Client client(server_->port());
  client.StartUp("alice");
  const Message sasl = client.Next();
  EXPECT_EQ(sasl.type, 'R');
  EXPECT_EQ(sasl.body, "\0\0\0\x0aSCRAM-SHA-256\0\0"s);
  const std::string first = "n,,n=,r=abcdefgh";
  std::string initial = "SCRAM-SHA-256\0"s;
  pgwire::AppendInt32(initial, static_cast<int32_t>(first.size()));
  client.Send(Packet('p', initial + first));
  const Message challenge = client.Next();
  EXPECT_EQ(challenge.body.substr(0, 4), "\0\0\0\x0b"s);
  const std::string nonce = challenge.body.substr(6, challenge.body.find(",s=") - 6);
  client.Send(Packet('p', "c=biws,r=" + nonce + ",p=" + std::string(43, 'A') + "="));
  EXPECT_EQ(SqlStateOf(client.Next()), "28P01");
  EXPECT_EQ(client.Next().type, 0);
}

TEST_F(ServerTest, UnixSocketServesAndTrustsItsOwner) {
  ServerOptions options;
  options.auth = AuthMethod::kScram;
  Start(options);
  const std::string path = folder_ / (".s.PGSQL." + std::to_string(server_->port()));
  Client client(path);
  client.StartUp("alice");
  EXPECT_EQ(client.TypesToReady(), "RSSKZ");
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ServerTest, ASlowClientHoldsUpNobodyElse) {
  Start();
  auto slow = Connect();
  slow->Send(Query("rows 3000000"));  // Some 60 MB that nobody reads.
  for (int i = 0; i < 5; ++i) {
    auto other = Connect();
    other->Send(Query("echo x"));
    EXPECT_EQ(other->TypesToReady(), "TDCZ");
  }
}

TEST_F(ServerTest, LargeRowsPass) {
  Start();
  auto client = Connect();
  client->Send(Query("big 20000000"));
  std::vector<Message> bodies;
  EXPECT_EQ(client->TypesToReady(&bodies), "TDCZ");
  EXPECT_EQ(bodies[1].body.size(), 20000006u);
}

TEST_F(ServerTest, IdleTransactionsTimeOut) {
  Start();
  auto client = Connect();
  client->Send(Query("idle_timeout 20") + Query("begin"));
  client->TypesToReady();
  client->TypesToReady();
  const Message error = client->Next();
  EXPECT_EQ(SqlStateOf(error), "25P03");
  EXPECT_EQ(client->Next().type, 0);
}

TEST_F(ServerTest, ShutdownEndsIdleAndBusySessions) {
  Start();
  auto idle = Connect();
  auto busy = Connect();
  busy->Send(Query("wait"));
  EXPECT_TRUE(server_->Shutdown());
  EXPECT_EQ(SqlStateOf(idle->Next()), "57P01");
  EXPECT_EQ(idle->Next().type, 0);
  EXPECT_EQ(SqlStateOf(busy->Next()), "57P01");
  EXPECT_EQ(busy->Next().type, 0);
}

TEST_F(ServerTest, ManyClientsAtOnce) {
  Start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      auto client = Connect();
      for (int i = 0; i < 200; ++i) {
        client->Send(ParseBindExecute(i % 10 == 0 ? "pool" : "echo x") + kSync);
        EXPECT_EQ(client->TypesToReady(), i % 10 == 0 ? "12CZ" : "12DCZ");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ServerTest, HttpAnswersQueries) {
  Start();
  const auto ask = [&](const std::string& request) {
    Client client(server_->http_port());
    client.Send(request);
    return client.Receive(1 << 20);
  };
  const auto post = [&](const std::string& body, const std::string& headers = "") {
    return ask("POST /query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  EXPECT_NE(post(R"({"sql": "rows 2"})")
                .find(R"({"columns":[{"name":"n","type":"integer"}],"rows":[[0],[1]],)"
                      R"("command":"SELECT 2"})"),
            std::string::npos);
  EXPECT_NE(post(R"({"sql": "echo $1", "params": ["a\"b"]})").find(R"([["a\"b"]])"),
            std::string::npos);
  const std::string failed = post(R"({"sql": "fail 40001"})");
  EXPECT_NE(failed.find("HTTP/1.1 409"), std::string::npos) << failed;
  EXPECT_NE(failed.find(R"("sqlstate":"40001")"), std::string::npos) << failed;
  EXPECT_NE(post("{nonsense").find("HTTP/1.1 400"), std::string::npos);
  EXPECT_NE(post("{}").find("HTTP/1.1 400"), std::string::npos);
  EXPECT_NE(post("{}", "Origin: http://evil\r\n").find("HTTP/1.1 403"), std::string::npos);
  EXPECT_NE(ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").find("<title>OmenDB"),
            std::string::npos);
  EXPECT_NE(ask("GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").find("ready"),
            std::string::npos);
  EXPECT_NE(ask("GET /no HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").find("404"),
            std::string::npos);
  EXPECT_NE(ask("this is not HTTP\r\n\r\n").find("400"), std::string::npos);
}

TEST_F(ServerTest, HttpChecksPasswords) {
  ServerOptions options;
  options.auth = AuthMethod::kScram;
  Start(options);
  const auto status = [&](const std::string& authorization) {
    Client client(server_->http_port());
    client.Send("POST /query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + authorization +
                "Content-Length: 17\r\n\r\n{\"sql\":\"echo x\"} ");
    return client.Receive(12).substr(9);
  };
  EXPECT_EQ(status(""), "401");
  EXPECT_EQ(status("Authorization: Basic YWxpY2U6d3Jvbmc=\r\n"), "401");  // alice:wrong
  EXPECT_EQ(status("Authorization: Basic Ym9iOnNlY3JldA==\r\n"), "401");  // bob:secret
  EXPECT_EQ(status("Authorization: Bearer x\r\n"), "401");
  EXPECT_EQ(status("Authorization: Basic YWxpY2U6c2VjcmV0\r\n"), "200");  // alice:secret
}

}  // namespace
}  // namespace omendb::server
