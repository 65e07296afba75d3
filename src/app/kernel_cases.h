#pragma once

// The kernels at the shapes in which the models call them, each with what it has to do at least.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace lethe {

/// What a kernel multiplies.
enum class Arithmetic { kIntegers, kShorts, kFloats };  // integers of 8 bits, of 16, floats

/// One kernel at one shape.
struct KernelCase {
  std::string kernel;  // as in KernelTable
  std::string where;   // in the models, e.g. "encoder fc1"
  std::string shape;
  Arithmetic arithmetic = Arithmetic::kFloats;
  /// What it computes: two for each multiplication and addition of a product. Elsewhere every
  /// operation of the formula is one, a fused multiply-add two; exp and its like count what they
  /// are made of.
  double operations = 0;
  /// What it reads and writes, everything once.
  double bytes = 0;
  /// The bytes that go by before it reads the same ones again: where they stay decides how fast
  /// they come.
  double working_set = 0;
  /// Runs it once.
  std::function<void()> run;
};

/// Every hot kernel, in the order of the models. Shapes are those of Moonshine tiny, for a segment
/// of 450 frames (10.8 s), and of Silero. A case owns the memory it works on.
std::vector<KernelCase> KernelCases(const KernelTable& kernels);

}  // namespace lethe
