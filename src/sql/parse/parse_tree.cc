#include "sql/parse/parse_tree.h"

#include <algorithm>
#include <thread>

#include "base/sqlstate.h"
#include "pg_query.h"
#include "sql/parse/protobuf_arena.h"
#include "sql/parse/tokenizer.h"
#include "types/text_io.h"

namespace omendb::sql {
namespace {

// Grammar actions and tree walks recurse with the depth of the tree. Texts that may be deep are
// parsed on a thread with a stack for them; deeper ones are refused, as PostgreSQL does at its
// max_stack_depth.
constexpr int kShallowNesting = 100;
// Later walks (copying, deparsing) run on the pool's 8 MiB stacks: about 3 KiB a level.
constexpr int kNestingMax = 1000;

SqlState SqlStateOf(std::string_view message) {
  auto contains = [&](std::string_view part) { return message.find(part) != message.npos; };
  if (contains("stack depth")) return SqlState("54001");
  if (contains("nicode escape") || contains("nicode surrogate")) {
    return contains("invalid Unicode escape value") ? sqlstate::kSyntaxError
                                                    : sqlstate::kInvalidEscapeSequence;
  }
  if (contains("invalid byte sequence")) return sqlstate::kCharacterNotInRepertoire;
  if (contains("not supported") || contains("not implemented") || contains("not yet implemented")) {
    return sqlstate::kFeatureNotSupported;
  }
  return sqlstate::kSyntaxError;
}

Status ToStatus(const PgQueryError& error) {
  return Status(SqlStateOf(error.message), error.message)
      .WithPosition(std::max(0, error.cursorpos));
}

// Bounds of the statement without the blanks, comments kept.
std::pair<size_t, size_t> Trim(std::string_view text, size_t begin, size_t end) {
  auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; };
  while (begin < end && blank(text[begin])) ++begin;
  while (end > begin && (blank(text[end - 1]) || text[end - 1] == ';')) --end;
  return {begin, end};
}

}  // namespace

Result<std::shared_ptr<const ParseTree>> ParseTree::Parse(std::string_view text) {
  OMEN_TRY(types::ValidateUtf8(text));
  auto tree = std::make_shared<ParseTree>();
  tree->text_ = text;
  Status status;
  auto parse = [&] {
    PgQueryProtobufParseResult result = pg_query_parse_protobuf(tree->text_.c_str());
    if (result.error != nullptr) {
      status = ToStatus(*result.error);
    } else {
      ProtobufCAllocator allocator = ProtobufArenaAllocator(tree->arena_);
      PgQuery__ParseResult* parsed =
          pg_query__parse_result__unpack(&allocator, result.parse_tree.len,
                                         reinterpret_cast<const uint8_t*>(result.parse_tree.data));
      for (size_t i = 0; parsed != nullptr && i < parsed->n_stmts; ++i) {
        const PgQuery__RawStmt* raw = parsed->stmts[i];
        size_t begin = static_cast<size_t>(raw->stmt_location);
        size_t end = raw->stmt_len == 0 ? text.size() : begin + static_cast<size_t>(raw->stmt_len);
        std::tie(begin, end) = Trim(text, begin, end);
        tree->statements_.push_back({raw->stmt, begin, end});
      }
      if (parsed == nullptr) status = Status(SqlState("54001"), "stack depth limit exceeded");
    }
    pg_query_free_protobuf_parse_result(result);
  };
  const int nesting = NestingOf(text);
  if (nesting > kNestingMax) return Status(SqlState("54001"), "stack depth limit exceeded");
  if (nesting > kShallowNesting) {
    RunWithLargeStack(parse);
  } else {
    parse();
  }
  if (!status.ok()) return status;
  return std::shared_ptr<const ParseTree>(std::move(tree));
}

Statement ParseTree::statement(size_t i) const {
  const Part& part = statements_[i];
  Statement statement;
  statement.node = part.node;
  statement.text = std::string_view(text_).substr(part.begin, part.end - part.begin);
  statement.offset_bytes = static_cast<int>(part.begin);
  statement.tree = shared_from_this();
  return statement;
}

int ParameterCount(const Node* node) {
  int count = 0;
  WalkNode(const_cast<Node*>(node), [&](Node* n) {
    if (n->node_case == PG_QUERY__NODE__NODE_PARAM_REF) {
      count = std::max(count, static_cast<int>(n->param_ref->number));
    }
    return true;
  });
  return count;
}

}  // namespace omendb::sql
