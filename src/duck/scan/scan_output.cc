// What a scan hands over: batches as they lie, few rows of several batches together, and those of a
// morsel in no order once they are sorted.
#include "duck/scan/scan_state.h"

namespace omendb::duck {

namespace {

// Few: below this.
constexpr duckdb::idx_t kFewRows = 256;

// What passed of the batch, as references to it.
void Refer(ScanState& state, ScanLocal& local, duckdb::DataChunk& output) {
  for (size_t i = 0; i < state.projection.size(); ++i) {
    FillColumn(state, local, state.projection[i]);
    output.data[i].Reference(local.scanned.data[state.projection[i]]);
  }
  if (local.passed < local.chunk.rows_count) output.Slice(local.selection, local.passed);
  output.SetCardinality(local.passed);
}

// What passed of the batch goes to `receive`.
template <typename Receive>
void Keep(ScanState& state, ScanLocal& local, const Receive& receive) {
  duckdb::vector<duckdb::LogicalType> types;
  for (const duckdb::idx_t i : state.projection) types.push_back(state.columns[i].logical);
  duckdb::DataChunk rows;
  rows.InitializeEmpty(types);
  Refer(state, local, rows);
  receive(rows);
}

void Gather(ScanState& state, ScanLocal& local) {
  Keep(state, local, [&](duckdb::DataChunk& rows) { local.gathered.Append(rows); });
  local.gathered_of = state.scan->MorselOf(*local.worker);
}

// Rows of a morsel that come in another order are kept until all are there.
bool Sorts(const ScanState& state, const ScanLocal& local) {
  return local.sorter && (state.order == engine::Relation::KeyOrder::kDescending ||
                          !state.scan->Ascends(*local.worker));
}

void KeepToSort(ScanState& state, ScanLocal& local) {
  const uint64_t morsel = state.scan->MorselOf(*local.worker);
  const bool ascends = state.scan->Ascends(*local.worker);
  Keep(state, local, [&](duckdb::DataChunk& rows) { local.sorter->Add(rows, morsel, ascends); });
}

// Of the rows that were kept, when the morsel of the worker is another one.
bool GiveSorted(ScanState& state, ScanLocal& local, duckdb::DataChunk& output) {
  if (!local.sorter || !local.sorter->GivesMore()) return false;
  if (!local.ended && local.sorter->morsel() == state.scan->MorselOf(*local.worker)) return false;
  local.sorter->Next(output);
  local.given_of = local.sorter->morsel();
  return true;
}

// They stay until the next call, as a batch does.
void GiveGathered(ScanLocal& local, duckdb::DataChunk& output) {
  output.Reference(local.gathered);
  local.given = true;
  local.given_of = local.gathered_of;
}

void GiveBatch(ScanState& state, ScanLocal& local, duckdb::DataChunk& output) {
  Refer(state, local, output);
  local.given_of = state.scan->MorselOf(*local.worker);
}

}  // namespace

bool Give(ScanState& state, ScanLocal& local, duckdb::DataChunk& output) {
  if (GiveSorted(state, local, output)) {
    local.waits = local.passed > 0;
    return true;
  }
  const bool sorts = Sorts(state, local);
  const bool few = local.passed < kFewRows && !local.filters.empty() && !sorts;
  const bool ends_gathering = !few || state.scan->MorselOf(*local.worker) != local.gathered_of;
  if (local.gathered.size() > 0 && ends_gathering) {
    local.waits = local.passed > 0;
    GiveGathered(local, output);
    return true;
  }
  if (local.passed == 0) return false;
  if (sorts) {
    KeepToSort(state, local);
    return false;
  }
  if (!few) {
    GiveBatch(state, local, output);
    return true;
  }
  Gather(state, local);
  if (local.gathered.size() < 4 * kFewRows) return false;
  GiveGathered(local, output);
  return true;
}

void GiveLast(ScanState& state, ScanLocal& local, duckdb::DataChunk& output) {
  if (GiveSorted(state, local, output)) return;
  if (local.gathered.size() == 0) return output.SetCardinality(0);
  GiveGathered(local, output);
}

}  // namespace omendb::duck
