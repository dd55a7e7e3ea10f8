// parse_tree.h - one SQL text, parsed by PostgreSQL's own grammar and cut into its statements.
//
// Thread safety  Immutable after Parse; shared by plan caches of any thread.
// Ownership      Owns the text and every node; statements point into it.
// Cost           3-30 us for usual statements: callers cache by text.
// Errors         42601 with PostgreSQL's message and character position; 22021 for bad UTF-8; 54001
//                for text nested so deeply that parsing it could exhaust the stack.
// See            https://github.com/pganalyze/libpg_query
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sql/parse/ast.h"
#include "types/value.h"

namespace omendb::sql {

class ParseTree;

struct Statement {
  const Node* node = nullptr;
  std::string_view text;  // without blanks and the semicolon around it
  int offset_bytes = 0;   // of `text` in the whole text
  std::shared_ptr<const ParseTree> tree;

  PgQuery__Node__NodeCase kind() const { return node->node_case; }
};

class ParseTree : public std::enable_shared_from_this<ParseTree> {
 public:
  static Result<std::shared_ptr<const ParseTree>> Parse(std::string_view text);

  size_t size() const { return statements_.size(); }
  Statement statement(size_t i) const;
  const std::string& text() const { return text_; }

 private:
  struct Part {
    const Node* node;
    size_t begin;
    size_t end;
  };
  std::string text_;
  types::Arena arena_;
  std::vector<Part> statements_;
};

// The command tag of a statement whose tag does not depend on its outcome ("CREATE TABLE"); of the
// others the part before the numbers ("INSERT", "SELECT").
std::string_view CommandTag(const Node* node);
// SELECT (INTO as well), INSERT, UPDATE, DELETE.
bool IsQuery(const Node* node);
// Whether it answers rows whose columns are known before it runs.
bool MayReturnRows(const Node* node);
// Allowed in a failed transaction block: COMMIT, ROLLBACK, ROLLBACK TO.
bool EndsFailedBlock(const Node* node);
// The highest $n used.
int ParameterCount(const Node* node);

}  // namespace omendb::sql
