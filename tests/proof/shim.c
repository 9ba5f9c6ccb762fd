/* Stands between a program and the disk: writes down every change below one directory, and fails or kills at the n-th.
 *
 * Loaded with LD_PRELOAD by tests/proof/shim.py, which says what a record looks like. Changes are: a file created, bytes
 * written, a length set, a sync, a rename, a file or directory removed, one made. Files that end in -shm are counted
 * and not recorded: SQLite's shared memory is nothing that survives a power cut.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, LENGTH, SYNC, RENAME, REMOVE, MAKE_DIRECTORY, MARK };

typedef struct {
    uint32_t kind, path_bytes, data_bytes, zero;
    uint64_t inode;
    int64_t offset;
} Head;

static pthread_mutex_t one = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char root[PATH_MAX];
static size_t root_bytes;
static int tape = -1;
static long calls, fails_from = LONG_MAX, fails_until = LONG_MAX, dies_at = LONG_MAX;
static int fails_with, half;

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* --- told by the test --- */

void proof_watch(const char *directory, int descriptor) {
    root_bytes = strlen(directory);
    memcpy(root, directory, root_bytes + 1);
    tape = descriptor;
}

long proof_calls(void) { return calls; }

void proof_fail(long from, long until, int with, int half_written) {
    fails_from = calls + from, fails_until = calls + until, fails_with = with, half = half_written;
}

void proof_die(long at) { dies_at = calls + at; }

__attribute__((constructor)) static void begin(void) {
    const char *directory = getenv("PROOF_WATCH"), *at = getenv("PROOF_DIES_AT");
    if (directory != NULL && strlen(directory) < PATH_MAX) proof_watch(directory, -1);
    if (at != NULL) dies_at = atol(at);
}

/* --- the tape --- */

static void record(uint32_t kind, uint64_t inode, int64_t offset, const char *path, const void *data, size_t bytes) {
    if (tape < 0) return;
    Head head = {kind, (uint32_t)strlen(path), (uint32_t)bytes, 0, inode, offset};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)path, head.path_bytes}, {(void *)data, bytes}};
    if (writev(tape, parts, 3) != (ssize_t)(sizeof head + head.path_bytes + bytes)) {
        static const char words[] = "proof: the tape takes no more\n";
        (void)!writev(2, &(struct iovec){(void *)words, sizeof words - 1}, 1);
        raise(SIGABRT);
    }
}

void proof_mark(const char *words, size_t bytes) {
    pthread_mutex_lock(&one);
    record(MARK, 0, 0, "", words, bytes);
    pthread_mutex_unlock(&one);
}

/* --- which calls concern the directory --- */

static int below(const char *path) {
    return root_bytes != 0 && path != NULL && strncmp(path, root, root_bytes) == 0 &&
           (path[root_bytes] == '/' || path[root_bytes] == 0);
}

static int shared(const char *path) {
    size_t bytes = strlen(path);
    return bytes > 4 && strcmp(path + bytes - 4, "-shm") == 0;
}

static int path_of(int descriptor, char *path) {
    char link[64];
    if (root_bytes == 0 || descriptor == tape) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t bytes = readlink(link, path, PATH_MAX - 1);
    if (bytes <= 0) return 0;
    path[bytes] = 0;
    return below(path);
}

static uint64_t inode_of(int descriptor) {
    struct stat found;
    return fstat(descriptor, &found) == 0 ? found.st_ino : 0;
}

/* One more change. True when it is to fail. */
static int refused(void) {
    calls++;
    if (calls == dies_at) raise(SIGKILL);
    if (calls < fails_from || calls >= fails_until) return 0;
    errno = fails_with;
    return 1;
}

/* --- creating --- */

static int opened(int (*real)(int, const char *, int, ...), int at, const char *path, int flags, mode_t mode) {
    if (!below(path) || !(flags & (O_CREAT | O_TRUNC))) return real(at, path, flags, mode);
    struct stat before;
    pthread_mutex_lock(&one);
    int there = stat(path, &before) == 0, changes = !there || ((flags & O_TRUNC) && before.st_size > 0);
    int descriptor = changes && refused() ? -1 : real(at, path, flags, mode);
    int trouble = errno;
    if (descriptor >= 0 && changes && !shared(path)) {
        record(there ? LENGTH : CREATE, inode_of(descriptor), 0, path, "", 0);
    }
    pthread_mutex_unlock(&one);
    errno = trouble;
    return descriptor;
}

#define OPEN(name)                                                     \
    int name(const char *path, int flags, ...) {                       \
        va_list more;                                                  \
        va_start(more, flags);                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                                  \
        REAL(openat);                                                  \
        return opened(real, AT_FDCWD, path, flags | O_LARGEFILE, mode); \
    }
#define OPENAT(name)                                                   \
    int name(int at, const char *path, int flags, ...) {               \
        va_list more;                                                  \
        va_start(more, flags);                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                                  \
        static int (*real)(int, const char *, int, ...);               \
        if (real == NULL) real = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name); \
        return opened(real, at, path, flags, mode);                    \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    if (!below(path)) return real(path, mode);
    pthread_mutex_lock(&one);
    struct stat found;
    int there = stat(path, &found) == 0;
    int done = !there && refused() ? -1 : real(path, mode), trouble = errno;
    if (done == 0) record(MAKE_DIRECTORY, 0, 0, path, "", 0);
    pthread_mutex_unlock(&one);
    errno = trouble;
    return done;
}

/* --- writing --- */

static ssize_t put(ssize_t (*real)(int, const void *, size_t, off64_t), int descriptor, const void *data, size_t bytes,
                   off64_t offset) {
    char path[PATH_MAX];
    if (!path_of(descriptor, path)) return real(descriptor, data, bytes, offset);
    pthread_mutex_lock(&one);
    ssize_t done;
    if (refused()) {
        done = half && bytes > 1 && fails_with == ENOSPC ? real(descriptor, data, bytes / 2, offset) : -1;
        half = 0;
        if (done < 0) errno = fails_with;
    } else {
        done = real(descriptor, data, bytes, offset);
    }
    int trouble = errno;
    if (done > 0 && !shared(path)) {
        off64_t at = offset >= 0 ? offset : lseek64(descriptor, 0, SEEK_CUR) - done;
        record(WRITE, inode_of(descriptor), at, path, data, (size_t)done);
    }
    pthread_mutex_unlock(&one);
    errno = trouble;
    return done;
}

static ssize_t at_the_end(int descriptor, const void *data, size_t bytes, off64_t offset) {
    (void)offset;
    REAL(write);
    return real(descriptor, data, bytes);
}

static ssize_t at_offset(int descriptor, const void *data, size_t bytes, off64_t offset) {
    REAL(pwrite64);
    return real(descriptor, data, bytes, offset);
}

ssize_t write(int descriptor, const void *data, size_t bytes) {
    return put(at_the_end, descriptor, data, bytes, -1);
}
ssize_t pwrite(int descriptor, const void *data, size_t bytes, off_t offset) {
    return put(at_offset, descriptor, data, bytes, offset);
}
ssize_t pwrite64(int descriptor, const void *data, size_t bytes, off64_t offset) {
    return put(at_offset, descriptor, data, bytes, offset);
}

static int set_length(int descriptor, off64_t bytes) {
    REAL(ftruncate64);
    char path[PATH_MAX];
    if (!path_of(descriptor, path)) return real(descriptor, bytes);
    pthread_mutex_lock(&one);
    int done = refused() ? -1 : real(descriptor, bytes), trouble = errno;
    if (done == 0 && !shared(path)) record(LENGTH, inode_of(descriptor), bytes, path, "", 0);
    pthread_mutex_unlock(&one);
    errno = trouble;
    return done;
}

int ftruncate(int descriptor, off_t bytes) { return set_length(descriptor, bytes); }
int ftruncate64(int descriptor, off64_t bytes) { return set_length(descriptor, bytes); }

/* --- making it safe --- */

static int safe(int (*real)(int), int descriptor) {
    char path[PATH_MAX];
    if (!path_of(descriptor, path)) return real(descriptor);
    pthread_mutex_lock(&one);
    int done = refused() ? -1 : real(descriptor), trouble = errno;
    if (done == 0 && !shared(path)) record(SYNC, inode_of(descriptor), 0, path, "", 0);
    pthread_mutex_unlock(&one);
    errno = trouble;
    return done;
}

int fsync(int descriptor) {
    REAL(fsync);
    return safe(real, descriptor);
}
int fdatasync(int descriptor) {
    REAL(fdatasync);
    return safe(real, descriptor);
}

/* --- names --- */

int rename(const char *from, const char *to) {
    REAL(rename);
    if (!below(from) && !below(to)) return real(from, to);
    pthread_mutex_lock(&one);
    int done = refused() ? -1 : real(from, to), trouble = errno;
    if (done == 0) record(RENAME, 0, 0, from, to, strlen(to));
    pthread_mutex_unlock(&one);
    errno = trouble;
    return done;
}

/* `name` is whole, or lies in the open directory `at`: so a tree is removed. */
static int removed(int at, const char *name, int flags) {
    REAL(unlinkat);
    char path[PATH_MAX];
    if (root_bytes == 0 || name == NULL) return real(at, name, flags);
    if (name[0] == '/') {
        if (!below(name) || snprintf(path, sizeof path, "%s", name) >= PATH_MAX) return real(at, name, flags);
    } else {
        if (at == AT_FDCWD || !path_of(at, path)) return real(at, name, flags);
        size_t bytes = strlen(path), left = sizeof path - bytes;
        if (snprintf(path + bytes, left, "/%s", name) >= (int)left) return real(at, name, flags);
    }
    pthread_mutex_lock(&one);
    struct stat found;
    int there = lstat(path, &found) == 0;
    int done = there && refused() ? -1 : real(at, name, flags), trouble = errno;
    if (done == 0 && !shared(path)) record(REMOVE, 0, 0, path, "", 0);
    pthread_mutex_unlock(&one);
    errno = trouble;
    return done;
}

int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int at, const char *name, int flags) { return removed(at, name, flags); }

/* --- room --- */

/* A disk that refused for want of room says that it has none, as long as it would refuse again. */
static int full(void) { return fails_with == ENOSPC && calls >= fails_from && calls + 1 < fails_until; }

int statvfs(const char *path, struct statvfs *found) {
    REAL(statvfs);
    int done = real(path, found);
    if (done == 0 && below(path) && full()) found->f_bavail = found->f_bfree = 0;
    return done;
}
int statvfs64(const char *path, struct statvfs64 *found) {
    REAL(statvfs64);
    int done = real(path, found);
    if (done == 0 && below(path) && full()) found->f_bavail = found->f_bfree = 0;
    return done;
}
