/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format: what every output format is to the rest of the encoder.
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
    const struct option_setting *settings; /* declared_check has let them pass; borrowed */
    size_t nsettings;
    /* For a report: do without the pass over the sites, its checks and the sidecars that come of
     * it. */
    bool no_scan;
};

/* The stream file: header_nbytes, then nrows × row_nbytes. */
struct stream_layout {
    uint64_t header_nbytes;
    uint64_t row_nbytes;
    uint64_t nrows;
    /* Where the bytes of sample s lie in its row: if samples_per_byte is not 0, in byte
     * s / samples_per_byte and nowhere else, so that any byte range of a row can be made from just
     * its samples. 0: a row is made whole. */
    unsigned samples_per_byte;
};

/* What the calls of a row add up to: zero at first, and shared by all who put calls of the row, who
 * add to it atomically. What the words mean is the format's. */
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
    /* Either planes, of which the first allele of the first call is element `first`. Or, with
     * planes.at NULL, alleles: ncalls × ploidy of them, −1 missing, −2 fill; anything outside int8
     * was narrowed to 127. */
    struct planes planes;
    uint64_t first;
    const int8_t *alleles;
    struct row_sums *sums; /* the row's; NULL unless wants_sums */
};

/* What a format is told about a row when its last call has been put. */
struct row_facts {
    uint64_t row;                /* of the output */
    uint64_t variant;            /* of the store */
    bool phased;                 /* every selected sample's call is; false unless wants_phase */
    const struct site *site;     /* NULL unless wants_sites */
    const struct row_sums *sums; /* NULL unless wants_sums */
};

struct format;

struct format_sidecar {
    const char *suffix; /* ".bim" */
    int fd;             /* sealed memfd, owned; -1 on resume, and when lazy */
    uint64_t size;      /* bytes; 0 when lazy */
    bool lazy;          /* made by make_sidecar, when somebody wants it */
};
#define FORMAT_SIDECARS_MAX 4

/* What a format has learned at its first opening that a resume cannot do without. Not to be trusted
 * when it comes back. */
#define FORMAT_SAVED_MAX 64
struct format_saved {
    uint8_t bytes[FORMAT_SAVED_MAX];
    size_t nbytes;
};

/* How the stream is seen from outside, for a sidecar that speaks of it. */
struct stream_facts {
    const char *name; /* of the file */
    int64_t mtime;    /* seconds since the epoch */
    /* Its bytes [begin, end); one call at a time. */
    int (*read)(void *arg, uint64_t begin, uint64_t end, uint8_t *out, struct err *err);
    void *arg;
};

/* A sidecar made on demand. */
struct made_sidecar {
    int fd; /* a sealed memfd, or a file without a name that nobody else can write to; owned */
    bool sealed;
    uint64_t size;
};

/* One open format of one view. */
struct format_view {
    const struct format *format;
    const struct selection *selection; /* borrowed */
    struct stream_layout layout;
    const char *stream_suffix; /* ".bed" */
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

    /* Makes the sidecars and learns what it must of every site, in one pass. Errors are for the
     * user: they name the first site that this format cannot show, how many there are, and the
     * cure. With `resume` the same view was open before: no pass, no sidecars, and out->saved is
     * what it was then; ERR_PEER if that cannot be. */
    int (*open)(const struct selection *selection, const struct format_options *options,
                const struct pass_means *means, bool resume, struct format_view *out,
                struct err *err);
    void (*close)(struct format_view *view);

    /* Bytes [begin, end) of the stream's header. */
    void (*header)(const struct format_view *view, uint64_t begin, uint64_t end, uint8_t *out);

    /*
     * Writes the calls of one run. `at` is the byte in which the run's first sample lies
     * (samples_per_byte != 0) or the row's first byte. Thread-safe: runs of one row may be put by
     * several threads at once; a byte shared by two runs starts as zero and is completed by atomic
     * or. ERR_DATA, naming the row's variant, if a call cannot be shown; then the bytes are
     * worthless.
     */
    int (*put)(const struct format_view *view, const struct call_run *run, uint8_t *at,
               struct err *err);

    /* Makes a lazy sidecar, in a pass over the sites; NULL where there is none. Any thread, also
     * while others put and finish rows. *temporary is a file without a name for what is too large
     * for memory, or -1; taken (then -1) only when it is what out->fd is. */
    int (*make_sidecar)(const struct format_view *view, size_t sidecar,
                        const struct stream_facts *stream, const struct pass_means *means,
                        int *temporary, struct made_sidecar *out, struct err *err);

    /* Called once per row after its last run, by one thread; NULL where rows may be made in
     * parts. */
    int (*finish_row)(const struct format_view *view, const struct row_facts *facts,
                      uint8_t *row_bytes, struct err *err);
};

/* Bytes of the stream file. */
static inline uint64_t format_stream_size(const struct stream_layout *layout)
{
    return layout->header_nbytes + layout->nrows * layout->row_nbytes;
}

/* What an option that the format declares is set to, or what it is otherwise. */
static inline uint64_t format_option(const struct format_options *options,
                                     const struct declared_format *format, const char *name)
{
    return declared_value(format, name, options->settings, options->nsettings);
}

#endif
