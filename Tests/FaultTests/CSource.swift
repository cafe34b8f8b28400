import Foundation
import TestSupport

/// What tests build from C: libraries that take the place of system calls in the program, which itself is the one that is
/// released, and processes that it meets.
enum CSource {
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

  /// Locks the file of its first argument like a run, and ends after the seconds of its second; its main thread does at
  /// once.
  static let lockHolderWithoutMainThread = """
    #include <fcntl.h>
    #include <pthread.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <sys/file.h>
    #include <unistd.h>
    static void *hold(void *seconds) {
      sleep(atoi(seconds));
      _exit(0);
    }
    int main(int count, char **arguments) {
      char host[256] = "";
      gethostname(host, sizeof host - 1);
      int descriptor = open(arguments[1], O_RDWR | O_CREAT, 0644);
      if (count != 3 || descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) != 0) return 1;
      dprintf(descriptor, "process %d on %s since 2026-01-02T03:04:05Z\\n", (int)getpid(), host);
      pthread_t thread;
      if (pthread_create(&thread, NULL, hold, arguments[2]) != 0) return 1;
      pthread_exit(NULL);
    }
    """

  /// Builds the library called `name` from C; its path.
  static func library(_ name: String, _ source: String, in workplace: Workplace) throws -> String {
    try build(name, source, "-shared -fPIC -ldl", in: workplace)
  }

  /// Builds the program called `name` from C; its path.
  static func program(_ name: String, _ source: String, in workplace: Workplace) throws -> String {
    try build(name, source, "-pthread", in: workplace)
  }

  private static func build(
    _ name: String, _ source: String, _ options: String, in workplace: Workplace
  ) throws -> String {
    let path = "\(workplace.path)/\(name)"
    try source.write(toFile: path + ".c", atomically: true, encoding: .utf8)
    let job = try workplace.start(shell: "exec clang -O1 -o \(path) \(path).c \(options)")
    let ending = try job.waitForEnd()
    guard ending == .exited(0) else {
      throw JobFailure.endedOtherwise(arguments: ["clang"], expected: .exited(0), found: ending, errors: job.errors)
    }
    return path
  }
}
