/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an answer of CRIU, and as its log.
 *
 *   fuzz_criu -max_len=5000 tests/fuzz/corpus/criu
 */
#include "base/arena.h"
#include "base/text.h"
#include "criu/criu.h"
#include "criu/last_words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size);

static void must (bool holds)
{
    if (!holds)
        abort ();
}

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text words = {0};
    struct criu_answer answer = {.task = 77, .pid = 77};

    if (criu_answer_read (bytes, size, &answer) == 0) {
        must (memchr (answer.script, '\0', sizeof (answer.script)));
        must (memchr (answer.message, '\0', sizeof (answer.message)));
    } else
        must (answer.task == 77 && answer.pid == 77);
    last_words_find (arena_copy (&arena, (const char *)bytes, size), &words);
    must (words.length <= size + 8);
    return 0;
}
