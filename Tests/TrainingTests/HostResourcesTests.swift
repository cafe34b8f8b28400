import Testing
import Training

struct HostResourcesTests {
  @Test func availableMemoryIsReadInBytes() {
    let meminfo = """
      MemTotal:       32859412 kB
      MemFree:          812340 kB
      MemAvailable:   24117248 kB
      Buffers:          101244 kB
      """
    #expect(HostResources.availableMemory(meminfo: meminfo) == 24_117_248 * 1024)
  }

  @Test(arguments: ["", "MemTotal: 1 kB", "MemAvailable: many kB", "MemAvailable: 12 pages", "MemAvailable:"])
  func whatTheSystemDoesNotSayIsUnknown(meminfo: String) {
    #expect(HostResources.availableMemory(meminfo: meminfo) == nil)
  }
}
