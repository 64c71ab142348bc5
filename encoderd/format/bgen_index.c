/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgen_index: the .bgen.bgi, an SQLite database as bgenix makes it.
 *
 * It is made in one pass over the sites in store order. Rows are inserted directly into the table,
 * whose primary key is nearly in that order, so that SQLite needs no more memory than its page
 * cache.
 */
#include "common/cleanup.h"
#include "common/memfd.h"
#include "common/size.h"
#include "encoderd/format/bgen_impl.h"
#include "encoderd/format/sqlite_fd.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_NBYTES 1000

/* An index that cannot become larger than this is made in memory, any other in a file. */
#define IN_MEMORY_MAX (UINT64_C(64) << 20)
/* Bytes of a row besides its strings: numbers and its share of the page; pages may be half
 * empty. */
#define ROW_OVERHEAD 64
#define PAGE_SLACK   2

/* Bytes of the rows that are read at once where genotypes are needed. */
#define WINDOW_NBYTES (UINT64_C(4) << 20)

static const char schema[] =
    "CREATE TABLE Variant ("
    "  chromosome TEXT NOT NULL,"
    "  position INT NOT NULL,"
    "  rsid TEXT NOT NULL,"
    "  number_of_alleles INT NOT NULL,"
    "  allele1 TEXT NOT NULL,"
    "  allele2 TEXT NULL,"
    "  file_start_position INT NOT NULL,"
    "  size_in_bytes INT NOT NULL,"
    "  PRIMARY KEY (chromosome, position, rsid, allele1, allele2, file_start_position)"
    ") WITHOUT ROWID;"
    "CREATE TABLE Metadata ("
    "  filename TEXT NOT NULL,"
    "  file_size INT NOT NULL,"
    "  last_write_time INT NOT NULL,"
    "  first_1000_bytes BLOB NOT NULL,"
    "  index_creation_time INT NOT NULL"
    ");"
    "PRAGMA cache_size=-16384;"
    "BEGIN";

/* A row between the pass and the table: numbers, and behind them the strings. */
struct entry {
    uint64_t row;
    uint32_t position;
    uint32_t padding; /* bytes of the padding ID, if rsid is the padding ID */
    uint32_t contig, id, ref, alt;
};

struct index_piece {
    struct buf entries;
};

/* Rows of the stream, for the few views whose IDs depend on genotypes. */
struct row_window {
    uint64_t begin, end; /* rows */
    /* rows before this one are read one by one, because one of them cannot be read */
    uint64_t one_by_one;
    bool unreadable; /* that one row cannot be read */
    uint8_t *bytes;  /* owned; NULL: not needed */
};

struct index {
    const struct format_view *view;
    const struct bgen_shape *shape;
    const struct stream_facts *stream;
    struct sqlite_fd *file;
    sqlite3_stmt *insert;
    struct row_window window;
    struct buf padding;
};

static uint32_t longest_padding(const struct bgen_shape *shape, const struct site *site)
{
    return shape->id_in_varid ? (uint32_t)bgen_row_padding(shape, site) : 0;
}

static int index_site(const struct site *site, const struct output_row *row, void *arg_piece,
                      void *arg, struct err *err)
{
    const struct index *index = arg;
    struct index_piece *piece = arg_piece;
    const struct str alt = bgen_row_alt(site);
    struct entry entry;

    if (site->nalleles > 2 || site->position > UINT32_MAX ||
        bgen_row_strings_needed(site) > index->shape->strings)
        return err_set(
            err, ERR_DATA, "%s: variant %llu is not what it was when the store was mounted",
            store_path(index->view->selection->vcz->store), (unsigned long long)site->variant);
    entry = (struct entry){.row = row->index,
                           .position = (uint32_t)site->position,
                           .padding = longest_padding(index->shape, site),
                           .contig = (uint32_t)site->contig.len,
                           .id = (uint32_t)site->id.len,
                           .ref = (uint32_t)site->alleles[0].len,
                           .alt = (uint32_t)alt.len};
    buf_append(&piece->entries, &entry, sizeof entry);
    buf_append(&piece->entries, site->contig.at, site->contig.len);
    buf_append(&piece->entries, site->id.at, site->id.len);
    buf_append(&piece->entries, site->alleles[0].at, site->alleles[0].len);
    buf_append(&piece->entries, alt.at, alt.len);
    return piece->entries.failed ? err_nomem(err, "an index") : 0;
}

static void index_clear(void *arg_piece)
{
    buf_free(&((struct index_piece *)arg_piece)->entries);
}

static uint64_t row_offset(const struct index *index, uint64_t row)
{
    return index->view->layout.header_nbytes + row * index->view->layout.row_nbytes;
}

static int read_window(struct index *index, uint64_t row, struct err *err)
{
    const struct stream_layout *layout = &index->view->layout;
    struct row_window *window = &index->window;
    const uint64_t most = row < window->one_by_one ? 1 : WINDOW_NBYTES / layout->row_nbytes;
    struct err why = {0};

    window->begin = row;
    window->end = size_min(layout->nrows, row + size_max(1, most));
    window->unreadable = false;
    if (index->stream->read(index->stream->arg, row_offset(index, window->begin),
                            row_offset(index, window->end), window->bytes, &why) == 0)
        return 0;
    if (!err_is_of_store(&why)) {
        *err = why;
        return -1;
    }
    if (window->end - window->begin > 1) {
        window->one_by_one = window->end;
        return read_window(index, row, err);
    }
    window->unreadable = true;
    return 0;
}

/* The row's bytes in the stream, which say how long its padding ID is; NULL if they cannot be
 * read. */
static int window_row(struct index *index, uint64_t row, const uint8_t **bytes, struct err *err)
{
    struct row_window *window = &index->window;

    if (row >= window->end && read_window(index, row, err) != 0)
        return -1;
    *bytes = window->unreadable
                 ? NULL
                 : window->bytes + (row - window->begin) * index->view->layout.row_nbytes;
    return 0;
}

/* Makes the padding ID of views in which it is the rsid. */
static int padding_id(struct index *index, const struct entry *entry, struct str *out,
                      struct err *err)
{
    uint32_t length = entry->padding;
    const uint8_t *row;
    uint8_t *to;

    if (index->window.bytes != NULL) {
        if (window_row(index, entry->row, &row, err) != 0)
            return -1;
        if (row != NULL)
            length = row[2 + entry->id] | (uint32_t)row[2 + entry->id + 1] << 8;
    }
    buf_reset(&index->padding);
    to = buf_reserve(&index->padding, length);
    if (to == NULL)
        return err_nomem(err, "an index");
    memset(to, index->shape->pad, length);
    to[0] = '.';
    *out = (struct str){(const char *)to, length};
    return 0;
}

static void bind(struct index *index, int column, const struct str *text)
{
    sqlite3_bind_text(index->insert, column, text->at, (int)text->len, SQLITE_STATIC);
}

static int insert_entry(struct index *index, const struct entry *entry, const char *strings,
                        struct err *err)
{
    const struct str contig = {strings, entry->contig};
    const struct str ref = {strings + entry->contig + entry->id, entry->ref};
    const struct str alt = {ref.at + ref.len, entry->alt};
    struct str rsid = {strings + entry->contig, entry->id};

    if (index->shape->id_in_varid && padding_id(index, entry, &rsid, err) != 0)
        return -1;
    bind(index, 1, &contig);
    sqlite3_bind_int64(index->insert, 2, entry->position);
    bind(index, 3, &rsid);
    bind(index, 4, &ref);
    bind(index, 5, &alt);
    sqlite3_bind_int64(index->insert, 6, (int64_t)row_offset(index, entry->row));
    sqlite3_bind_int64(index->insert, 7, (int64_t)index->view->layout.row_nbytes);
    if (sqlite3_step(index->insert) != SQLITE_DONE)
        return sqlite_fd_fail(index->file, err);
    sqlite3_reset(index->insert);
    return 0;
}

static int index_take(void *arg_piece, void *arg, struct err *err)
{
    const struct index_piece *piece = arg_piece;
    struct index *index = arg;
    const uint8_t *at = piece->entries.data, *end = at + piece->entries.len;

    while (at < end) {
        struct entry entry;

        memcpy(&entry, at, sizeof entry);
        at += sizeof entry;
        if (insert_entry(index, &entry, (const char *)at, err) != 0)
            return -1;
        at += (uint64_t)entry.contig + entry.id + entry.ref + entry.alt;
    }
    return 0;
}

static int insert_variants(struct index *index, const struct pass_means *means, struct err *err)
{
    static const char sql[] = "INSERT INTO Variant VALUES (?1, ?2, ?3, 2, ?4, ?5, ?6, ?7)";
    const struct selection *selection = index->view->selection;
    const struct pass pass = {
        .vcz = selection->vcz,
        .rows = &selection->rows,
        .what = "indexing variants",
        .piece_size = sizeof(struct index_piece),
        .site = index_site,
        .take = index_take,
        .clear = index_clear,
        .arg = index,
    };
    int rc;

    if (sqlite3_prepare_v2(sqlite_fd_db(index->file), sql, sizeof sql, &index->insert, NULL) !=
        SQLITE_OK)
        return sqlite_fd_fail(index->file, err);
    rc = pass_run(&pass, means, err);
    sqlite3_finalize(index->insert);
    return rc;
}

/* Reads the first bytes of the stream, the header and then row after row. If a fault of the store
 * prevents reading, *n is smaller than FIRST_NBYTES. */
static int read_first(const struct index *index, uint8_t first[FIRST_NBYTES], uint64_t *n,
                      struct err *err)
{
    const uint64_t most = size_min(format_stream_size(&index->view->layout), FIRST_NBYTES);
    struct err why = {0};

    *n = 0;
    for (uint64_t row = 0; *n < most; row++) {
        const uint64_t end = size_min(most, row_offset(index, row));

        if (index->stream->read(index->stream->arg, *n, end, first + *n, &why) != 0)
            break;
        *n = end;
    }
    if (*n == most || err_is_of_store(&why))
        return 0;
    *err = why;
    return -1;
}

static int insert_metadata(struct index *index, struct err *err)
{
    static const char sql[] = "INSERT INTO Metadata VALUES (?1, ?2, ?3, ?4, ?5)";
    const uint64_t size = format_stream_size(&index->view->layout);
    uint8_t first[FIRST_NBYTES];
    sqlite3_stmt *insert;
    uint64_t nfirst;
    int rc;

    if (read_first(index, first, &nfirst, err) != 0)
        return -1;
    if (sqlite3_prepare_v2(sqlite_fd_db(index->file), sql, sizeof sql, &insert, NULL) != SQLITE_OK)
        return sqlite_fd_fail(index->file, err);
    sqlite3_bind_text(insert, 1, index->stream->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 2, (int64_t)size);
    sqlite3_bind_int64(insert, 3, index->stream->mtime);
    sqlite3_bind_blob(insert, 4, first, (int)nfirst, SQLITE_STATIC);
    /* The creation time is the stream's time too, so that the bytes are the same in every mount. */
    sqlite3_bind_int64(insert, 5, index->stream->mtime);
    rc = sqlite3_step(insert) == SQLITE_DONE ? 0 : sqlite_fd_fail(index->file, err);
    sqlite3_finalize(insert);
    return rc;
}

/* If the padding ID is the rsid, and calls may be haploid, its length depends on the genotypes. */
static int make_window(struct index *index, struct err *err)
{
    const struct stream_layout *layout = &index->view->layout;

    if (!index->shape->id_in_varid || !index->shape->haploid || index->shape->ploidy == 1)
        return 0;
    index->window.bytes = malloc(size_max(layout->row_nbytes, WINDOW_NBYTES));
    return index->window.bytes == NULL ? err_nomem(err, "an index") : 0;
}

static int fill(struct index *index, const struct pass_means *means, struct err *err)
{
    sqlite3 *db = sqlite_fd_db(index->file);

    if (sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fd_fail(index->file, err);
    if (insert_metadata(index, err) != 0 || insert_variants(index, means, err) != 0)
        return -1;
    if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fd_fail(index->file, err);
    return 0;
}

static int write_index(struct index *index, int fd, const struct pass_means *means, struct err *err)
{
    int rc = -1;

    index->file = sqlite_fd_open(fd, err);
    if (index->file != NULL && make_window(index, err) == 0)
        rc = fill(index, means, err);
    if (sqlite_fd_close(index->file, rc == 0 ? err : NULL) != 0)
        rc = -1;
    free(index->window.bytes);
    buf_free(&index->padding);
    return rc;
}

static bool fits_memory(const struct bgen_shape *shape, uint64_t nrows)
{
    uint64_t nbytes;

    return size_mul(nrows, (shape->strings + ROW_OVERHEAD) * PAGE_SLACK, &nbytes) &&
           nbytes <= IN_MEMORY_MAX;
}

static int make_in_memory(struct index *index, const struct pass_means *means, int *out,
                          struct err *err)
{
    AUTO_CLOSE int fd = memfd_open("vczfs-bgi", err);

    if (fd < 0 || write_index(index, fd, means, err) != 0 || memfd_seal(fd, err) != 0)
        return -1;
    *out = steal_fd(&fd);
    return 0;
}

static int make_in_file(struct index *index, const struct pass_means *means, int *temporary,
                        int *out, struct err *err)
{
    if (*temporary < 0)
        return err_set(err, ERR_IO,
                       "the index is too large for memory, and no temporary file could be made for "
                       "it; let TMPDIR name a directory that can be written to");
    if (ftruncate(*temporary, 0) != 0)
        return err_sys(err, ERR_IO, errno, "the temporary file for an index");
    if (write_index(index, *temporary, means, err) != 0)
        return -1;
    *out = steal_fd(temporary);
    return 0;
}

int bgen_make_index(const struct format_view *view, size_t sidecar,
                    const struct stream_facts *stream, const struct pass_means *means,
                    int *temporary, struct made_sidecar *out, struct err *err)
{
    const struct bgen *bgen = view->state;
    struct index index = {.view = view, .shape = &bgen->shape, .stream = stream};
    const bool in_memory = fits_memory(index.shape, view->layout.nrows);
    AUTO_CLOSE int fd = -1;
    struct stat st;

    (void)sidecar;
    if ((in_memory ? make_in_memory(&index, means, &fd, err)
                   : make_in_file(&index, means, temporary, &fd, err)) != 0)
        return -1;
    if (fstat(fd, &st) != 0)
        return err_sys(err, ERR_IO, errno, "cannot measure an index");
    *out = (struct made_sidecar){steal_fd(&fd), in_memory, (uint64_t)st.st_size};
    return 0;
}
