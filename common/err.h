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
    ERR_MEMORY,      /* the system has no memory left: another process may fare better */
    ERR_BUDGET,  /* it takes more than --memory, or the temporary file, allows: it always will */
    ERR_HELD,    /* a chunk is held back: the message is its name, and nothing else */
    ERR_USAGE,   /* what the user asked for makes no sense, as the store or an expression has it */
    ERR_FORM,    /* a value that its option never takes, or options that exclude each other */
    ERR_CHANGED, /* the store is not the one that was mounted */
    ERR_PEER,    /* the other process broke the protocol or went away */
    ERR_SYSTEM,  /* anything else the system refused */
};

#define ERR_MSG_MAX     1024
#define ERR_SUBJECT_MAX 512

struct err {
    enum err_code code;
    char subject[ERR_SUBJECT_MAX]; /* the store, file, array or chunk; "" until err_name */
    char msg[ERR_MSG_MAX];         /* all that the user is told, with the subject */
    size_t what;                   /* where in msg the rest begins, behind the subject */
};

/* Sets code and message; always returns -1, so that `return err_set(...)` reads well. err may be
 * NULL. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with ": strerror(errnum)" appended. */
int err_sys(struct err *err, enum err_code code, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ERR_MEMORY: "out of memory for " and what it was for. Returns -1. */
int err_nomem(struct err *err, const char *what, ...) __attribute__((format(printf, 2, 3)));

/* Says what the error is about: puts "subject: " before the message. Where a function that knows
 * better said so before, as that which reads a file does, nothing is changed, nor for ERR_HELD.
 * Returns -1. */
int err_name(struct err *err, const char *subject, ...) __attribute__((format(printf, 2, 3)));

/* Is that what err_name was told? */
bool err_is_about(const struct err *err, const char *subject, ...)
    __attribute__((format(printf, 2, 3)));

/* The message without its subject. */
const char *err_what(const struct err *err);

/* Puts "text: " before the message, but for ERR_HELD; keeps the code. Returns -1. */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Does the error lie in what a store has, or lacks, and thus only with those who need that? A
 * mistake in the options, or a system that fails, is everybody's. */
bool err_is_of_store(const struct err *err);

/* "corrupt", "unsupported", ...: stable names, used in the protocol and in logs. */
const char *err_code_name(enum err_code code);

/* The reverse; ERR_SYSTEM for a name that is not known. */
enum err_code err_code_from_name(const char *name);

#endif
