/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/options.h"

static const char help_overview[] =
    "vczfs: read a VCF Zarr (VCZ) store as the files that genetics programs know.\n"
    "\n"
    "Usage:\n"
    "  vczfs mount-plink [OPTIONS] STORE DIR   show STORE as .bed, .bim and .fam in DIR\n"
    "  vczfs mount-bgen [OPTIONS] STORE DIR    show STORE as .bgen, .sample and .bgen.bgi in DIR\n"
    "  vczfs mount [OPTIONS] STORE DIR         show STORE in every format that it allows\n"
    "  vczfs unmount [OPTIONS] DIR             take the mount on DIR away\n"
    "  vczfs status [OPTIONS] [DIR]            how the mount on DIR is: processes, reads, memory;\n"
    "                                          without DIR, all that you have mounted\n"
    "  vczfs info [OPTIONS] STORE              what is in STORE, and how large its views would be\n"
    "\n"
    "  vczfs VERB --help                       the options of one of these\n"
    "  vczfs --version                         the version\n"
    "\n"
    "Example:\n"
    "  mkdir mnt\n"
    "  vczfs mount-plink --background sample.vcz mnt\n"
    "  plink2 --bfile mnt/sample --freq\n"
    "  vczfs unmount mnt\n";

#define HELP_VIEW                                                                                  \
    "What to show:\n"                                                                              \
    "      --basename NAME         files are NAME.bed, ... (default: the store's name without\n"   \
    "                              .vcz, .zarr, .zip)\n"                                           \
    "      --fid ID|0              the family ID of each sample: its ID again (default), or 0\n"   \
    "  -m, --min-alleles N         only variants with at least N alleles\n"                        \
    "  -M, --max-alleles N         only variants with at most N alleles (2 leaves out\n"           \
    "                              multi-allelic sites, which no format here can hold)\n"

#define HELP_SELECT                                                                                \
    "Which samples and variants (as bcftools view; vczfs(1) has the expressions):\n"               \
    "  -s, --samples LIST          these samples, in this order (^LIST: all others)\n"             \
    "  -S, --samples-file FILE     the same, one a line (^FILE: all others)\n"                     \
    "      --force-samples         samples that the store lacks are only a warning\n"              \
    "  -r, --regions LIST          variants that overlap chr, chr:from-to, ...\n"                  \
    "  -R, --regions-file FILE     the same, from tab-separated columns, a .bed or a VCF\n"        \
    "      --regions-format F      what FILE is: auto (by name and contents), bed, tab, vcf\n"     \
    "  -t, --targets LIST          variants that begin in these (^LIST: in none of them)\n"        \
    "  -T, --targets-file FILE     the same, from a file (^FILE: in none of them)\n"               \
    "      --targets-format F      what FILE is\n"                                                 \
    "  -v, --types LIST            variants of these types: snps, indels, mnps, other\n"           \
    "  -V, --exclude-types LIST    variants of no such type\n"                                     \
    "  -i, --include EXPRESSION    variants for which it is true\n"                                \
    "  -e, --exclude EXPRESSION    variants for which it is not\n"                                 \
    "      --follow-links          follow links in the store that lead out of it\n"                \
    "      --absent-chunks WHAT    chunks that are not stored, and cannot be what they would "     \
    "read\n"                                                                                       \
    "                              as: error (default), or fill: take the fill value\n"

#define HELP_PLINK                                                                                 \
    "PLINK 1:\n"                                                                                   \
    "      --no-bim                leave the .bim out\n"                                           \
    "      --no-fam                leave the .fam out\n"                                           \
    "      --chr-set N             a species with N pairs of autosomes, as for plink2 (default:\n" \
    "                              human, 22)\n"

#define HELP_BGEN                                                                                  \
    "BGEN:\n"                                                                                      \
    "      --no-bgi                leave the index out (it is made when it is first looked at)\n"  \
    "      --no-sample-file        leave the .sample out\n"                                        \
    "      --no-header-samples     no sample IDs in the .bgen\n"                                   \
    "      --phased                show phase: a variant is phased if every shown call is\n"       \
    "      --unphased              show no phase (the default)\n"                                  \
    "      --haploid               show haploid calls as haploid, not as homozygous ones\n"        \
    "      --variant-id-field F    where a variant's ID goes: rsid (default) or varid\n"           \
    "      --total-string-length N bytes for a variant's contig, ID, alleles and padding\n"        \
    "                              (default: 64, or what the longest need)\n"                      \
    "      --pad-byte C            what padding is made of (default: .)\n"

#define HELP_ENCODER                                                                               \
    "The encoder (the process that decodes the store):\n"                                          \
    "      --memory SIZE           what it may use, e.g. 512M or 2G (default: 256M, at least\n"    \
    "                              16M)\n"                                                         \
    "      --threads N             workers, 1 to 64 (default: one per CPU)\n"                      \
    "      --encoder PATH          this program (default: vczfs-encoderd beside vczfs, then in\n"  \
    "                              " VCZFS_LIBEXECDIR ")\n"                                        \
    "      --encoder-socket PATH   connect to one that runs already and listens there\n"           \
    "      --encoder-user USER     who runs it, if neither root nor you\n"                         \
    "      --no-sandbox            let it keep every right its user has, for debugging\n"

#define HELP_LOG                                                                                   \
    "Logs and help:\n"                                                                             \
    "      --log-level LEVEL       error, warning, info or debug (default: warning; info with\n"   \
    "                              --log-file)\n"                                                  \
    "      --log-file FILE         append to FILE instead of writing to stderr\n"

#define HELP_LAST                                                                                  \
    "  -h, --help                  this text\n"                                                    \
    "      --version               the version\n"

#define HELP_MOUNT                                                                                 \
    "The mount:\n"                                                                                 \
    "      --background            return when the mount is ready\n"                               \
    "      --allow-other           let other users in (/etc/fuse.conf must permit it)\n"           \
    "      --error-if-empty        that no variant is left is an error, not a warning\n"           \
    "      --read-timeout SECONDS  a read that takes longer fails (default: 30)\n"                 \
    "      --access-log FILE       append one JSON object for each open, read, ...\n"

static const char help_mount[] =
    "Usage: vczfs mount [OPTIONS] STORE DIR\n"
    "\n"
    "Shows the VCZ store STORE in every format that it allows, or in those that are asked for,\n"
    "in the empty directory DIR, until it is unmounted or, in the foreground, interrupted.\n"
    "\n"
    "      --formats LIST          only these, and all of them: plink, bgen, or plink,bgen\n"
    "\n" HELP_VIEW "\n" HELP_SELECT "\n" HELP_PLINK "\n" HELP_BGEN "\n" HELP_MOUNT "\n" HELP_ENCODER
    "\n" HELP_LOG HELP_LAST;

static const char help_mount_plink[] =
    "Usage: vczfs mount-plink [OPTIONS] STORE DIR\n"
    "\n"
    "Shows the VCZ store STORE as a PLINK 1 fileset in the empty directory DIR, until it is\n"
    "unmounted or, in the foreground, interrupted.\n"
    "\n" HELP_VIEW "\n" HELP_SELECT "\n" HELP_PLINK "\n" HELP_MOUNT "\n" HELP_ENCODER
    "\n" HELP_LOG HELP_LAST;

static const char help_mount_bgen[] =
    "Usage: vczfs mount-bgen [OPTIONS] STORE DIR\n"
    "\n"
    "Shows the VCZ store STORE as a BGEN file with its sample file and its index in the empty\n"
    "directory DIR, until it is unmounted or, in the foreground, interrupted.\n"
    "\n" HELP_VIEW "\n" HELP_SELECT "\n" HELP_BGEN "\n" HELP_MOUNT "\n" HELP_ENCODER
    "\n" HELP_LOG HELP_LAST;

static const char help_unmount[] =
    "Usage: vczfs unmount [OPTIONS] DIR\n"
    "\n"
    "Takes the vczfs mount on DIR away, and returns when its processes have ended.\n"
    "\n"
    "      --lazy                  also when files are open: they fail from then on\n"
    "      --if-dead               only a mount that nobody serves any more; if there is none,\n"
    "                              there is nothing to do\n" HELP_LAST;

static const char help_status[] =
    "Usage: vczfs status [OPTIONS] [DIR]\n"
    "\n"
    "Says how the vczfs mount on DIR is: both processes, restarts, reads and how long they took,\n"
    "memory, and what went wrong last. Without DIR, a line for each mount of yours (of everybody,\n"
    "for root). Never waits longer than a second for a mount. Exit status 1 if an encoder is not\n"
    "serving, or a read failed of late.\n"
    "\n"
    "      --since SECONDS         how late that is (default 300)\n"
    "      --json                  one JSON object, or an array of them, instead of "
    "text\n" HELP_LAST;

static const char help_info[] =
    "Usage: vczfs info [OPTIONS] STORE\n"
    "\n"
    "Says what is in the VCZ store STORE, and how large the view that these options ask for\n"
    "would be.\n"
    "\n"
    "      --json                  one JSON object instead of text\n"
    "      --check                 instead, read and decode everything once and say what is\n"
    "                              wrong where; exit status 1 if anything is\n"
    "      --for PROGRAM           instead, say what PROGRAM would refuse or misread in that "
    "view:\n"
    "                              plink1.9, plink2, regenie, saige, gcta, bolt, qctool or\n"
    "                              bgenix; with --check, look at the calls for that, too\n"
    "\n" HELP_VIEW "\n" HELP_SELECT "\n" HELP_PLINK "\n" HELP_BGEN "\n" HELP_ENCODER
    "\n" HELP_LOG HELP_LAST;

const char *options_help(enum verb about)
{
    switch (about) {
    case VERB_MOUNT:
        return help_mount;
    case VERB_MOUNT_PLINK:
        return help_mount_plink;
    case VERB_MOUNT_BGEN:
        return help_mount_bgen;
    case VERB_UNMOUNT:
        return help_unmount;
    case VERB_STATUS:
        return help_status;
    case VERB_INFO:
        return help_info;
    case VERB_HELP:
    case VERB_VERSION:
        break;
    }
    return help_overview;
}
