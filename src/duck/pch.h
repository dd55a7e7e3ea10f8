// pch.h - what every file of this folder would include: read once (six seconds of duckdb.hpp).
#pragma once
#include "duckdb.hpp"
