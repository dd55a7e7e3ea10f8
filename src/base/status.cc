#include "base/status.h"

namespace omendb {

std::string Status::ToString() const {
  if (ok()) return "OK";
  std::string text(info_->sqlstate.view());
  text += ": ";
  text += info_->message;
  if (!info_->detail.empty()) text += " (" + info_->detail + ")";
  return text;
}

Status&& Status::WithDetail(std::string text) && {
  info_->detail = std::move(text);
  return std::move(*this);
}

Status&& Status::WithHint(std::string text) && {
  info_->hint = std::move(text);
  return std::move(*this);
}

Status&& Status::WithPosition(int position) && {
  info_->position = position;
  return std::move(*this);
}

Status&& Status::WithRadius(Radius radius) && {
  info_->radius = radius;
  return std::move(*this);
}

Status&& Status::WithContext(std::string context) && {
  OMEN_CHECK(info_ != nullptr);
  info_->context = std::move(context);
  return std::move(*this);
}

Status&& Status::WithColumn(std::string column) && {
  info_->column_name = std::move(column);
  return std::move(*this);
}

Status&& Status::WithConstraint(std::string schema, std::string table, std::string constraint) && {
  info_->schema_name = std::move(schema);
  info_->table_name = std::move(table);
  info_->constraint_name = std::move(constraint);
  return std::move(*this);
}

}  // namespace omendb
