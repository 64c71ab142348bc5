/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay: runs a fuzz target over files, and over the files in directories: no libFuzzer needed.
 *
 * The target runs in a child, so that whoever is left can say which input killed it.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child is at; shared with the parent. */
struct state {
    unsigned long ninputs;
    char path[4096];
};

static uint8_t *read_file(const char *path, size_t size)
{
    /* Of the very size, so that the sanitizer sees a read past its end. */
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    FILE *file = fopen(path, "rb");

    if (bytes == NULL || file == NULL || fread(bytes, 1, size, file) != size) {
        fprintf(stderr, "cannot read %s: %s\n", path, strerror(errno));
        exit(1);
    }
    fclose(file);
    return bytes;
}

static void run_path(struct state *state, const char *path);

static void run_dir(struct state *state, const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL) {
        fprintf(stderr, "cannot open %s: %s\n", path, strerror(errno));
        exit(1);
    }
    while ((entry = readdir(dir)) != NULL) {
        char below[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        run_path(state, below);
    }
    closedir(dir);
}

static void run_path(struct state *state, const char *path)
{
    struct stat st;
    uint8_t *bytes;

    if (stat(path, &st) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    if (S_ISDIR(st.st_mode)) {
        run_dir(state, path);
        return;
    }
    snprintf(state->path, sizeof state->path, "%s", path);
    bytes = read_file(path, (size_t)st.st_size);
    LLVMFuzzerTestOneInput(bytes, (size_t)st.st_size);
    free(bytes);
    state->ninputs++;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *name = slash != NULL ? slash + 1 : argv[0];
    struct state *state =
        mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0;
    pid_t child = state != MAP_FAILED ? fork() : -1;

    if (child == 0) {
        for (int i = 1; i < argc; i++)
            run_path(state, argv[i]);
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("replay");
        return 1;
    }
    if (status != 0) {
        printf("fuzz %s: FAILED on %s\n", name, state->path);
        return 1;
    }
    printf("fuzz %s: %lu inputs\n", name, state->ninputs);
    return state->ninputs > 0 ? 0 : 1;
}
