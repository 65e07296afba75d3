#pragma once

// Which instruction sets this CPU has, and which table the program uses.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "kernels/kernels.h"
#include "kernels/peak.h"

namespace lethe {

/// The tables that this CPU and operating system can run, slowest first: scalar, avx2, avxvnni,
/// avx512, amx.
const std::vector<const KernelTable*>& AvailableKernels();

/// The table by that name.
/// Errors: kInvalidArgument for an unknown name or one this CPU cannot run; the message lists those
/// it
///         can.
Result<const KernelTable*> FindKernels(std::string_view name);

/// The table to use: the one LETHE_ISA names, else the fastest available.
/// Errors: as FindKernels(), for LETHE_ISA.
Result<const KernelTable*> ChooseKernels();

/// What is attainable with the instruction set of a table.
const PeakTable& PeakOf(const KernelTable& kernels);

/// What the CPU is, e.g. "AMD EPYC"; for lethe doctor.
std::string CpuName();

}  // namespace lethe
