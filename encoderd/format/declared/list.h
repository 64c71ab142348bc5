/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list: every format, in the order in which a view shows them. No include guard: the file that
 * includes it defines FORMAT(name) first.
 *
 * A new format is a line here, its declaration beside this file (declared_NAME, in NAME.c), and the
 * code that makes its bytes one folder up (format_NAME).
 */
FORMAT(plink)
FORMAT(bgen)
