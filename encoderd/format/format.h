/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format: the interface of an output format to the rest of the encoder.
 *
 * A format shows rows (variants of a selection) as files: one stream file of fixed-size rows behind
 * a small header, and sidecars, which are written once, at open. Nothing outside encoderd/format
 * knows which format it serves; a format knows no socket, no scheduler and no thread.
 */
#ifndef VCZFS_FORMAT_FORMAT_H
#define VCZFS_FORMAT_FORMAT_H

#include "common/buf.h"
#include "encoderd/format/declared/declared.h"
#include "encoderd/select/pass.h"
#include "encoderd/select/selection.h"
#include "encoderd/vcz/sites.h"

/* What was asked of a view's formats. */
struct format_options {
    const struct option_setting *settings; /* checked by declared_check before; borrowed */
    size_t nsettings;
    /* For a report: omit the pass over the sites, with its checks and the sidecars that it
     * makes. */
    bool no_scan;
};

/* The stream file: header_nbytes, then nrows × row_nbytes. */
struct stream_layout {
    uint64_t header_nbytes;
    uint64_t row_nbytes;
    uint64_t nrows;
    /* Where the bytes of sample s are in its row. If samples_per_byte is not 0: in byte s /
     * samples_per_byte and in no other, so that any byte range of a row can be made from just its
     * samples. 0: a row is made as a whole. */
    unsigned samples_per_byte;
};

/* Sums over the calls of a row, zero at first. All threads that put calls of the row share them,
 * and add to them atomically. Each format defines what the words mean. */
#define ROW_SUMS 3
struct row_sums {
    uint64_t words[ROW_SUMS];
};

/* Calls of consecutive output samples of one row. */
struct call_run {
    uint64_t row;     /* of the output */
    uint64_t variant; /* of the store, for messages */
    uint64_t sample;  /* output position of the first call */
    uint64_t ncalls;  /* > 0 */
    unsigned ploidy;  /* 1 or 2 */
    /* Either planes: the first allele of the first call is element `first`. Or, if planes.at is
     * NULL, alleles: ncalls × ploidy of them, −1 missing, −2 fill; anything outside int8 was
     * narrowed to 127. */
    struct planes planes;
    uint64_t first;
    const int8_t *alleles;
    struct row_sums *sums; /* the row's; NULL unless wants_sums */
};

/* What a format is told about a row after its last call was put. */
struct row_facts {
    uint64_t row;     /* of the output */
    uint64_t variant; /* of the store */
    /* every selected sample's call is phased; false unless wants_phase */
    bool phased;
    const struct site *site;     /* NULL unless wants_sites */
    const struct row_sums *sums; /* NULL unless wants_sums */
};

struct format;

struct format_sidecar {
    const char *suffix; /* ".bim" */
    int fd;             /* sealed memfd, owned; -1 on resume, and when lazy */
    uint64_t size;      /* bytes; 0 when lazy */
    bool lazy;          /* made by make_sidecar, when it is first needed */
};
#define FORMAT_SIDECARS_MAX 4

/* What a format learned when it was first opened, and needs when an encoder opens it again. It must
 * be checked when it comes back. */
#define FORMAT_SAVED_MAX 64
struct format_saved {
    uint8_t bytes[FORMAT_SAVED_MAX];
    size_t nbytes;
};

/* The properties of the stream file that a sidecar mentions. */
struct stream_facts {
    const char *name; /* of the file */
    int64_t mtime;    /* seconds since the epoch */
    /* Reads the stream's bytes [begin, end); one call at a time. */
    int (*read)(void *arg, uint64_t begin, uint64_t end, uint8_t *out, struct err *err);
    void *arg;
};

/* A sidecar made on demand. */
struct made_sidecar {
    int fd; /* a sealed memfd, or a file without a name that no other process can write to; owned */
    bool sealed;
    uint64_t size;
};

/* One open format of one view. */
struct format_view {
    const struct format *format;
    const struct selection *selection; /* borrowed */
    struct stream_layout layout;
    struct format_sidecar sidecars[FORMAT_SIDECARS_MAX];
    size_t nsidecars;
    struct format_saved saved;
    bool wants_phase; /* finish_row needs to know whether a row is phased */
    bool wants_sites; /* finish_row needs the row's site */
    bool wants_sums;  /* put adds things up for finish_row */
    void *state;      /* the format's own */
};

struct format {
    const struct declared_format *declared;

    /* Makes the sidecars and learns what it must know of every site, in one pass. Errors are for
     * the user: they name the first site that this format cannot show, the number of such sites,
     * and the cure. With `resume` the same view was open before: there is no pass, no sidecar is
     * made, and out->saved is what it was then; ERR_PEER if it is not valid. */
    int (*open)(const struct selection *selection, const struct format_options *options,
                const struct pass_means *means, bool resume, struct format_view *out,
                struct err *err);
    void (*close)(struct format_view *view);

    /* Writes the bytes [begin, end) of the stream's header. */
    void (*header)(const struct format_view *view, uint64_t begin, uint64_t end, uint8_t *out);

    /*
     * Writes the calls of one run. `at` is the byte of the run's first sample (samples_per_byte !=
     * 0) or the row's first byte. Thread-safe: several threads may put runs of one row at once; a
     * byte that two runs share starts as zero and is completed by atomic or. ERR_DATA, naming the
     * row's variant, if a call cannot be shown; the bytes must then not be used.
     */
    int (*put)(const struct format_view *view, const struct call_run *run, uint8_t *at,
               struct err *err);

    /* Makes a lazy sidecar, in a pass over the sites; NULL if the format has none. Any thread, also
     * while others put and finish rows. *temporary is a file without a name, for what is too large
     * for memory, or -1. It is taken, and set to -1, only if out->fd is this file. */
    int (*make_sidecar)(const struct format_view *view, size_t sidecar,
                        const struct stream_facts *stream, const struct pass_means *means,
                        int *temporary, struct made_sidecar *out, struct err *err);

    /* Called once per row after its last run, by one thread; NULL if rows may be made in parts. */
    int (*finish_row)(const struct format_view *view, const struct row_facts *facts,
                      uint8_t *row_bytes, struct err *err);
};

/* Bytes of the stream file. */
static inline uint64_t format_stream_size(const struct stream_layout *layout)
{
    return layout->header_nbytes + layout->nrows * layout->row_nbytes;
}

/* The value of an option that the format declares: the user's, or the default. */
static inline uint64_t format_option(const struct format_options *options,
                                     const struct declared_format *format, const char *name)
{
    return declared_value(format, name, options->settings, options->nsettings);
}

#endif
