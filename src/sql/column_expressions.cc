// Defaults, generated columns and CHECK constraints for the engine, which knows no expressions:
// referential actions.
#include "sql/session_impl.h"

namespace omendb::sql {

Result<std::unique_ptr<engine::RowExpressions>> SessionImpl::Open(const catalog::TableDef& table) {
  OMEN_TRY(SettleStream());
  std::unique_ptr<engine::RowExpressions> opened;
  OMEN_TRY(OnPool([&](Waiter& waiter) -> Status {
    engine::StatementContext context = MakeContext(waiter);
    OMEN_ASSIGN(opened, duck_->OpenExpressions(table, context));
    return Status::Ok();
  }));
  return opened;
}

}  // namespace omendb::sql
