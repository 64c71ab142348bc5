/*
 * locate: where a chunk's stored bytes are: an object of its own, or a part of a shard.
 *
 * Shards are opened once per decoder and kept with their index while chunks of them are in use or were
 * lately. An index is checked where it is read: its checksum once, when the shard is opened, and each
 * entry against the object's size when it is asked for. Two entries may share bytes.
 */
#ifndef VCZFS_ZARR_CHUNK_LOCATE_H
#define VCZFS_ZARR_CHUNK_LOCATE_H

#include "encoderd/zarr/meta/array.h"

struct shard;

struct extent {
    struct object *object; /* NULL if the chunk is absent; owned unless it is a shard's */
    struct shard *shard;   /* a reference, or NULL */
    uint64_t base, length; /* in the object */
};

/* A decoder's shards. Zero-initialise. */
#define SHARDS_MAX 8
struct shards {
    struct shard *items[SHARDS_MAX];
    size_t n;
    uint64_t tick;
};
void shards_clear(struct shards *shards);

#define EXTENT_LABEL_MAX (ZARR_KEY_MAX + 128)

/* What the chunk at `index` (checked) is called: the object's key and, in a shard, the chunk's place in it. */
void extent_label(const struct zarr_array *array, const uint64_t *index,
                  char label[EXTENT_LABEL_MAX]);

/* Finds the chunk. */
int extent_open(struct shards *shards, const struct zarr_array *array, const uint64_t *index,
                struct extent *out, struct err *err);
void extent_close(struct extent *extent);

/* Is the chunk at `index` (checked) there? Looks at names, and at the index where there is sharding. */
int extent_stored(struct shards *shards, const struct zarr_array *array, const uint64_t *index,
                  bool *stored, struct err *err);

#endif
