// The Vulkan library as IREE's driver loads it: the system's, with signals of semaphores in order.
//
// IREE 3.13 wakes the thread of a queue by counting a timeline semaphore up, from whichever thread has work for it
// (runtime/src/iree/hal/drivers/vulkan/queue.c): the number is drawn atomically, but then signalled without a lock, so
// that a greater number may come first. Vulkan forbids to signal a value that is not greater than the semaphore's; Mesa
// gives the device up, with all that is on it. A value that was passed says nothing new, and is left out here.
#if defined(__linux__)

#include <dlfcn.h>

#include <cstdint>
#include <cstring>
#include <mutex>
#include <unordered_map>

namespace sable {

namespace {

// The few declarations of Vulkan 1.3 that are needed; the dispatchable handles are pointers.
using Instance = void*;
using Device = void*;
using Function = void (*)();
using Result = int32_t;
constexpr Result kSuccess = 0;

struct SignalInfo {
  int32_t structure_type;
  const void* next;
  uint64_t semaphore;
  uint64_t value;
};

using GetInstanceFunction = Function (*)(Instance, const char*);
using GetDeviceFunction = Function (*)(Device, const char*);
using Signal = Result (*)(Device, const SignalInfo*);
using GetValue = Result (*)(Device, uint64_t, uint64_t*);

struct SemaphoreFunctions {
  Signal signal;
  GetValue value;
};

std::mutex mutex;  // held while a semaphore is signalled
std::unordered_map<Device, SemaphoreFunctions> functions;
GetDeviceFunction get_system_device_function = nullptr;

GetInstanceFunction system_library() {
  static const GetInstanceFunction found = [] {
    void* library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    return library == nullptr ? nullptr : reinterpret_cast<GetInstanceFunction>(dlsym(library, "vkGetInstanceProcAddr"));
  }();
  return found;
}

Result signal_in_order(Device device, const SignalInfo* info) {
  std::lock_guard<std::mutex> lock(mutex);
  const SemaphoreFunctions& known = functions.at(device);
  uint64_t now = 0;
  Result result = known.value(device, info->semaphore, &now);
  if (result != kSuccess) return result;
  return info->value <= now ? kSuccess : known.signal(device, info);
}

Function get_device_function(Device device, const char* name) {
  Function found = get_system_device_function(device, name);
  if (found == nullptr || std::strcmp(name, "vkSignalSemaphore") != 0) return found;
  auto value = reinterpret_cast<GetValue>(get_system_device_function(device, "vkGetSemaphoreCounterValue"));
  if (value == nullptr) return found;
  std::lock_guard<std::mutex> lock(mutex);
  functions[device] = {reinterpret_cast<Signal>(found), value};
  return reinterpret_cast<Function>(signal_in_order);
}

}  // namespace

}  // namespace sable

// What a Vulkan library is asked for everything else by.
extern "C" __attribute__((visibility("default"))) sable::Function vkGetInstanceProcAddr(sable::Instance instance,
                                                                                         const char* name) {
  using namespace sable;
  GetInstanceFunction system = system_library();
  if (system == nullptr) return nullptr;
  Function found = system(instance, name);
  if (found == nullptr) return nullptr;
  if (std::strcmp(name, "vkGetInstanceProcAddr") == 0) return reinterpret_cast<Function>(vkGetInstanceProcAddr);
  if (std::strcmp(name, "vkGetDeviceProcAddr") != 0) return found;
  std::lock_guard<std::mutex> lock(mutex);
  get_system_device_function = reinterpret_cast<GetDeviceFunction>(found);
  return reinterpret_cast<Function>(get_device_function);
}

#endif  // __linux__
