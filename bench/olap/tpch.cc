#include "bench/olap/tpch.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "bench/olap/csv_file.h"
#include "bench/olap/tpch_text.h"

namespace omendb::bench {
namespace {

using testutil::Prng;
using tpch::Pick;

constexpr int32_t kFirstOrderDate = 8035;  // 1992-01-01
constexpr int32_t kLastOrderDate = 10440;  // 1998-08-02: 151 days before the end of 1998
constexpr int32_t kCurrentDate = 9298;     // 1995-06-17
constexpr size_t kTextBytes = size_t{32} << 20;
constexpr int64_t kSuppliersOfPart = 4;
constexpr uint64_t kSeed = 19920101;

class Generator {
 public:
  Generator(double scale, std::string folder)
      : folder_(std::move(folder)),
        suppliers_(Scaled(10'000, scale)),
        parts_(Scaled(200'000, scale)),
        customers_(Scaled(150'000, scale)),
        orders_(Scaled(1'500'000, scale)),
        clerks_(Scaled(1'000, scale)),
        remarks_(std::max<int64_t>(1, Scaled(5, scale))),
        text_(kSeed, kTextBytes) {}

  void Run() {
    Regions();
    Nations();
    Suppliers();
    Parts();
    PartSuppliers();
    Customers();
    Orders();
  }

 private:
  struct Line {
    int64_t part, supplier, quantity, price, discount, tax;
    int32_t shipped, committed, received;
    bool is_shipped() const { return shipped <= kCurrentDate; }
  };

  static int64_t Scaled(int64_t rows, double scale) {
    return std::llround(static_cast<double>(rows) * scale);
  }
  std::string Path(const char* table) const { return folder_ + "/" + table + ".csv"; }
  std::string_view Comment(Prng& prng, int64_t low, int64_t high) const {
    return text_.Piece(prng, low, high);
  }
  // What names a supplier, customer or clerk: `Supplier#000000001`.
  static std::string Name(const char* kind, int64_t number) {
    char text[40];
    std::snprintf(text, sizeof text, "%s#%09lld", kind, static_cast<long long>(number));
    return text;
  }
  static std::string Address(Prng& prng) {
    static constexpr std::string_view kLetters =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ, ";
    std::string text(static_cast<size_t>(prng.Between(10, 40)), ' ');
    for (char& c : text) c = kLetters[prng.Below(kLetters.size())];
    return text;
  }
  // The country code tells the nation: query 22 counts by it.
  static std::string Phone(Prng& prng, int64_t nation) {
    char text[32];
    std::snprintf(text, sizeof text, "%02d-%03d-%03d-%04d", static_cast<int>(nation + 10),
                  static_cast<int>(prng.Between(100, 999)),
                  static_cast<int>(prng.Between(100, 999)),
                  static_cast<int>(prng.Between(1000, 9999)));
    return text;
  }
  static int64_t RetailPrice(int64_t part) {
    return 90'000 + part / 10 % 20'001 + 100 * (part % 1'000);
  }
  // The i-th of the four suppliers of a part, spread over all suppliers.
  int64_t SupplierOfPart(int64_t part, int64_t i) const {
    const int64_t step = suppliers_ / kSuppliersOfPart + (part - 1) / suppliers_;
    return (part + i * step) % suppliers_ + 1;
  }

  void Regions() {
    Prng prng(kSeed + 1);
    CsvFile file(Path("region"));
    for (int64_t i = 0; i < std::ssize(tpch::kRegions); ++i) {
      file.Int(i).Text(tpch::kRegions[i]).Text(Comment(prng, 31, 115)).EndRow();
    }
  }
  void Nations() {
    Prng prng(kSeed + 2);
    CsvFile file(Path("nation"));
    for (int64_t i = 0; i < std::ssize(tpch::kNations); ++i) {
      const tpch::Nation& nation = tpch::kNations[i];
      file.Int(i).Text(nation.name).Int(nation.region).Text(Comment(prng, 31, 114)).EndRow();
    }
  }
  // `remarks_` suppliers with complaints and as many with recommendations, which query 16 reads.
  std::string SupplierComment(Prng& prng, std::string_view remark) const {
    std::string text(Comment(prng, 25, 100));
    if (remark.empty()) return text;
    constexpr std::string_view kWho = "Customer ";
    const size_t room = text.size() - kWho.size() - remark.size();
    const size_t gap = prng.Below(room + 1), at = prng.Below(room - gap + 1);
    text.replace(at, kWho.size(), kWho);
    return text.replace(at + kWho.size() + gap, remark.size(), remark);
  }
  void Suppliers() {
    Prng prng(kSeed + 3);
    std::set<int64_t> complaints, recommendations;
    while (std::ssize(complaints) < remarks_) complaints.insert(prng.Between(1, suppliers_));
    while (std::ssize(recommendations) < remarks_) {
      const int64_t supplier = prng.Between(1, suppliers_);
      if (!complaints.contains(supplier)) recommendations.insert(supplier);
    }
    CsvFile file(Path("supplier"));
    for (int64_t i = 1; i <= suppliers_; ++i) {
      const int64_t nation = prng.Between(0, 24);
      file.Int(i).Text(Name("Supplier", i)).Text(Address(prng)).Int(nation);
      file.Text(Phone(prng, nation)).Money(prng.Between(-99'999, 999'999));
      const bool is_bad = complaints.contains(i), is_good = recommendations.contains(i);
      file.Text(SupplierComment(prng, is_bad ? "Complaints" : is_good ? "Recommends" : ""));
      file.EndRow();
    }
  }
  // Five different colours.
  static std::string PartName(Prng& prng) {
    size_t chosen[5];
    std::string name;
    for (size_t i = 0; i < 5; ++i) {
      do {
        chosen[i] = prng.Below(std::size(tpch::kColours));
      } while (std::find(chosen, chosen + i, chosen[i]) != chosen + i);
      if (i > 0) name += ' ';
      name += tpch::kColours[chosen[i]];
    }
    return name;
  }
  void Parts() {
    Prng prng(kSeed + 4);
    CsvFile file(Path("part"));
    for (int64_t i = 1; i <= parts_; ++i) {
      const std::string maker = std::to_string(prng.Between(1, 5));
      file.Int(i).Text(PartName(prng)).Text("Manufacturer#" + maker);
      file.Text("Brand#" + maker + std::to_string(prng.Between(1, 5)));
      std::string type(Pick(prng, tpch::kTypeSizes));
      type.append(1, ' ').append(Pick(prng, tpch::kTypeFinishes));
      type.append(1, ' ').append(Pick(prng, tpch::kTypeMetals));
      file.Text(type).Int(prng.Between(1, 50));
      std::string container(Pick(prng, tpch::kContainerSizes));
      file.Text(container.append(1, ' ').append(Pick(prng, tpch::kContainers)));
      file.Money(RetailPrice(i)).Text(Comment(prng, 5, 22)).EndRow();
    }
  }
  void PartSuppliers() {
    Prng prng(kSeed + 5);
    CsvFile file(Path("partsupp"));
    for (int64_t part = 1; part <= parts_; ++part) {
      for (int64_t i = 0; i < kSuppliersOfPart; ++i) {
        file.Int(part).Int(SupplierOfPart(part, i)).Int(prng.Between(1, 9'999));
        file.Money(prng.Between(100, 100'000)).Text(Comment(prng, 49, 198)).EndRow();
      }
    }
  }
  void Customers() {
    Prng prng(kSeed + 6);
    CsvFile file(Path("customer"));
    for (int64_t i = 1; i <= customers_; ++i) {
      const int64_t nation = prng.Between(0, 24);
      file.Int(i).Text(Name("Customer", i)).Text(Address(prng)).Int(nation);
      file.Text(Phone(prng, nation)).Money(prng.Between(-99'999, 999'999));
      file.Text(Pick(prng, tpch::kSegments)).Text(Comment(prng, 29, 116)).EndRow();
    }
  }
  Line NewLine(Prng& prng, int32_t ordered) const {
    Line line;
    line.part = prng.Between(1, parts_);
    line.supplier = SupplierOfPart(line.part, prng.Between(0, kSuppliersOfPart - 1));
    line.quantity = prng.Between(1, 50);
    line.price = line.quantity * RetailPrice(line.part);
    line.discount = prng.Between(0, 10);
    line.tax = prng.Between(0, 8);
    line.shipped = ordered + static_cast<int32_t>(prng.Between(1, 121));
    line.committed = ordered + static_cast<int32_t>(prng.Between(30, 90));
    line.received = line.shipped + static_cast<int32_t>(prng.Between(1, 30));
    return line;
  }
  void WriteLine(CsvFile& file, Prng& prng, int64_t order, int64_t number, const Line& line) const {
    file.Int(order).Int(line.part).Int(line.supplier).Int(number);
    file.Money(line.quantity * 100).Money(line.price).Money(line.discount).Money(line.tax);
    const bool is_received = line.received <= kCurrentDate;
    file.Plain(!is_received ? "N" : prng.Chance(0.5) ? "R" : "A");
    file.Plain(line.is_shipped() ? "F" : "O");
    file.Date(line.shipped).Date(line.committed).Date(line.received);
    file.Text(Pick(prng, tpch::kInstructions)).Text(Pick(prng, tpch::kModes));
    file.Text(Comment(prng, 10, 43)).EndRow();
  }
  // A third of the customers (every third key) have no orders: queries 13 and 22 rest on it.
  int64_t OrderingCustomer(Prng& prng) const {
    for (;;) {
      const int64_t customer = prng.Between(1, customers_);
      if (customer % 3 != 0) return customer;
    }
  }
  void Orders() {
    Prng prng(kSeed + 7);
    CsvFile orders(Path("orders")), lineitem(Path("lineitem"));
    for (int64_t i = 0; i < orders_; ++i) {
      // The first 8 of every 32 keys are used.
      const int64_t order = i / 8 * 32 + i % 8 + 1;
      const auto ordered = static_cast<int32_t>(prng.Between(kFirstOrderDate, kLastOrderDate));
      const int64_t lines = prng.Between(1, 7);
      int64_t total = 0, shipped = 0;
      for (int64_t number = 1; number <= lines; ++number) {
        const Line line = NewLine(prng, ordered);
        WriteLine(lineitem, prng, order, number, line);
        total += (line.price * (100 + line.tax) * (100 - line.discount) + 5'000) / 10'000;
        shipped += line.is_shipped();
      }
      orders.Int(order).Int(OrderingCustomer(prng));
      orders.Plain(shipped == lines ? "F" : shipped == 0 ? "O" : "P").Money(total).Date(ordered);
      orders.Text(Pick(prng, tpch::kPriorities)).Text(Name("Clerk", prng.Between(1, clerks_)));
      orders.Int(0).Text(Comment(prng, 19, 78)).EndRow();
    }
  }

  const std::string folder_;
  const int64_t suppliers_, parts_, customers_, orders_, clerks_, remarks_;
  const tpch::TextPool text_;
};

}  // namespace

void GenerateTpch(double scale, const std::string& folder) { Generator(scale, folder).Run(); }

}  // namespace omendb::bench
