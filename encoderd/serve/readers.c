/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/readers.h"

#include <stdlib.h>

/* Only reads at least this long, as the kernel's read-ahead is, are runs that another reader may
 * continue. */
#define RUN_READ_MIN UINT64_C(16384)

void readers_init(struct readers *readers)
{
    *readers = (struct readers){0};
    for (int i = 0; i < HANDLE_BUCKETS; i++)
        TAILQ_INIT(&readers->handles[i]);
}

static void free_handle(struct readers *readers, struct handles *bucket, struct handle *handle)
{
    readers->nsequential -= handle->reader.streak > 0;
    readers->nhandles--;
    TAILQ_REMOVE(bucket, handle, link);
    free(handle);
}

void readers_clear(struct readers *readers)
{
    struct handle *handle;

    for (int i = 0; i < HANDLE_BUCKETS; i++)
        while ((handle = TAILQ_FIRST(&readers->handles[i])) != NULL)
            free_handle(readers, &readers->handles[i], handle);
}

struct handle *readers_find(const struct readers *readers, uint64_t id, size_t file)
{
    struct handle *handle;

    TAILQ_FOREACH (handle, &readers->handles[id % HANDLE_BUCKETS], link)
        if (handle->handle == id && handle->file == file)
            return handle;
    return NULL;
}

void readers_note(struct readers *readers, uint64_t id, size_t file)
{
    struct handle *handle = readers_find(readers, id, file);

    if (handle != NULL || (handle = calloc(1, sizeof *handle)) == NULL)
        return;
    handle->handle = id;
    handle->file = file;
    TAILQ_INSERT_HEAD(&readers->handles[id % HANDLE_BUCKETS], handle, link);
    readers->nhandles++;
}

void readers_release(struct readers *readers, uint64_t id)
{
    struct handles *bucket = &readers->handles[id % HANDLE_BUCKETS];
    struct handle *handle, *next;

    for (handle = TAILQ_FIRST(bucket); handle != NULL; handle = next) {
        next = TAILQ_NEXT(handle, link);
        if (handle->handle == id)
            free_handle(readers, bucket, handle);
    }
}

/* Finds a run that the read continues. Readers that are close together each ask for a part of the
 * file, because the kernel keeps what it has read for one of them for all. So a reader may continue
 * where another one stopped. */
static const struct reader *find_run(const struct readers *readers, const struct sched_read *read)
{
    for (unsigned i = 0; i < RUNS_MAX; i++)
        if (readers->runs[i].file == read->file && readers->runs[i].reader.next == read->offset)
            return &readers->runs[i].reader;
    return NULL;
}

void readers_note_run(struct readers *readers, const struct sched_read *read,
                      const struct reader *reader)
{
    if (read->length < RUN_READ_MIN)
        return;
    for (unsigned i = 0; i < RUNS_MAX; i++)
        if (readers->runs[i].file == read->file && readers->runs[i].reader.next == reader->next)
            return;
    readers->runs[readers->next_run++ % RUNS_MAX] = (struct reader_place){read->file, *reader};
}

struct extent_plan readers_plan(struct readers *readers, struct handle *handle,
                                const struct view_file *file, const struct plan_limits *limits,
                                const struct sched_read *read)
{
    const struct stream_layout *layout = &file->stream->layout;
    const bool before = handle->reader.streak > 0;
    const struct reader *run;
    struct extent_plan plan;

    if (!plan_continues(&handle->reader, layout, limits, read->offset, read->length) &&
        (run = find_run(readers, read)) != NULL)
        handle->reader = *run;
    plan = plan_read(&handle->reader, layout, file->size, limits, read->offset, read->length);
    if (handle->reader.streak > 0 && !before)
        readers->nsequential++;
    else if (handle->reader.streak == 0 && before)
        readers->nsequential--;
    return plan;
}
