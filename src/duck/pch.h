#include "duckdb.hpp"
