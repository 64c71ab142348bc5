/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_fixture: open PLINK views for tests: of the vectors, and of stores that mkvcz makes.
 */
#ifndef VCZFS_TESTS_VIEW_FIXTURE_H
#define VCZFS_TESTS_VIEW_FIXTURE_H

#include "encoderd/encode/encode.h"
#include "encoderd/serve/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE_SCRATCH ((size_t)4 << 20)

static inline const char *env_or(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value != NULL ? value : otherwise;
}

static inline void vectors_path(char *out, size_t size, const char *kind, const char *name)
{
    snprintf(out, size, "%s/%s/%s", env_or("VCZFS_VECTORS", "build/vectors"), kind, name);
}

/* A whole file, with a 0 after its end; the caller frees it. NULL if it cannot be read. */
static inline uint8_t *fixture_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes;

    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    bytes = calloc(*size + 1, 1);
    if (bytes != NULL && fread(bytes, 1, *size, file) != *size) {
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    return bytes;
}

/* view_open as `mount-plink -M 2` would; NULL and *err on failure. */
static inline struct view *open_plink(const char *path, struct err *err)
{
    const struct pass_means means = {.nthreads = 2, .scratch_max = FIXTURE_SCRATCH};
    const struct view_options options = {.formats = {"plink"},
                                         .nformats = 1,
                                         .basename = "x",
                                         .max_alleles = 2,
                                         .absent_fill = strstr(path, "missing_chunks") != NULL};
    struct view *view = NULL;

    return view_open(path, &options, -1, &means, NULL, &view, err) == 0 ? view : NULL;
}

static inline struct view *open_vector(const char *name, struct err *err)
{
    char path[4096];

    vectors_path(path, sizeof path, "stores", name);
    return open_plink(path, err);
}

/* A store made by mkvcz with these options, in a directory of its own under /tmp that free_made
 * removes. */
static inline int make_store(char *path, size_t size, const char *options)
{
    char command[16384];

    snprintf(path, size, "/tmp/vczfs-test-XXXXXX");
    if (mkdtemp(path) == NULL)
        return -1;
    snprintf(command, sizeof command, "%s/tools/mkvcz %s %s/s.vcz >%s/log 2>&1",
             env_or("VCZFS_BUILD", "build"), options, path, path);
    if (system(command) != 0)
        return -1;
    strncat(path, "/s.vcz", size - strlen(path) - 1);
    return 0;
}

static inline void remove_store(char *path)
{
    char command[16384];

    path[strlen(path) - strlen("/s.vcz")] = '\0';
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", path);
}

/* The .bed is a view's first file. Bytes [begin, end) of it, by one thread; the caller frees. */
static inline uint8_t *encode_range(const struct view *view, uint64_t begin, uint64_t end,
                                    struct err *err)
{
    struct encode_worker worker;
    uint8_t *bytes = malloc(end - begin + 1);
    const struct encode_target target = {.begin = begin, .end = end, .out = bytes};

    if (bytes == NULL || encode_worker_init(&worker, FIXTURE_SCRATCH, NULL, err) != 0)
        abort();
    memset(bytes, 0xa5, end - begin + 1);
    if (encode_target(view->files[0].stream, &target, &worker, err) != 0) {
        free(bytes);
        bytes = NULL;
    }
    encode_worker_clear(&worker);
    return bytes;
}

#endif
