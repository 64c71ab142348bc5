/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/view_state.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/memfd.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const char state_magic[8] = {'v', 'c', 'z', 'v', 'i', 'e', 'w', '1'};

struct saved_format {
    uint64_t open;
    uint64_t nbytes;
    uint8_t bytes[FORMAT_SAVED_MAX];
};

/* Followed by the selection's own state. */
struct saved_view_header {
    char magic[8];
    uint64_t nformats;
    struct saved_format formats[PROTO_FORMATS_MAX];
    uint64_t has_selection;
};

void view_state_clear(struct view_state *state)
{
    if (state->selection_fd >= 0)
        close(steal_fd(&state->selection_fd));
}

static bool is_needed(const struct view_state *state)
{
    bool needed = state->selection_fd >= 0;

    for (size_t i = 0; i < state->nformats; i++)
        needed |= !state->formats[i].open || state->formats[i].saved.nbytes > 0;
    return needed;
}

/* Appends `from`, from byte `begin` on, to `to`. */
static int copy_fd(int from, off_t begin, int to, struct err *err)
{
    uint8_t bytes[16384];
    ssize_t n;

    while ((n = pread(from, bytes, sizeof bytes, begin)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, ERR_SYSTEM, errno, "cannot read the state of a view");
        if (io_write_all(to, bytes, (size_t)n, "the state of a view", err) != 0)
            return -1;
        begin += n;
    }
    return 0;
}

int view_state_save(const struct view_state *state, int *fd, struct err *err)
{
    struct saved_view_header header = {.nformats = state->nformats,
                                       .has_selection = state->selection_fd >= 0};
    AUTO_CLOSE int memfd = -1;

    *fd = -1;
    if (!is_needed(state))
        return 0;
    memcpy(header.magic, state_magic, sizeof header.magic);
    for (size_t i = 0; i < state->nformats; i++) {
        const struct view_state_format *format = &state->formats[i];

        header.formats[i].open = format->open;
        header.formats[i].nbytes = format->saved.nbytes;
        memcpy(header.formats[i].bytes, format->saved.bytes, format->saved.nbytes);
    }
    memfd = memfd_open("vczfs-view", err);
    if (memfd < 0 || io_write_all(memfd, &header, sizeof header, "the state of a view", err) != 0)
        return -1;
    if (state->selection_fd >= 0 && copy_fd(state->selection_fd, 0, memfd, err) != 0)
        return -1;
    if (memfd_seal(memfd, err) != 0)
        return -1;
    *fd = steal_fd(&memfd);
    return 0;
}

static bool header_is_good(const struct saved_view_header *header, size_t nformats)
{
    bool any_open = false;

    if (memcmp(header->magic, state_magic, sizeof state_magic) != 0 ||
        header->nformats != nformats || header->has_selection > 1)
        return false;
    for (size_t i = 0; i < nformats; i++)
        if (header->formats[i].open > 1 || header->formats[i].nbytes > FORMAT_SAVED_MAX)
            return false;
    for (size_t i = 0; i < nformats; i++)
        any_open |= header->formats[i].open != 0;
    return any_open;
}

static int load_selection(int fd, struct view_state *out, struct err *err)
{
    AUTO_CLOSE int memfd = memfd_open("vczfs-selection", err);

    if (memfd < 0 || copy_fd(fd, sizeof(struct saved_view_header), memfd, err) != 0 ||
        memfd_seal(memfd, err) != 0)
        return -1;
    out->selection_fd = steal_fd(&memfd);
    return 0;
}

int view_state_load(int fd, size_t nformats, struct view_state *out, struct err *err)
{
    struct saved_view_header header;

    *out = (struct view_state){.nformats = nformats, .selection_fd = -1};
    for (size_t i = 0; i < nformats; i++)
        out->formats[i].open = true;
    if (fd < 0)
        return 0;
    if (pread(fd, &header, sizeof header, 0) != sizeof header || !header_is_good(&header, nformats))
        return err_set(err, ERR_PEER, "the saved state is not that of such a view");
    for (size_t i = 0; i < nformats; i++) {
        out->formats[i].open = header.formats[i].open != 0;
        out->formats[i].saved.nbytes = header.formats[i].nbytes;
        memcpy(out->formats[i].saved.bytes, header.formats[i].bytes, FORMAT_SAVED_MAX);
    }
    return header.has_selection != 0 ? load_selection(fd, out, err) : 0;
}
