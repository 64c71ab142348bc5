/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample_table: a text file with a line for each sample: FID, IID and what is the same for all.
 */
#ifndef VCZFS_FORMAT_SAMPLE_TABLE_H
#define VCZFS_FORMAT_SAMPLE_TABLE_H

#include "encoderd/format/misread.h"
#include "encoderd/select/selection.h"

struct sample_table {
    enum misread_place place;
    const char *suffix;  /* ".fam" */
    const char *without; /* "--no-fam": the option that leaves it out */
    const char *head;    /* before the first sample */
    char separator;      /* of FID and IID */
    const char *rest;    /* of each line behind the IID, with its separator and its end */
    bool fid_zero;       /* FID is 0; else the sample's ID, as IID is */
};

/* Into a sealed memfd, the caller's. ERR_DATA if an ID cannot stand in such a file. */
int sample_table_make(const struct sample_table *table, const struct selection *selection, int *fd,
                      uint64_t *size, struct err *err);

#endif
