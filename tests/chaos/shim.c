/* Preloaded into the processes that tests/chaos torments: a wall clock that can be put forward and
 * back, and a diary of every write, sync, truncation, renaming and removal under one folder, from
 * which cuts.py makes the files as a power cut would have left them.
 *
 * CHAOS_CLOCK: a file of 8 bytes, seconds (double) that the wall clock is off.
 * CHAOS_DIARY: the diary; CHAOS_FOLDER: the folder it is of. A note is a header and its bytes; it
 * is appended before a write or a removal begins and after a sync has ended, so whatever the diary
 * has as synced by a moment was synced by then. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct note {
    char kind; /* w write, t truncate, s sync, u unlink, r rename */
    char pad[3];
    uint32_t name, size; /* bytes of the name, and of the data after it */
    int64_t offset;      /* of a write; length of a truncation */
    double at;           /* s, monotonic */
};

static volatile double *off;
static int diary = -1;
static char folder[PATH_MAX];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static double monotonic(void) {
    struct timespec t;
    REAL(clock_gettime)(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

__attribute__((constructor)) static void begin(void) {
    const char *clock_file = getenv("CHAOS_CLOCK"), *file = getenv("CHAOS_DIARY");
    int fd = clock_file ? open(clock_file, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void *page = mmap(NULL, sizeof(double), PROT_READ, MAP_SHARED, fd, 0);
        off = page == MAP_FAILED ? NULL : page;
        close(fd);
    }
    if (file && getenv("CHAOS_FOLDER") && realpath(getenv("CHAOS_FOLDER"), folder)) {
        diary = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        strncat(folder, "/", sizeof folder - strlen(folder) - 1);
    }
}

int clock_gettime(clockid_t which, struct timespec *t) {
    int result = REAL(clock_gettime)(which, t);
    if (which == CLOCK_REALTIME && off)
        t->tv_sec += (time_t)*off;
    return result;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    int result = REAL(gettimeofday)(t, zone);
    if (off)
        t->tv_sec += (time_t)*off;
    return result;
}

time_t time(time_t *where) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (where)
        *where = t.tv_sec;
    return t.tv_sec;
}

/* The name under the folder, or NULL when the file is not there (or is SQLite's shared memory). */
static const char *inside(const char *path) {
    size_t n = strlen(folder), length = strlen(path);
    if (diary < 0 || strncmp(path, folder, n) != 0)
        return NULL;
    if (length > 4 && strcmp(path + length - 4, "-shm") == 0)
        return NULL;
    return path + n;
}

static const char *named(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = diary < 0 ? -1 : readlink(link, path, PATH_MAX - 1);
    if (n <= 0)
        return NULL;
    path[n] = 0;
    return inside(path);
}

static void tell(char kind, const char *name, int64_t offset, const void *data, size_t size) {
    struct note note = {kind, {0}, (uint32_t)strlen(name), (uint32_t)size, offset, monotonic()};
    char *line = malloc(sizeof note + note.name + size);
    if (!line)
        abort();
    memcpy(line, &note, sizeof note);
    memcpy(line + sizeof note, name, note.name);
    memcpy(line + sizeof note + note.name, data, size);
    if (REAL(write)(diary, line, sizeof note + note.name + size) < 0)
        abort(); /* a diary with holes proves nothing */
    free(line);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    char path[PATH_MAX];
    const char *name = named(fd, path);
    if (name)
        tell('w', name, offset, data, size);
    return REAL(pwrite)(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    return pwrite(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size) {
    char path[PATH_MAX];
    const char *name = fd > 2 && fd != diary ? named(fd, path) : NULL;
    if (name) { /* only the journal is written so: at the end of its file */
        off_t end = lseek(fd, 0, SEEK_END);
        tell('w', name, end, data, size);
    }
    return REAL(write)(fd, data, size);
}

int ftruncate(int fd, off_t length) {
    char path[PATH_MAX];
    const char *name = named(fd, path);
    if (name)
        tell('t', name, length, "", 0);
    return REAL(ftruncate)(fd, length);
}

int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

static int synced(int fd, int result) {
    char path[PATH_MAX];
    const char *name = result == 0 ? named(fd, path) : NULL;
    if (name)
        tell('s', name, 0, "", 0);
    return result;
}

int fsync(int fd) { return synced(fd, REAL(fsync)(fd)); }

int fdatasync(int fd) { return synced(fd, REAL(fdatasync)(fd)); }

int unlink(const char *path) {
    const char *name = inside(path);
    if (name)
        tell('u', name, 0, "", 0);
    return REAL(unlink)(path);
}

int rename(const char *from, const char *to) {
    const char *old = inside(from), *new = inside(to);
    if (old && new)
        tell('r', old, 0, new, strlen(new));
    return REAL(rename)(from, to);
}
