// The Vulkan library as IREE's driver loads it: the system's, with signals of semaphores in order, and on processors with
// waits that sleep.
//
// IREE 3.13 wakes the thread of a queue by counting a timeline semaphore up, from whichever thread has work for it
// (runtime/src/iree/hal/drivers/vulkan/queue.c): the number is drawn atomically, but then signalled without a lock, so
// that a greater number may come first. Vulkan forbids to signal a value that is not greater than the semaphore's; Mesa
// gives the device up, with all that is on it. A value that was passed says nothing new, and is left out here.
//
// Each of its queues has a thread that waits for any of several semaphores, as long as the device lives. Mesa's driver for
// processors has no such wait and asks the semaphores in turn without pause: two cores are lost to two threads. It
// sleeps well on one semaphore. So on devices of that kind the wait is on the first one, in slices between which the others
// are asked; a slice is short against the time that was waited already.
#if defined(__linux__)

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <unordered_map>

namespace sable {

namespace {

// The few declarations of Vulkan 1.3 that are needed; the dispatchable handles are pointers.
using Instance = void*;
using PhysicalDevice = void*;
using Device = void*;
using Function = void (*)();
using Result = int32_t;
constexpr Result kSuccess = 0;
constexpr Result kTimeout = 2;
constexpr uint32_t kWaitAny = 1;

// VkPhysicalDeviceProperties of 824 bytes: of what stands in it, the kind of device is wanted.
struct DeviceProperties {
  std::array<uint32_t, 4> versions_and_ids;
  int32_t device_type;
  std::array<unsigned char, 1004> rest;
};
constexpr int32_t kProcessor = 4;

struct SignalInfo {
  int32_t structure_type;
  const void* next;
  uint64_t semaphore;
  uint64_t value;
};

struct WaitInfo {
  int32_t structure_type;
  const void* next;
  uint32_t flags;
  uint32_t count;
  const uint64_t* semaphores;
  const uint64_t* values;
};

using GetInstanceFunction = Function (*)(Instance, const char*);
using GetDeviceFunction = Function (*)(Device, const char*);
using Signal = Result (*)(Device, const SignalInfo*);
using GetValue = Result (*)(Device, uint64_t, uint64_t*);
using Wait = Result (*)(Device, const WaitInfo*, uint64_t);
using CreateDevice = Result (*)(PhysicalDevice, const void*, const void*, Device*);
using GetProperties = void (*)(PhysicalDevice, DeviceProperties*);

struct SemaphoreFunctions {
  Signal signal;
  GetValue value;
};

std::mutex mutex;  // held while a semaphore is signalled, and for what follows
std::unordered_map<Device, SemaphoreFunctions> functions;
std::unordered_map<Device, Wait> waits;  // of devices that are processors
GetDeviceFunction get_system_device_function = nullptr;
CreateDevice create_system_device = nullptr;
GetProperties get_properties = nullptr;

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

// vkWaitSemaphores for any of several, asleep.
Result wait_asleep(Device device, const WaitInfo* info, uint64_t timeout) {
  using std::chrono::duration_cast, std::chrono::nanoseconds, std::chrono::steady_clock;
  constexpr uint64_t kShortest = 5'000, kLongest = 2'000'000, kShare = 8;  // ns, ns, of the time waited
  Wait wait = nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex);
    wait = waits.at(device);
  }
  if ((info->flags & kWaitAny) == 0 || info->count < 2) return wait(device, info, timeout);
  WaitInfo first = *info;
  first.count = 1;
  const auto start = steady_clock::now();
  for (uint64_t waited = 0;;) {
    Result result = wait(device, info, 0);
    if (result != kTimeout || waited >= timeout) return result;
    uint64_t slice = std::min(std::clamp(waited / kShare, kShortest, kLongest), timeout - waited);
    result = wait(device, &first, slice);
    if (result != kTimeout) return result;
    waited = static_cast<uint64_t>(duration_cast<nanoseconds>(steady_clock::now() - start).count());
  }
}

Result create_device(PhysicalDevice physical, const void* info, const void* allocator, Device* made) {
  Result result = create_system_device(physical, info, allocator, made);
  if (result != kSuccess) return result;
  DeviceProperties properties{};
  get_properties(physical, &properties);
  std::lock_guard<std::mutex> lock(mutex);
  waits.erase(*made);  // an earlier device may have had its address
  if (properties.device_type == kProcessor) {
    waits[*made] = reinterpret_cast<Wait>(get_system_device_function(*made, "vkWaitSemaphores"));
  }
  return result;
}

Function get_device_function(Device device, const char* name) {
  Function found = get_system_device_function(device, name);
  if (found == nullptr) return found;
  if (std::strcmp(name, "vkWaitSemaphores") == 0) {
    std::lock_guard<std::mutex> lock(mutex);
    return waits.count(device) == 0 ? found : reinterpret_cast<Function>(wait_asleep);
  }
  if (std::strcmp(name, "vkSignalSemaphore") != 0) return found;
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
  std::lock_guard<std::mutex> lock(mutex);
  if (std::strcmp(name, "vkGetDeviceProcAddr") == 0) {
    get_system_device_function = reinterpret_cast<GetDeviceFunction>(found);
    return reinterpret_cast<Function>(get_device_function);
  }
  if (std::strcmp(name, "vkCreateDevice") != 0) return found;
  create_system_device = reinterpret_cast<CreateDevice>(found);
  get_properties = reinterpret_cast<GetProperties>(system(instance, "vkGetPhysicalDeviceProperties"));
  get_system_device_function = reinterpret_cast<GetDeviceFunction>(system(instance, "vkGetDeviceProcAddr"));
  return reinterpret_cast<Function>(create_device);
}

#endif  // __linux__
