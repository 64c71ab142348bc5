/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions that anyone may write: the lexer and the parser end, point into the text, and build a
 * tree whose every node is whole.
 */
#include "encoderd/select/expr_tree.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static int note_file(const char *name, void *arg)
{
    size_t *total = arg;

    REQUIRE(name != NULL);
    *total += strlen(name);
    return 0;
}

static void require_indices(const struct expr_indices *indices)
{
    REQUIRE(indices->given == (indices->nranges > 0));
    REQUIRE(!indices->single || indices->nranges == 1);
    for (size_t i = 0; i < indices->nranges; i++)
        REQUIRE(indices->ranges[i].first <= indices->ranges[i].last);
}

static void require_node(const struct expr_tree *tree, const struct expr_node *node, size_t len)
{
    REQUIRE(node->column < len);
    REQUIRE(node->nargs <= 2);
    for (unsigned i = 0; i < node->nargs; i++)
        REQUIRE(node->args[i] != NULL);
    if (node->op == EXPR_STRING || node->op == EXPR_FILE || node->op == EXPR_TAG)
        REQUIRE(node->text >= tree->text && node->text + node->len <= tree->text + len);
    if (node->subscript.file != NULL)
        REQUIRE(node->subscript.file >= tree->text &&
                node->subscript.file + node->subscript.file_len <= tree->text + len);
    require_indices(&node->subscript.first);
    require_indices(&node->subscript.second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct expr_tree tree;
    struct err err = {0};
    size_t total = 0, n = 0;

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    REQUIRE(expr_list_files(text, note_file, &total) == 0);
    REQUIRE(total <= strlen(text));
    if (expr_parse(text, &tree, &err) == 0) {
        REQUIRE(tree.root != NULL);
        for (const struct expr_node *node = tree.nodes; node != NULL; node = node->next, n++)
            require_node(&tree, node, strlen(text));
        REQUIRE(n == tree.nnodes && n > 0);
        expr_tree_free(&tree);
    } else {
        REQUIRE(err.code == ERR_USAGE && err.msg[0] != '\0');
    }
    free(text);
    return 0;
}
