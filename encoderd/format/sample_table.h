/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample_table: a text file with a line for each sample: FID, IID, and columns that are the same
 * for all.
 */
#ifndef VCZFS_FORMAT_SAMPLE_TABLE_H
#define VCZFS_FORMAT_SAMPLE_TABLE_H

#include "encoderd/format/misread.h"
#include "encoderd/select/selection.h"

struct sample_table {
    enum misread_place place;
    const char *suffix;  /* ".fam" */
    const char *without; /* "--no-fam": the option that omits the file */
    const char *head;    /* before the first sample */
    char separator;      /* of FID and IID */
    const char *rest;    /* of each line after the IID, with its separator and newline */
    bool fid_zero;       /* FID is 0; else FID is the sample's ID, as IID is */
};

/* Writes the file to a sealed memfd, which the caller owns. ERR_DATA if an ID cannot be in such a
 * file. */
int sample_table_make(const struct sample_table *table, const struct selection *selection, int *fd,
                      uint64_t *size, struct err *err);

#endif
