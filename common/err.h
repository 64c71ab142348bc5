/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: how a function says what went wrong.
 *
 * Functions that can fail return 0 or -1 and fill a caller-owned `struct err`. The message names
 * the thing at fault (array, chunk, file) and, where there is one, the cure; it is written for the
 * user. errno values appear only in proto and at the FUSE edge, never in here.
 */
#ifndef VCZFS_COMMON_ERR_H
#define VCZFS_COMMON_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum err_code {
    ERR_NONE = 0,
    ERR_NOT_FOUND,   /* a store, array or file that must exist does not */
    ERR_CORRUPT,     /* bytes that break their own format */
    ERR_UNSUPPORTED, /* legal, but not something vczfs reads (yet) */
    ERR_DATA,        /* well-formed, but this view cannot show it */
    ERR_IO,          /* the system failed to read */
    ERR_MEMORY,      /* the system has no memory left; another encoder may succeed */
    ERR_BUDGET,      /* needs more than --memory or the temporary file allows; always fails */
    ERR_HELD,        /* a chunk is held back; the message is the chunk's name only */
    ERR_USAGE,       /* what the user asked for does not fit this store or is no expression */
    ERR_FORM,        /* a value that its option never takes, or options that exclude each other */
    ERR_CHANGED,     /* the store is not the one that was mounted */
    ERR_PEER,        /* the other process broke the protocol or went away */
    ERR_SYSTEM,      /* anything else the system refused */
};

#define ERR_MSG_MAX     1024
#define ERR_SUBJECT_MAX 512

struct err {
    enum err_code code;
    char subject[ERR_SUBJECT_MAX]; /* the store, file, array or chunk; "" before err_name */
    char msg[ERR_MSG_MAX];         /* the whole text for the user, with the subject */
    size_t what;                   /* where in msg the text after the subject begins */
};

/* Sets code and message; always returns -1, so that `return err_set(...)` reads well. err may be
 * NULL. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int err_vset(struct err *err, enum err_code code, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* The same with ": strerror(errnum)" appended. */
int err_sys(struct err *err, enum err_code code, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ERR_MEMORY: "out of memory for " and what it was for. Returns -1. */
int err_nomem(struct err *err, const char *what, ...) __attribute__((format(printf, 2, 3)));

/* Names the subject of the error: puts "subject: " before the message. Does nothing if an inner
 * function has named the subject already (the one that read the file, for example), or if the code
 * is ERR_HELD. Returns -1. */
int err_name(struct err *err, const char *subject, ...) __attribute__((format(printf, 2, 3)));

/* Is this the subject that err_name was given? */
bool err_is_about(const struct err *err, const char *subject, ...)
    __attribute__((format(printf, 2, 3)));

/* The message without its subject. */
const char *err_what(const struct err *err);

/* Puts "text: " before the message and keeps the code. Does nothing if the code is ERR_HELD.
 * Returns -1. */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Is the error a fault of the data in the store (wrong or missing)? Then it concerns only the
 * callers that need this data. A mistake in the options or a failure of the system concerns all. */
bool err_is_of_store(const struct err *err);

/* "corrupt", "unsupported", ...: stable names, used in the protocol and in logs. */
const char *err_code_name(enum err_code code);

#endif
