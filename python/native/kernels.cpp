// The registry of native kernels, its faces to Python (eager calls) and to IREE (imports of compiled programs).
#include "kernels.h"

#include <nanobind/stl/vector.h>

#include <map>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pytree.h"

namespace sable {

namespace {

std::mutex& registry_lock() {
  static std::mutex lock;
  return lock;
}

struct Entry {
  Kernel kernel = nullptr;
  int tensors = 0, options = 0;
  Side side = nullptr;
};

// Entries stay where they are, and are replaced before they are found.
std::map<std::string, Entry, std::less<>>& registry() {
  static std::map<std::string, Entry, std::less<>> entries;
  return entries;
}

const Entry* find_entry(std::string_view name) {
  std::lock_guard<std::mutex> guard(registry_lock());
  auto found = registry().find(name);
  return found == registry().end() ? nullptr : &found->second;
}

// Rows or columns are cut at multiples of so many, where BLAS begins another block.
constexpr int64_t kBlock = 16;

// A piece of a call: some of the matrices of each stack, or some rows or columns of the last two tensors.
void call_piece(const Entry& entry, const int64_t* words) {
  constexpr int kPlace = Matrices<char>::kWords, kRank = Matrices<char>::kRank, kSides = 2;
  const int64_t* extents = words + entry.tensors * kPlace;
  const int64_t* options = extents + entry.tensors * kRank;
  const int64_t piece = options[entry.options], pieces = options[entry.options + 1];
  const bool by_batch = entry.side == nullptr || pieces <= extents[0];
  const int dimension = by_batch ? 0 : entry.side(options), first_tensor = by_batch ? 0 : entry.tensors - kSides;
  const int64_t extent = extents[first_tensor * kRank + dimension], block = by_batch ? 1 : kBlock;
  auto begin = [&](int64_t number) { return number == pieces ? extent : extent * number / pieces / block * block; };
  const int64_t first = begin(piece), last = begin(piece + 1);
  if (first == last) return;
  std::vector<int64_t> changed(words, options + entry.options);
  for (int i = first_tensor; i < entry.tensors; ++i) {
    changed[i * kPlace + 1] += first * changed[i * kPlace + 2 + dimension];
    changed[entry.tensors * kPlace + i * kRank + dimension] = last - first;
  }
  changed.insert(changed.end(), {0, 1});
  entry.kernel(changed.data());
}

void call(const Entry& entry, const int64_t* words) {
  if (entry.tensors != 0) {
    call_piece(entry, words);
  } else {
    entry.kernel(words);
  }
}

// ---- IREE: the library is an executable plugin (iree/hal/local/executable_plugin.h, version 0.1, whose structures
// these are). It is asked for the imports of each executable that is loaded.

struct PluginHeader {
  uint32_t version;
  const char* name;
  const char* description;
  uint32_t features;
  int32_t sanitizer;
  uint64_t reserved[8];
};

struct ResolveRequest {
  size_t count;
  const char* const* names;  // a leading '?' marks an import that may be missing
  void** functions;
  void** contexts;
};

struct Plugin {
  const PluginHeader* header;
  void* (*load)(const void* environment, size_t parameters, const void* values, void** self);
  void (*unload)(void* self);
  void* (*resolve)(void* self, const ResolveRequest* request, uint32_t* resolution);
};

constexpr uint32_t kVersion_0_1 = 1;
constexpr uint32_t kSomeOptionalMissing = 1;
constexpr uintptr_t kNotFound = 5;  // a status is its code; IREE_STATUS_NOT_FOUND
constexpr int kOutOfMemory = 8;     // IREE_STATUS_RESOURCE_EXHAUSTED

bool plugin_is_loaded = false;

// An import: `parameters` points to the arguments of the call one after the other, all of them 8 bytes wide.
int call_import(void* parameters, void* context, void*) {
  try {
    call(*static_cast<const Entry*>(context), static_cast<const int64_t*>(parameters));
  } catch (const std::bad_alloc&) {
    return kOutOfMemory;
  }
  return 0;
}

void* load_plugin(const void*, size_t, const void*, void** self) {
  *self = nullptr;
  plugin_is_loaded = true;
  return nullptr;
}

void unload_plugin(void*) {}

void* resolve_imports(void*, const ResolveRequest* request, uint32_t* resolution) {
  *resolution = 0;
  bool missing = false;
  for (size_t i = 0; i < request->count; ++i) {
    if (request->functions[i] != nullptr) continue;  // another plugin's
    const char* name = request->names[i];
    bool optional = name[0] == '?';
    const Entry* entry = find_entry(optional ? name + 1 : name);
    if (entry != nullptr) {
      request->functions[i] = reinterpret_cast<void*>(call_import);
      request->contexts[i] = const_cast<Entry*>(entry);
    } else if (optional) {
      *resolution |= kSomeOptionalMissing;
    } else {
      missing = true;
    }
  }
  return reinterpret_cast<void*>(missing ? kNotFound : 0);
}

const PluginHeader header = {kVersion_0_1, "sable", "Sable's native kernels", 0, 0, {0}};
const Plugin plugin = {&header, load_plugin, unload_plugin, resolve_imports};

// ---- Python: eager calls

class Buffer {
 public:
  Buffer(nb::handle array, bool writable) {
    check(PyObject_GetBuffer(array.ptr(), &view_, PyBUF_STRIDES | (writable ? PyBUF_WRITABLE : 0)));
  }
  Buffer(Buffer&& other) noexcept : view_(other.view_) { other.view_.obj = nullptr; }
  ~Buffer() { PyBuffer_Release(&view_); }

  void append_place(std::vector<int64_t>& words) const {
    words.push_back(reinterpret_cast<int64_t>(view_.buf));
    words.push_back(0);
    for (int i = 0; i < view_.ndim; ++i) words.push_back(view_.strides[i] / view_.itemsize);
  }
  void append_extents(std::vector<int64_t>& words) const {
    words.insert(words.end(), view_.shape, view_.shape + view_.ndim);
  }

 private:
  Py_buffer view_;
};

void call_kernel(const char* name, nb::sequence operands, nb::sequence results, const std::vector<int64_t>& options,
                 int64_t pieces) {
  const Entry* entry = find_entry(name);
  if (entry == nullptr) raise(PyExc_LookupError, "there is no native kernel named %s", name);
  std::vector<Buffer> buffers;
  for (nb::handle array : operands) buffers.emplace_back(array, false);
  for (nb::handle array : results) buffers.emplace_back(array, true);
  std::vector<int64_t> words;
  for (const Buffer& buffer : buffers) buffer.append_place(words);
  for (const Buffer& buffer : buffers) buffer.append_extents(words);
  words.insert(words.end(), options.begin(), options.end());
  words.insert(words.end(), {0, pieces});
  nb::gil_scoped_release release;
  for (int64_t& piece = words[words.size() - 2]; piece < pieces; ++piece) call(*entry, words.data());
}

}  // namespace

void register_kernel(const std::string& name, Kernel kernel, int tensors, int options, Side side) {
  std::lock_guard<std::mutex> guard(registry_lock());
  registry()[name] = {kernel, tensors, options, side};
}

Kernel replace_kernel(const std::string& name, Kernel kernel) {
  std::lock_guard<std::mutex> guard(registry_lock());
  return std::exchange(registry().at(name).kernel, kernel);
}

Kernel find_kernel(const std::string& name) {
  const Entry* found = find_entry(name);
  return found == nullptr ? nullptr : found->kernel;
}

void bind_kernels(nb::module_& module) {
  module.def("call_kernel", call_kernel, nb::arg("name"), nb::arg("operands"), nb::arg("results"), nb::arg("options"),
             nb::arg("pieces"),
             "call_kernel(name, operands, results, options, pieces): runs a native kernel on arrays; the results are written "
             "into. Every array has one batch dimension first. Dtypes and shapes are the caller's responsibility.");
  module.def("has_kernel", [](const char* name) { return find_entry(name) != nullptr; });
  module.def(
      "kernels_are_importable", [] { return plugin_is_loaded; },
      "Whether IREE's CPU drivers have this library as their plugin.");
}

}  // namespace sable

extern "C" __attribute__((visibility("default"))) const void* iree_hal_executable_plugin_query(uint32_t, void*) {
  return &sable::plugin;
}
