#include <gtest/gtest.h>

#include <thread>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/sqlstate.h"
#include "base/waiter.h"

namespace omendb {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return Status(sqlstate::kInvalidParameterValue, "odd");
  return n / 2;
}
Result<int> Quarter(int n) {
  OMEN_ASSIGN(int half, Half(n));
  return Half(half);
}

TEST(StatusTest, ErrorsPropagateThroughAssign) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Quarter(6).status().ToString(), "22023: odd");
}

TEST(Crc32cTest, MatchesThePublishedCheckValueAndContinues) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), 0xe3069283U);
}

TEST(ByteReaderTest, ShortReadFailsWithoutReadingPastTheEnd) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.Put<uint32_t>(7);
  writer.PutVarint(300);
  writer.PutString("abc");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.Get<uint32_t>(), 7U);
  EXPECT_EQ(reader.GetVarint(), 300U);
  EXPECT_EQ(reader.GetString(), "abc");
  EXPECT_FALSE(reader.failed());
  EXPECT_EQ(reader.Get<uint64_t>(), 0U);
  EXPECT_TRUE(reader.failed());
}

TEST(ThreadWaiterTest, SignalEndsTheWaitAndDeadlineAndCancelAreErrors) {
  ThreadWaiter waiter;
  auto point = std::make_shared<WaitPoint>();
  std::thread signaller([point] { point->Signal(); });
  EXPECT_TRUE(waiter.Wait(point, kNoDeadline, nullptr).ok());
  signaller.join();

  auto never = std::make_shared<WaitPoint>();
  EXPECT_EQ(waiter.Wait(never, std::chrono::steady_clock::now(), nullptr).sqlstate(), "55P03");
  CancelFlag cancel;
  cancel.Set(CancelFlag::Reason::kUserRequest);
  EXPECT_EQ(waiter.Wait(never, kNoDeadline, &cancel).sqlstate(), "57014");
}

}  // namespace
}  // namespace omendb
