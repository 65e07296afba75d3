#include "store/objects/internal/s3_body.h"

#include <algorithm>

namespace lethe {
namespace {

Status WrongSize() { return InvalidArgument("an object has another size than was said"); }

}  // namespace

Result<S3Body> S3Body::Create(std::uint64_t size, const ObjectSource& source) {
  S3Body body(size, source);
  if (size > kMaxWhole) return body;
  std::string whole(size, '\0');
  ASSIGN_OR_RETURN(const std::size_t n, body.ReadSource(std::span(whole)));
  body.done_ = n;
  char beyond = 0;
  ASSIGN_OR_RETURN(const std::size_t more, source(std::span(&beyond, 1)));
  if (n != size || more != 0) return WrongSize();
  body.whole_ = std::move(whole);
  body.Rewind();
  return body;
}

Result<std::size_t> S3Body::ReadSource(std::span<char> bytes) {
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    ASSIGN_OR_RETURN(const std::size_t n, (*source_)(bytes.subspan(filled)));
    if (n == 0) break;
    filled += n;
  }
  return filled;
}

Result<std::size_t> S3Body::Read(std::span<char> bytes) {
  std::size_t n = std::min<std::uint64_t>(bytes.size(), size_ - done_);
  if (whole_) {
    std::copy_n(whole_->begin() + static_cast<std::ptrdiff_t>(done_), n, bytes.begin());
  } else {
    ASSIGN_OR_RETURN(const std::size_t filled, ReadSource(bytes.first(n)));
    if (filled != n) return WrongSize();
    // The last bytes are held back until it is sure that nothing comes behind them: a request that
    // is short of them stores nothing.
    char beyond = 0;
    if (done_ + n == size_) {
      ASSIGN_OR_RETURN(const std::size_t more, (*source_)(std::span(&beyond, 1)));
      if (more != 0) return WrongSize();
    }
  }
  done_ += n;
  md5_->Add({bytes.data(), n});
  return n;
}

void S3Body::Rewind() {
  done_ = 0;
  digits_.clear();
  md5_->Restart();
}

const std::string& S3Body::Md5Digits() {
  if (digits_.empty() && is_sent()) digits_ = md5_->Finish();
  return digits_;
}

}  // namespace lethe
