#!/bin/sh
# Ablations and trials of docs/defaults.md, on a fifth of the series (resumable):
#     sh benchmarks/trials.sh path/to/ucr trials.jsonl
set -eu
data=$1 out=$2

trials() {
    python -m skcoad benchmark "$data" --select '??[05]_*' --out "$out" --jobs 2 "$@"
}

trials --detectors CoAD --seeds 0 1 2
trials --report "${out%.jsonl}.md" --metric auc_pr --against CoAD --detectors CoAD \
    'no pool=CoAD:{"reference_size": 0}' \
    'classification=CoAD:{"score_by": "classification"}' \
    'time branch=CoAD:{"branches": "time"}' \
    'random mask=CoAD:{"masking": "random"}' \
    'hard mask=CoAD:{"masking": "hard"}' \
    '20 steps=CoAD:{"max_steps": 20}' \
    '100 steps=CoAD:{"max_steps": 100}' \
    '600 steps=CoAD:{"max_steps": 600}' \
    '4 periods=CoAD:{"window_periods": 4}'
