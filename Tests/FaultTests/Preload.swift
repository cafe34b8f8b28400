import Foundation
import TestSupport

/// Libraries that take the place of system calls in the program, which itself is the one that is released.
enum Preload {
  /// fsync of what belongs to a checkpoint takes SECONDS_TO_SYNCHRONIZE.
  static let slowSynchronization = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <unistd.h>
    int fsync(int descriptor) {
      const char *seconds = getenv("SECONDS_TO_SYNCHRONIZE");
      char link[64], path[4096] = "";
      snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
      if (readlink(link, path, sizeof path - 1) > 0 && strstr(path, "/.tmp-step-") && seconds) sleep(atoi(seconds));
      int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
      return next(descriptor);
    }
    """

  /// The wall clock jumps by up to three days to and fro at every look; the monotonic clocks go on as they should.
  static let jumpingClock = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <sys/time.h>
    #include <time.h>
    static long jump(void) {
      static volatile long looks;
      return (looks++ * 7 % 6 - 3) * 86400;
    }
    int clock_gettime(clockid_t clock, struct timespec *time) {
      int (*next)(clockid_t, struct timespec *) =
          (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
      int result = next(clock, time);
      if (clock == CLOCK_REALTIME) time->tv_sec += jump();
      return result;
    }
    int gettimeofday(struct timeval *time, void *zone) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      time->tv_sec = now.tv_sec;
      time->tv_usec = now.tv_nsec / 1000;
      return 0;
    }
    """

  /// Builds the library called `name` from C; its path.
  static func library(_ name: String, _ source: String, in workplace: Workplace) throws -> String {
    let path = "\(workplace.path)/\(name)"
    try source.write(toFile: path + ".c", atomically: true, encoding: .utf8)
    let job = try workplace.start(shell: "exec clang -shared -fPIC -O1 -o \(path).so \(path).c -ldl")
    let ending = try job.waitForEnd()
    guard ending == .exited(0) else {
      throw JobFailure.endedOtherwise(arguments: ["clang"], expected: .exited(0), found: ending, errors: job.errors)
    }
    return path + ".so"
  }
}
