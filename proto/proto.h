/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto: everything that vczfs and vczfs-encoderd say to each other.
 *
 * AF_UNIX SOCK_SEQPACKET; one msgpack map per packet, its keys short strings, so that a trace of
 * either side reads like a transcript; file descriptors ride along with SCM_RIGHTS. This header is
 * the whole protocol: a message is one of the structs below, and proto_pack/proto_unpack are the
 * only way on and off the wire. PROTOCOL.md, beside it, says the same in prose.
 *
 * proto_unpack is strict: wrong type, missing key, key twice, key that does not belong to the
 * message, value out of its field's range, bytes after the map: all refused. Neither side obeys a
 * peer that sends such a packet: it drops it.
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
#define PROTO_MARK         16        /* bytes of it, the first ones: what a resume hands back */
#define PROTO_BUFFER_MAX   (1 << 20) /* bytes */
#define PROTO_FORMATS_MAX  8
#define PROTO_SETTINGS_MAX 64        /* options of formats in one view */
#define PROTO_HOLD_MAX     128       /* chunks held back at once */
#define PROTO_SIZE_MAX     INT64_MAX /* sizes, offsets and lengths: off_t's range, so sums fit */
#define PROTO_LISTENER_FD  3 /* the encoder's end of the socketpair, when the front spawned it */

enum msg_type {
    /* both ways: the first packet each way */
    MSG_HELLO,
    /* front to encoder */
    MSG_OPEN,     /* open this view; once per connection */
    MSG_INFO,     /* describe this store and the view these options give; no view is opened */
    MSG_READ,     /* bytes of a stream file, please */
    MSG_RETURN,   /* leases that the front no longer reads from; no answer */
    MSG_RELEASE,  /* a handle was closed; no answer */
    MSG_STATS,    /* counters, please */
    MSG_FETCH,    /* make this lazy file, please */
    MSG_EVIDENCE, /* say in this page what you are at; before open; no answer */
    MSG_HOLD,     /* do not touch these chunks; no answer */
    /* encoder to front */
    MSG_PROGRESS, /* how far a long open has come */
    MSG_NOTICE,   /* something the user should hear about the view; any number before opened */
    MSG_FILE,     /* one file of the view; sidecars bring their descriptor; all before opened */
    MSG_OPENED,   /* the view is open; brings the arena, and the state if has_state */
    MSG_REPORT,   /* answer to info; brings a descriptor with text */
    MSG_SPAN,     /* answer to read: a lease */
    MSG_COUNTERS, /* answer to stats */
    MSG_SIDECAR,  /* answer to fetch; brings the file's descriptor */
    MSG_ERROR,    /* the request `id` failed */
};

enum file_kind {
    FILE_STREAM,
    FILE_SIDECAR,
    FILE_LAZY, /* a sidecar that is made when it is fetched */
};

/* What the user asked to see. Strings are borrowed. */
struct view_options {
    const char *formats[PROTO_FORMATS_MAX]; /* "plink", ... */
    size_t nformats;
    /* A format that the store does not allow is left out, as long as another remains. */
    bool formats_optional;
    const char *basename; /* never NULL; may be empty in info, where no file is named */
    /* What is set of the formats' own options; formats know them, the protocol does not. */
    struct option_setting settings[PROTO_SETTINGS_MAX];
    size_t nsettings;
    uint64_t min_alleles; /* 0: no limit */
    uint64_t max_alleles; /* 0: no limit */
    bool follow_links;    /* links in the store that lead out of it are followed */
    bool absent_fill;     /* absent chunks are taken for their fill value */
    bool has_selection;   /* a selection_request rides along, as the first descriptor */
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
    /* A replay after an encoder's death: the view's fingerprint must begin so (error "changed" if
     * not); the rest of it is not said, so that who answers with it has seen the store. No sidecar
     * is made, no `file` is sent, and the state that came with the first `opened` is attached as
     * the last descriptor when has_state. */
    bool resume;
    uint8_t mark[PROTO_MARK]; /* zero unless resume */
    bool has_state;
};

struct msg_info {
    uint64_t id;
    const char *store;
    struct view_options view;
    bool json;
    /* Report what is wrong with the store, after reading all of it; `view` is not used. With a
     * consumer: look at its calls, too. */
    bool check;
    /* Report what this program (common/consumer.h) minds in the view; "": none. Never NULL. */
    const char *consumer;
};

struct msg_read {
    uint64_t id;
    uint64_t file;   /* index, as in msg_file */
    uint64_t handle; /* tells sequential readers from random ones */
    uint64_t offset;
    uint64_t length; /* > 0; the answer may cover less or more, but always `offset` */
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
    uint64_t file;  /* index, as in msg_file; lazy */
    uint64_t mtime; /* of the files as the front shows them: seconds since the epoch */
};

/* In place of what was held before. A read or fetch that needs one of them gets an error `held`
 * whose text is the chunk's name. */
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
    uint64_t file; /* 0, 1, 2, ... in the order they are sent */
    const char *name;
    enum file_kind kind;
    uint64_t size; /* bytes; 0 if lazy */
    /* What programs had best read at a time: bytes, a power of two; 0: it does not matter. */
    uint64_t buffer;
};

struct msg_opened {
    uint64_t id;
    uint8_t fingerprint[PROTO_FINGERPRINT];
    uint64_t mtime; /* of the store: nanoseconds since the epoch, at most INT64_MAX */
    uint64_t nvariants, nsamples, nfiles;
    uint64_t arena_size; /* bytes of the memfd attached as descriptor 0, sealed against shrinking */
    bool has_state;      /* descriptor 1: opaque, sealed; handed back on resume */
};

struct msg_report {
    uint64_t id;
    uint64_t size;     /* bytes of the sealed memfd attached as descriptor 0 */
    uint64_t problems; /* that a check found; else 0 */
};

/* "Bytes [offset, offset + length) of the file that read `id` named lie at `at` in the arena until
 * you return lease `lease`." */
struct msg_span {
    uint64_t id;
    uint64_t lease;
    uint64_t offset;
    uint64_t length; /* > 0 */
    uint64_t at;
};

/* All since the encoder started, unless said. */
struct msg_counters {
    uint64_t id;
    uint64_t reads, spans, blocks, bytes_decoded, bytes_encoded;
    uint64_t spans_failed;
    uint64_t mixed_phase;    /* rows made in which some calls are phased and some are not */
    uint64_t requests;       /* ranges that the store was asked for */
    uint64_t bytes_read;     /* in them */
    uint64_t opened;         /* objects of the store */
    uint64_t waits;          /* ranges that had to be waited for */
    uint64_t most_in_flight; /* ranges that were waited for at the same time */
    uint64_t unforeseen;     /* reads while decoding, of what should have been asked for before */
    uint64_t leases_held;    /* now */
    uint64_t arena_used;     /* bytes, now */
    uint64_t resident;       /* bytes, now */
};

/* Descriptor 0 is a memfd that is sealed as a sidecar's or, not sealed, a file without a name,
 * which the encoder has stopped writing to and which is to be read, not mapped. */
struct msg_sidecar {
    uint64_t id;
    uint64_t file; /* that of the fetch */
    uint64_t size; /* bytes */
    bool sealed;
};

struct msg_error {
    uint64_t id;
    enum err_code code;
    uint64_t errnum; /* what a reader should see: EIO, ESTALE, ... */
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

/* How many descriptors a valid message of this kind brings; the receiver refuses any other
 * number. */
size_t msg_nfds(const struct msg *msg);

/* The errno that a reader should see for a failure of this kind: the usual value of
 * msg_error.errnum. */
uint64_t proto_errnum(enum err_code code);

/* Appends the packet for msg to out. -1 with ERR_USAGE for a message that the peer would refuse: a
 * string too long or NULL, a value out of range; out is then as it was. */
int proto_pack(const struct msg *msg, struct buf *out, struct err *err);

/*
 * Takes a packet apart. The strings of *msg point into memory that *scratch owns; it must outlive
 * them and may be reused for the next packet (proto_scratch_free at the end). ERR_PEER on any
 * violation, with a message that names the message and the key.
 */
struct proto_scratch;
struct proto_scratch *proto_scratch_new(void);
void proto_scratch_free(struct proto_scratch *scratch);
int proto_unpack(const void *packet, size_t len, struct proto_scratch *scratch, struct msg *msg,
                 struct err *err);

#endif
