// A vector that keeps its first `Inline` elements in place: trees of a call are small, and one allocation
// costs as much as flattening a leaf.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace sable {

template <typename T, size_t Inline>
class SmallVector {
  static_assert(std::is_nothrow_move_constructible_v<T>, "elements are moved when the vector grows");

 public:
  SmallVector() noexcept : data_(inline_data()) {}
  SmallVector(const SmallVector&) = delete;
  SmallVector& operator=(const SmallVector&) = delete;

  ~SmallVector() {
    truncate(0);
    if (data_ != inline_data()) ::operator delete(data_);
  }

  template <typename... Args>
  T& emplace_back(Args&&... args) {
    if (size_ == capacity_) grow();
    T* slot = new (data_ + size_) T{std::forward<Args>(args)...};
    ++size_;
    return *slot;
  }

  // Takes the last element out. The element's destructor may run Python code, so it must be gone from here first.
  T take_back() {
    T element = std::move(data_[size_ - 1]);
    data_[--size_].~T();
    return element;
  }

  void truncate(size_t size) {
    while (size_ > size) {
      T element = take_back();
      (void)element;
    }
  }

  size_t size() const { return size_; }
  T* data() { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  T& operator[](size_t index) { return data_[index]; }
  T& back() { return data_[size_ - 1]; }

 private:
  T* inline_data() { return reinterpret_cast<T*>(storage_); }

  void grow() {
    size_t capacity = capacity_ * 2;
    T* data = static_cast<T*>(::operator new(capacity * sizeof(T)));
    for (size_t i = 0; i < size_; ++i) {
      new (data + i) T(std::move(data_[i]));
      data_[i].~T();
    }
    if (data_ != inline_data()) ::operator delete(data_);
    data_ = data;
    capacity_ = capacity;
  }

  T* data_;
  size_t size_ = 0;
  size_t capacity_ = Inline;
  alignas(T) unsigned char storage_[Inline * sizeof(T)];
};

}  // namespace sable
