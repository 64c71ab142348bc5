/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto: everything that vczfs and vczfs-encoderd say to each other.
 *
 * AF_UNIX SOCK_SEQPACKET; one msgpack map per packet, its keys short strings, so that a trace can
 * be read by people. File descriptors are passed with SCM_RIGHTS. This header is the whole
 * protocol: a message is one of the structs below, and proto_pack/proto_unpack are the only code
 * that makes and reads packets. PROTOCOL.md, beside it, says the same in prose.
 *
 * proto_unpack is strict. It refuses a wrong type, a missing key, a key that comes twice, a key
 * that does not belong to the message, a value out of its field's range, and bytes after the map.
 * Each side closes the connection to a peer that sends such a packet.
 *
 * Every id is chosen by the front and echoed by the encoder. errno values stand only in `error`.
 */
#ifndef VCZFS_PROTO_PROTO_H
#define VCZFS_PROTO_PROTO_H

#include "common/buf.h"
#include "common/err.h"
#include "common/option_setting.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTO_VERSION      8
#define PROTO_PACKET_MAX   65536     /* bytes in one packet; well under the default SO_SNDBUF */
#define PROTO_FDS_MAX      2         /* descriptors in one packet */
#define PROTO_STRING_MAX   4096      /* bytes in one string, the terminating 0 not counted */
#define PROTO_RETURN_MAX   256       /* leases in one return */
#define PROTO_FILES_MAX    64        /* files in one view */
#define PROTO_FINGERPRINT  32        /* bytes */
#define PROTO_MARK         16        /* the first bytes of it, which a resume sends back */
#define PROTO_BUFFER_MAX   (1 << 20) /* bytes */
#define PROTO_FORMATS_MAX  8
#define PROTO_SETTINGS_MAX 64        /* options of formats in one view */
#define PROTO_HOLD_MAX     128       /* chunks held back at once */
#define PROTO_SIZE_MAX     INT64_MAX /* sizes, offsets and lengths: as off_t, so sums fit */
#define PROTO_LISTENER_FD  3 /* the encoder's end of the socketpair if the front started it */

enum msg_type {
    /* both ways: the first packet each way */
    MSG_HELLO,
    /* front to encoder */
    MSG_OPEN,     /* open this view; once per connection */
    MSG_INFO,     /* describe the store and the view of these options, without opening it */
    MSG_READ,     /* send bytes of a stream */
    MSG_RETURN,   /* leases that the front gives back; no answer */
    MSG_RELEASE,  /* a handle was closed; no answer */
    MSG_STATS,    /* counters, please */
    MSG_FETCH,    /* make this lazy file */
    MSG_EVIDENCE, /* write evidence to this page; before open; no answer */
    MSG_HOLD,     /* hold these chunks back; no answer */
    /* encoder to front */
    MSG_PROGRESS, /* how far a long open has come */
    MSG_NOTICE,   /* a notice for the user about the view; any number, before opened */
    MSG_FILE,     /* one file of the view, with a descriptor if a sidecar; before opened */
    MSG_OPENED,   /* the view is open; with the arena, and the state if has_state */
    MSG_REPORT,   /* answer to info, with a descriptor of the text */
    MSG_SPAN,     /* answer to read: a lease */
    MSG_COUNTERS, /* answer to stats */
    MSG_SIDECAR,  /* answer to fetch, with the file's descriptor */
    MSG_ERROR,    /* the request `id` failed */
};

enum file_kind {
    FILE_STREAM,
    FILE_SIDECAR,
    FILE_LAZY, /* a sidecar that is made only when it is fetched */
};

/* What the user asked to see. Strings are borrowed. */
struct view_options {
    const char *formats[PROTO_FORMATS_MAX]; /* "plink", ... */
    size_t nformats;
    /* Leaves out a format that the store does not allow, if another one remains. */
    bool formats_optional;
    const char *basename; /* never NULL; may be empty in info, which shows no file */
    /* The settings of the formats' own options. Only the formats know them; the protocol does
     * not. */
    struct option_setting settings[PROTO_SETTINGS_MAX];
    size_t nsettings;
    uint64_t min_alleles; /* 0: no limit */
    uint64_t max_alleles; /* 0: no limit */
    bool follow_links;    /* follow links in the store that lead out of it */
    bool absent_fill;     /* read an absent chunk as its fill value */
    bool has_selection;   /* the first descriptor is a selection_request */
};

struct msg_hello {
    uint64_t version; /* PROTO_VERSION */
    const char *program;
    uint64_t pid;
};

struct msg_open {
    uint64_t id;
    const char *store; /* absolute path */
    struct view_options view;
    /* Opens the view again after an encoder's death. The view's fingerprint must begin with these
     * bytes, else the answer is the error "changed". The other bytes are not sent, so that only an
     * encoder that has read the store can answer with the whole fingerprint. No sidecar is made and
     * no `file` is sent. If has_state, the last descriptor is the state that came with the first
     * `opened`. */
    bool resume;
    uint8_t mark[PROTO_MARK]; /* zero unless resume */
    bool has_state;
};

struct msg_info {
    uint64_t id;
    const char *store;
    struct view_options view;
    bool json;
    /* Read the whole store and report what is wrong with it; `view` is not used. With a consumer,
     * check the calls for that program, too. */
    bool check;
    /* Report what this program (common/consumer.h) has trouble with in the view. "": no program.
     * Never NULL. */
    const char *consumer;
};

struct msg_read {
    uint64_t id;
    uint64_t file;   /* index, as in msg_file */
    uint64_t handle; /* tells one reader from another */
    uint64_t offset;
    uint64_t length; /* > 0; the answer may hold fewer or more bytes, but always `offset` */
};

struct msg_return {
    uint64_t leases[PROTO_RETURN_MAX];
    size_t nleases; /* > 0 */
};

struct msg_release {
    uint64_t handle;
};

struct msg_stats {
    uint64_t id;
};

struct msg_fetch {
    uint64_t id;
    uint64_t file;  /* index of a lazy file, as in msg_file */
    uint64_t mtime; /* of the files as the front shows them, in seconds since the epoch */
};

/* The chunks to hold back, in place of an earlier list. A read or fetch that needs one of them gets
 * the error `held`, whose text is the chunk's name. */
struct msg_hold {
    const char *chunks[PROTO_HOLD_MAX]; /* as the evidence names them */
    size_t nchunks;
};

struct msg_progress {
    uint64_t id;
    const char *what;
    uint64_t done, total; /* done <= total */
};

struct msg_notice {
    uint64_t id;
    const char *text;
};

struct msg_file {
    uint64_t id;
    uint64_t file; /* 0, 1, 2, ... in the order of these messages */
    const char *name;
    enum file_kind kind;
    uint64_t size; /* bytes; 0 if lazy */
    /* How many bytes a program should read at a time: a power of two, or 0 if it does not
     * matter. */
    uint64_t buffer;
};

struct msg_opened {
    uint64_t id;
    uint8_t fingerprint[PROTO_FINGERPRINT];
    uint64_t mtime; /* of the store, in ns since the epoch, at most INT64_MAX */
    uint64_t nvariants, nsamples, nfiles;
    uint64_t arena_size; /* bytes of descriptor 0, a memfd sealed against shrinking */
    bool has_state;      /* descriptor 1: opaque, sealed; a resume sends it back */
};

struct msg_report {
    uint64_t id;
    uint64_t size;     /* bytes of descriptor 0, a sealed memfd */
    uint64_t problems; /* how many a check found; else 0 */
};

/* The answer to a read: bytes [offset, offset + length) of the file are at `at` in the arena until
 * the front returns lease `lease`. */
struct msg_span {
    uint64_t id;
    uint64_t lease;
    uint64_t offset;
    uint64_t length; /* > 0 */
    uint64_t at;
};

/* Counted since the encoder started, unless a line says otherwise. */
struct msg_counters {
    uint64_t id;
    uint64_t reads, spans, blocks, bytes_decoded, bytes_encoded;
    uint64_t spans_failed;
    uint64_t mixed_phase;    /* rows that were made with some calls phased and some not */
    uint64_t requests;       /* ranges that the store was asked for */
    uint64_t bytes_read;     /* in them */
    uint64_t opened;         /* objects of the store */
    uint64_t waits;          /* ranges that a thread had to wait for */
    uint64_t most_in_flight; /* the most ranges waited for at the same time */
    uint64_t unforeseen;     /* reads during decoding that should have been asked for earlier */
    uint64_t leases_held;    /* now */
    uint64_t arena_used;     /* bytes, now */
    uint64_t resident;       /* bytes, now */
};

/* Descriptor 0 is either a memfd, sealed like a sidecar's, or a file without a name and without
 * seals, which the encoder no longer writes to. The front maps the memfd, but only reads the
 * file. */
struct msg_sidecar {
    uint64_t id;
    uint64_t file; /* that of the fetch */
    uint64_t size; /* bytes */
    bool sealed;
};

struct msg_error {
    uint64_t id;
    enum err_code code;
    uint64_t errnum; /* what the reader gets: EIO, ESTALE, ... */
    const char *text;
};

struct msg {
    enum msg_type type;
    union {
        struct msg_hello hello;
        struct msg_open open;
        struct msg_info info;
        struct msg_read read;
        struct msg_return ret;
        struct msg_release release;
        struct msg_stats stats;
        struct msg_fetch fetch;
        struct msg_hold hold;
        struct msg_progress progress;
        struct msg_notice notice;
        struct msg_file file;
        struct msg_opened opened;
        struct msg_report report;
        struct msg_span span;
        struct msg_counters counters;
        struct msg_sidecar sidecar;
        struct msg_error error;
    } u;
};

/* "hello", "open", ...: the value of key "t" on the wire. */
const char *msg_type_name(enum msg_type type);

/* How many descriptors a valid message like this brings. The receiver refuses any other number. */
size_t msg_nfds(const struct msg *msg);

/* The errno that a reader gets for an error of this code: the usual value of msg_error.errnum. */
uint64_t proto_errnum(enum err_code code);

/* Appends the packet for msg to out. -1 with ERR_USAGE, and out unchanged, for a message that the
 * peer would refuse: a string that is too long or NULL, or a value out of range. */
int proto_pack(const struct msg *msg, struct buf *out, struct err *err);

/*
 * Unpacks a packet. The strings of *msg point into memory that *scratch owns, so scratch must live
 * as long as they are used. It may be used again for the next packet; free it at the end with
 * proto_scratch_free. ERR_PEER on any violation, with a message that names the message and the key.
 */
struct proto_scratch;
struct proto_scratch *proto_scratch_new(void);
void proto_scratch_free(struct proto_scratch *scratch);
int proto_unpack(const void *packet, size_t len, struct proto_scratch *scratch, struct msg *msg,
                 struct err *err);

#endif
