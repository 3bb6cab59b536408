# SPDX-License-Identifier: Apache-2.0
"""A log of other people's making that feeds a witness; run by the Python that has aics-witness.

Words: the witness's address and key, the log's origin, a folder of notes by their sizes
(``300.note``), a file of the log's entries (one a line), and the sizes to submit, in order. Prints
one line for each: what the witness was told to have done.
"""

import sys
from pathlib import Path

from aics_tlog.tree import MerkleTree
from aics_witness.feeder import FeederError, WitnessClient, WitnessRejected


def submitted(client, note, tree):
    try:
        return f"cosigned {client.submit(note, tree.consistency_proof).split()[1]}"
    except WitnessRejected as error:
        return f"refused {error.status}"
    except FeederError as error:
        return type(error).__name__


url, vkey, notes, entries, *names = sys.argv[1:]
tree = MerkleTree(Path(entries).read_bytes().splitlines())
with WitnessClient(url, vkey) as client:
    for name in names:
        note = (Path(notes) / f"{name}.note").read_text(encoding="utf-8")
        sys.stdout.write(submitted(client, note, tree) + "\n")
