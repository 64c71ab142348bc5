/* SPDX-License-Identifier: Apache-2.0 */
#include "common/buf.h"
#include "encoderd/select/expr_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const op_text[] = {
    [EXPR_NEGATE] = "neg", [EXPR_ADD] = "+",       [EXPR_SUB] = "-", [EXPR_MUL] = "*",
    [EXPR_DIV] = "/",      [EXPR_MOD] = "%",       [EXPR_EQ] = "=",  [EXPR_NE] = "!=",
    [EXPR_LT] = "<",       [EXPR_LE] = "<=",       [EXPR_GT] = ">",  [EXPR_GE] = ">=",
    [EXPR_LIKE] = "~",     [EXPR_NOT_LIKE] = "!~", [EXPR_AND] = "&", [EXPR_AND_ANY] = "&&",
    [EXPR_OR] = "|",       [EXPR_OR_ANY] = "||",
};

static void write_indices(const struct expr_indices *indices, struct buf *out)
{
    for (size_t i = 0; i < indices->nranges; i++) {
        const struct expr_range *range = &indices->ranges[i];

        buf_printf(out, "%s%llu", i > 0 ? "," : "", (unsigned long long)range->first);
        if (range->last == UINT64_MAX)
            buf_append_char(out, '-');
        else if (range->last != range->first)
            buf_printf(out, "-%llu", (unsigned long long)range->last);
    }
    if (indices->of_call)
        buf_append_str(out, "GT");
    else if (!indices->given)
        buf_append_char(out, '*');
}

static void write_subscript(const struct expr_subscript *subscript, struct buf *out)
{
    if (!subscript->given)
        return;
    buf_append_char(out, '[');
    if (subscript->file != NULL)
        buf_printf(out, "@%.*s", (int)subscript->file_len, subscript->file);
    else
        write_indices(&subscript->first, out);
    if (subscript->colon) {
        buf_append_char(out, ':');
        write_indices(&subscript->second, out);
    }
    buf_append_char(out, ']');
}

static void write_node(const struct expr_node *node, struct buf *out)
{
    static const char *const scopes[] = {"", "INFO/", "FORMAT/"};

    switch (node->op) {
    case EXPR_NUMBER:
        buf_printf(out, "%g", node->number);
        return;
    case EXPR_STRING:
        buf_printf(out, "'%.*s'", (int)node->len, node->text);
        return;
    case EXPR_FILE:
        buf_printf(out, "@%.*s", (int)node->len, node->text);
        return;
    case EXPR_TAG:
        buf_printf(out, "%s%.*s", scopes[node->scope], (int)node->len, node->text);
        write_subscript(&node->subscript, out);
        return;
    case EXPR_CALL:
        buf_printf(out, "(%s%s", node->per_sample ? "SMPL_" : "", expr_func_name(node->func));
        break;
    default:
        buf_printf(out, "(%s", op_text[node->op]);
    }
    for (unsigned i = 0; i < node->nargs; i++) {
        buf_append_char(out, ' ');
        write_node(node->args[i], out);
    }
    buf_append_char(out, ')');
}

static void check(const char *text, const char *tree_text)
{
    struct buf out = {0};
    struct expr_tree tree;
    struct err err = {0};

    if (expr_parse(text, &tree, &err) != 0)
        fail_msg("%s", err.msg);
    write_node(tree.root, &out);
    buf_append_char(&out, '\0');
    assert_string_equal((const char *)out.data, tree_text);
    buf_free(&out);
    expr_tree_free(&tree);
}

static void test_trees(void **state)
{
    (void)state;
    check("QUAL>50", "(> QUAL 50)");
    check("1+2*3-4=5", "(= (- (+ 1 (* 2 3)) 4) 5)");
    check("9-4-3=2", "(= (- (- 9 4) 3) 2)");
    check("8/4/2=1", "(= (/ (/ 8 4) 2) 1)");
    check("7%4*2=6", "(= (* (% 7 4) 2) 6)");
    check("-QUAL<-50", "(< (neg QUAL) (neg 50))");
    check("2--3=5", "(= (- 2 (neg 3)) 5)");
    check("a=1|b=2&c=3", "(| (= a 1) (& (= b 2) (= c 3)))");
    check("a=1&&b=2&c=3", "(&& (= a 1) (& (= b 2) (= c 3)))");
    check("a=1 & b=2 && c=3", "(& (= a 1) (&& (= b 2) (= c 3)))");
    check("(a=1|b=2)&c==3", "(& (| (= a 1) (= b 2)) (= c 3))");
    check("A!=\"x\"||B!~'y\"'", "(|| (!= A 'x') (!~ B 'y\"'))");
    check("INFO/DP>=1 | format/DP<=.5 | FMT/X<1e-3",
          "(| (>= INFO/DP 1) (| (<= FORMAT/DP 0.5) (< FORMAT/X 0.001)))");
    check("%QUAL>1", "(> QUAL 1)");
    check("MAX(DP)>1 & smpl_mean(GQ)=2 & sSUM(X)=3 & avg(Y)<4",
          "(& (> (MAX DP) 1) (& (= (SMPL_AVG GQ) 2) (& (= (SMPL_SUM X) 3) (< (AVG Y) 4))))");
    check("sCOUNT(A)=0x1F", "(= (SMPL_COUNT A) 31)");
    check("fisher(A,B[:0,1])<1e-2", "(< (FISHER A B[*:0,1]) 0.01)");
    check("phred(binom(AD[:0], AD[:1]))>3", "(> (PHRED (BINOM AD[*:0] AD[*:1])) 3)");
    check("N_PASS(GQ>1 & GT!=\"mis\")>0", "(> (N_PASS (& (> GQ 1) (!= GT 'mis'))) 0)");
    check("1000G=1", "(= 1000G 1)");
    check("ID=@a/b.txt | X=1", "(| (= ID @a/b.txt) (= X 1))");
}

static void test_subscripts(void **state)
{
    (void)state;
    check("X[0]=1", "(= X[0] 1)");
    check("X[*]=1", "(= X[*] 1)");
    check("X[]=1", "(= X[*] 1)");
    check("X[1-]=1", "(= X[1-] 1)");
    check("X[0,2-4,9-]=1", "(= X[0,2-4,9-] 1)");
    check("X[0:1]=1", "(= X[0:1] 1)");
    check("X[:1]=1", "(= X[*:1] 1)");
    check("X[0:]=1", "(= X[0:*] 1)");
    check("X[@s.txt]=1", "(= X[@s.txt] 1)");
    check("X[@s.txt:GT]=1", "(= X[@s.txt:GT] 1)");
    check("X[GT]=X[1:GT]", "(= X[*:GT] X[1:GT])");
    check("X[@s.txt:1]=1", "(= X[@s.txt:1] 1)");
    check("X[@a:b:0,1]=1", "(= X[@a:b:0,1] 1)");
}

static void check_error(const char *text, unsigned column, const char *what)
{
    struct expr_tree tree;
    struct err err = {0};
    char at[32];

    if (expr_parse(text, &tree, &err) == 0)
        fail_msg("%s is no error", text);
    assert_int_equal(err.code, ERR_USAGE);
    snprintf(at, sizeof at, ": column %u: ", column);
    if (strstr(err.msg, at) == NULL || strstr(err.msg, what) == NULL)
        fail_msg("not column %u and '%s': %s", column, what, err.msg);
}

static void test_errors(void **state)
{
    (void)state;
    check_error("", 1, "expected an expression");
    check_error("  ", 3, "expected an expression");
    check_error("QUAL>", 6, "expected a value");
    check_error("QUAL>50 &&", 11, "but the expression ends");
    check_error("(QUAL>50", 9, "expected ')'");
    check_error("QUAL>50)", 8, "expected an operator or the expression's end");
    check_error("QUAL 50", 6, "not '50'");
    check_error("QUAL>>50", 6, "not '>'");
    check_error("1<2<3", 4, "cannot be chained");
    check_error("A=\"x", 3, "no closing \"");
    check_error("A='x", 3, "no closing '");
    check_error("A[1=2", 2, "no closing ]");
    check_error("A[x]=2", 3, "expected an index");
    check_error("A[1,]=2", 5, "expected an index");
    check_error("A[3-1]=2", 6, "ends before it begins");
    check_error("A[1 2]=2", 4, "expected ','");
    check_error("A[99999999999]=2", 12, "too large");
    check_error("A[@]=2", 3, "file name");
    check_error("ID=@", 4, "file name");
    check_error("A=1 ^ B=2", 5, "'^' has no meaning");
    check_error("A=1 \x01", 5, "0x01");
    check_error("NOPE(A)=1", 1, "no function 'NOPE'");
    check_error("SMPL_ABS(A)=1", 1, "no function");
    check_error("A[GT:1]=1", 3, "chooses values");
    check_error("MAX(A,B)=1", 6, "one argument");
    check_error("BINOM(A,B,C)=1", 10, "one or two");
    check_error("MAX()=1", 5, "expected a value");
    check_error("!A=1", 1, "'!' has no meaning");
    check_error("& A=1", 1, "expected a value");
}

/* Long and deep expressions are errors or parse; they never exhaust the stack. */
static void test_limits(void **state)
{
    const size_t n = 60000;
    char *text = malloc(n + 8);
    struct expr_tree tree;
    struct err err = {0};

    (void)state;
    assert_non_null(text);
    memset(text, '(', n);
    text[n] = '\0';
    assert_int_equal(expr_parse(text, &tree, &err), -1);
    assert_non_null(strstr(err.msg, "nested too deeply"));
    memset(text, '-', n);
    assert_int_equal(expr_parse(text, &tree, &err), -1);
    for (size_t i = 0; i < n; i++)
        text[i] = i % 2 == 0 ? '1' : '+';
    text[n - 1] = '\0';
    assert_int_equal(expr_parse(text, &tree, &err), -1);
    assert_non_null(strstr(err.msg, "too long"));
    text[2001] = '\0';
    assert_int_equal(expr_parse(text, &tree, &err), 0);
    expr_tree_free(&tree);
    free(text);
}

static int gather(const char *name, void *arg)
{
    struct buf *out = arg;

    buf_printf(out, "%s;", name);
    return strcmp(name, "stop") == 0 ? 7 : 0;
}

static void check_files(const char *text, const char *names, int rc)
{
    struct buf out = {0};

    assert_int_equal(expr_list_files(text, gather, &out), rc);
    buf_append_char(&out, '\0');
    assert_string_equal((const char *)out.data, names);
    buf_free(&out);
}

static void test_files(void **state)
{
    (void)state;
    check_files("QUAL>1 & A=\"@no\"", "", 0);
    check_files("ID=@a.txt | ID!=@b && GT[@c]=\"het\" & X[@d:1,2-]>1", "a.txt;b;c;d;", 0);
    check_files("(ID=@a)|ID=@stop|ID=@z", "a;stop;", 7);
    check_files("ID=@a & \"broken", "a;", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees),  cmocka_unit_test(test_subscripts),
        cmocka_unit_test(test_errors), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
