#!/bin/sh
# Compare settings of CoADDetector, and ablations of the paper's Table 2, on a fifth of
# the archive, seed 0:
#
#     sh studies/trials.sh path/to/ucr trials.jsonl
#
# Made the tables "A budget" and "Trials" of docs/history.md, but for the rows of
# levers.py and of distance_study.py, which 85033e4 still has. Runs in the results file are not repeated.
set -eu
data=$1 out=$2

python -m skcoad benchmark "$data" --select '??[05]_*' --out "$out" --jobs 2 \
    --report "${out%.jsonl}.md" --metric auc_pr --against CoAD --detectors CoAD \
    'no neighbours=CoAD:{"max_references": 0}' \
    'classification only=CoAD:{"score_by": "classification"}' \
    'reconstruction only=CoAD:{"score_by": "reconstruction"}' \
    'time branch only=CoAD:{"branches": "time"}' \
    'mean of the branches=CoAD:{"fusion": "mean"}' \
    'hard mask=CoAD:{"masking": "hard"}' \
    'random mask=CoAD:{"masking": "random"}' \
    'grating mask=CoAD:{"masking": "grating"}' \
    '20 steps=CoAD:{"max_steps": 20}' \
    '100 steps=CoAD:{"max_steps": 100}' \
    '1000 steps=CoAD:{"max_steps": 1000}' \
    'windows of 4 periods=CoAD:{"window_periods": 4}' \
    '1024 references=CoAD:{"max_references": 1024}' \
    '16384 references=CoAD:{"max_references": 16384}' \
    'eight kinds of distortion=CoAD:{"distortions": ["uniform", "flip", "time_warp",
        "jitter", "amplitude", "bump", "swap", "smooth"]}' \
    'distortions up to 2 periods=CoAD:{"distortion_lengths": [0.1, 2]}' \
    'batches of 64=CoAD:{"batch_size": 64}' \
    '64 features=CoAD:{"hidden_size": 64}' \
    'smoothing over a period=CoAD:{"smoothing": 1}' \
    'paper, 60 s=CoADPaper:{"max_seconds": 60}' \
    'paper, 60 s, neighbours=CoADPaper:{"max_seconds": 60, "max_references": 4096}'
